package qdrant

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"sort"
	"strconv"
	"strings"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
	"grounded/store"
)

// Of BM25, as in store/index. The server knows no mean length: it is store.MeanLength.
const (
	k1 = 1.2
	b  = .75
)

// termID is what a term is in a sparse vector.
func termID(term string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(term))
	return h.Sum32()
}

// sparse is a list of terms as indices and weights, sorted, each index once.
func sparse(terms []corpus.Term, weight func(count float32) float32) (indices []uint32, values []float32) {
	sums := make(map[uint32]float32, len(terms))
	for _, t := range terms {
		sums[termID(t.Text)] += weight(t.Count)
	}
	indices = make([]uint32, 0, len(sums))
	for i := range sums {
		indices = append(indices, i)
	}
	sort.Slice(indices, func(i, j int) bool { return indices[i] < indices[j] })
	values = make([]float32, len(indices))
	for i, at := range indices {
		values[i] = sums[at]
	}
	return indices, values
}

// passageTerms are weighted so that their product with a query's, each times its inverse document frequency, is BM25.
func passageTerms(terms []corpus.Term) ([]uint32, []float32) {
	length := float32(0)
	for _, t := range terms {
		length += t.Count
	}
	norm := k1 * (1 - b + b*length/store.MeanLength)
	return sparse(terms, func(count float32) float32 { return count * (k1 + 1) / (count + norm) })
}

func queryTerms(terms []corpus.Term) ([]uint32, []float32) {
	return sparse(terms, func(count float32) float32 { return count })
}

func chunkID(key string, d corpus.DocumentID, version int64, ordinal int) *qdrant.PointId {
	return pointID("chunk", key, string(d), strconv.FormatInt(version, 10), strconv.Itoa(ordinal))
}

func pageID(key string, d corpus.DocumentID, version int64, number int) *qdrant.PointId {
	return pointID("page", key, string(d), strconv.FormatInt(version, 10), strconv.Itoa(number))
}

func documentID(key string, d corpus.DocumentID) *qdrant.PointId {
	return pointID(kindDocument, key, string(d))
}

func quarantineID(key string, d corpus.DocumentID) *qdrant.PointId {
	return pointID(kindQuarantine, key, string(d))
}

func chunkUUID(id corpus.ChunkID) string { return corpus.UUID("chunk id", string(id)) }

// inputKey is the part of an input's hash that is indexed.
func inputKey(hash string) (int64, bool) {
	b, err := hex.DecodeString(hash)
	if err != nil || len(b) < 8 {
		return 0, false
	}
	n := int64(0)
	for _, x := range b[:8] {
		n = n<<8 | int64(x)
	}
	return n, true
}

// chunkPoint is all of a chunk but its version and id, which are known when it is written.
func chunkPoint(key string, shared payload, d corpus.Document, c corpus.EmbeddedChunk) *qdrant.PointStruct {
	input, _ := inputKey(c.InputHash())
	p := payload{
		fieldCollection: text(key), fieldDocument: text(string(d.ID)), fieldChunk: text(string(c.ID)), fieldChunkUUID: text(chunkUUID(c.ID)),
		fieldOrdinal: whole(c.Ordinal), fieldText: text(c.Text), fieldLanguage: text(c.Language), fieldInput: qdrant.NewValueInt(input),
		fieldPath: text(d.Path), fieldTitle: text(d.Title),
		fieldPlace: qdrant.NewValueFromList(whole(c.PageStart), whole(c.PageEnd), whole(c.Start), whole(c.End), whole(c.Tokens)),
	}
	if c.Context != "" {
		p[fieldContext] = text(c.Context)
	}
	if len(c.Heading) > 0 {
		p[fieldHeading] = list(c.Heading)
	}
	for field, value := range shared {
		p[field] = value
	}
	vectors := map[string]*qdrant.Vector{vectorDense: qdrant.NewVectorDense(c.Vector)}
	if indices, values := passageTerms(c.Terms); len(indices) > 0 {
		vectors[vectorSparse] = qdrant.NewVectorSparse(indices, values)
	}
	return &qdrant.PointStruct{Payload: p, Vectors: qdrant.NewVectorsMap(vectors)}
}

// chunkFields are what readChunk needs, with the version.
var chunkFields = []string{
	fieldDocument, fieldVersion, fieldChunk, fieldOrdinal, fieldText, fieldLanguage, fieldPath, fieldTitle, fieldPlace, fieldContext, fieldHeading,
}

func readChunk(p payload) corpus.Chunk {
	c := corpus.Chunk{
		ID: corpus.ChunkID(p[fieldChunk].GetStringValue()), DocumentID: corpus.DocumentID(p[fieldDocument].GetStringValue()),
		Ordinal: int(p[fieldOrdinal].GetIntegerValue()), Text: p[fieldText].GetStringValue(), Language: p[fieldLanguage].GetStringValue(),
		Context: p[fieldContext].GetStringValue(), Heading: texts(p[fieldHeading]),
	}
	for i, into := range []*int{&c.PageStart, &c.PageEnd, &c.Start, &c.End, &c.Tokens} {
		if place := p[fieldPlace].GetListValue().GetValues(); i < len(place) {
			*into = int(place[i].GetIntegerValue())
		}
	}
	return c
}

func version(p payload) int64 { return p[fieldVersion].GetIntegerValue() }

func pagePoint(key string, d corpus.DocumentID, page corpus.Page) *qdrant.PointStruct {
	p := payload{fieldCollection: text(key), fieldDocument: text(string(d)), fieldOrdinal: whole(page.Number), fieldText: text(page.Text)}
	if page.Label != "" {
		p[fieldLabel] = text(page.Label)
	}
	return &qdrant.PointStruct{Payload: p, Vectors: noVectors()}
}

func readPage(p payload) corpus.Page {
	return corpus.Page{Number: int(p[fieldOrdinal].GetIntegerValue()), Label: p[fieldLabel].GetStringValue(), Text: p[fieldText].GetStringValue()}
}

// States of a document in the manifest.
const (
	stateClean    = "clean"
	stateStale    = "stale"    // there may be points of earlier versions
	stateDeleting = "deleting" // it is not there any more; some of its points may be
)

// documentPoint is a document's entry in the manifest but for its version and state.
func documentPoint(key string, shared payload, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) (*qdrant.PointStruct, error) {
	described, err := packed(d)
	if err != nil {
		return nil, err
	}
	p := payload{
		fieldKind: text(kindDocument), fieldCollection: text(key), fieldDocument: text(string(d.ID)), fieldJSON: described,
		fieldChunks: whole(0), fieldPages: whole(0),
	}
	if len(pages) > 0 {
		p[fieldPages] = whole(pages[len(pages)-1].Number)
	}
	counts := map[string]int{}
	for _, c := range chunks {
		counts[c.Language]++
	}
	if len(chunks) > 0 {
		p[fieldChunks] = whole(chunks[len(chunks)-1].Ordinal + 1)
		var languages []string
		for language, n := range counts {
			languages = append(languages, language+separator+strconv.Itoa(n))
		}
		sort.Strings(languages)
		p[fieldLanguages] = list(languages)
	}
	for level := range pathLevels {
		p[pathField(level)] = qdrant.NewValueInt(block(d.Path, level))
	}
	for field, value := range shared {
		p[field] = value
	}
	return &qdrant.PointStruct{Id: documentID(key, d.ID), Payload: p, Vectors: noVectors()}, nil
}

// splitLanguage reads a language and the number of chunks in it.
func splitLanguage(s string) (string, int, error) {
	language, number, _ := strings.Cut(s, separator)
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", 0, corpus.Errorf(corpus.ErrCorrupt, "a document has %q chunks in %q", number, language)
	}
	return language, n, nil
}

// entry is a document in the manifest.
type entry struct {
	document corpus.Document
	version  int64
	state    string
	chunks   int // ordinals are below
	pages    int // the last one's number
}

func (r record) readEntry(p payload) (entry, error) {
	e := entry{
		version: version(p), state: p[fieldState].GetStringValue(),
		chunks: int(p[fieldChunks].GetIntegerValue()), pages: int(p[fieldPages].GetIntegerValue()),
	}
	if err := unpack(p, fieldJSON, &e.document); err != nil {
		return entry{}, fmt.Errorf("manifest of collection %q: %w", r.name, err)
	}
	e.document.Collection = r.name
	return e, nil
}
