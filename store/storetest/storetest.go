// Package storetest is the suite that every store.Store passes. It knows no backend; what it asks is what
// package store promises.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"grounded/corpus"
	"grounded/store"
)

// Dimensions of the suite's vectors.
const Dimensions = 16

// embedding is the one of the suite's collections.
var embedding = corpus.Embedding{Model: "test/embedder", Dimensions: Dimensions, Normalised: true}

var everyone = corpus.Access{Unrestricted: true}

// Run runs the suite. open returns a store without collections, closed by the suite or by t.Cleanup. reopen
// returns a second handle on the data of a store that open returned, as another process would have it; nil
// skips what needs one.
func Run(t *testing.T, open func(t *testing.T) store.Store, reopen func(t *testing.T, s store.Store) store.Store) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*fixture)
	}{
		{"Collections", collectionTests}, {"Replace", replaceTests}, {"Documents", documentTests}, {"Access", accessTests},
		{"Search", searchTests}, {"Filter", filterTests}, {"Concurrent", concurrentTests}, {"Sources", sourceTests},
		{"Swap", swapTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					test(&fixture{T: t, Store: open(t), reopen: reopen})
				})
			}
		})
	}
}

// fixture is a test with its store. Its helpers fail the test.
type fixture struct {
	*testing.T
	store.Store
	reopen func(t *testing.T, s store.Store) store.Store
}

func (f *fixture) ctx() context.Context { return f.T.Context() }

// create makes collections with the suite's embedding.
func (f *fixture) create(names ...string) {
	f.Helper()
	for _, name := range names {
		if err := f.CreateCollection(f.ctx(), corpus.Collection{Name: name, Embedding: embedding}); err != nil {
			f.Fatalf("CreateCollection(%s): %v", name, err)
		}
	}
}

// content is a document with all that is stored of it.
type content struct {
	doc    corpus.Document
	pages  []corpus.Page
	chunks []corpus.EmbeddedChunk
}

// document makes a document with a page and a chunk for each text. Terms are the text's words; the vector
// depends on the text alone.
func document(collection, path string, texts ...string) content {
	d := corpus.Document{
		ID: corpus.NewDocumentID(collection, "handbook", path), Collection: collection, Source: "handbook", Path: path,
		URI: "file:///handbook/" + path, Title: "Title of " + path, MediaType: "text/markdown", Language: "en",
		Bytes: 123, ContentHash: strings.Repeat("ab", 32), PipelineFingerprint: "pipeline", EmbeddingFingerprint: embedding.Fingerprint(),
		ModifiedAt: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), IngestedAt: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		PageCount: len(texts), ChunkCount: len(texts),
	}
	c := content{doc: d}
	occurrence := map[string]int{}
	for i, text := range texts {
		c.pages = append(c.pages, corpus.Page{Number: i + 1, Label: fmt.Sprint("p", i+1), Text: text})
		chunk := corpus.Chunk{
			ID: corpus.NewChunkID(d.ID, text, occurrence[text]), DocumentID: d.ID, Ordinal: i, PageStart: i + 1, PageEnd: i + 1,
			End: len([]rune(text)), Heading: []string{"Part", fmt.Sprint(i)}, Text: text, Tokens: len(strings.Fields(text)), Language: "en",
			Context: "Title of " + path,
		}
		occurrence[text]++
		c.chunks = append(c.chunks, corpus.EmbeddedChunk{Chunk: chunk, Vector: vectorOf(text), Terms: termsOf(text)})
	}
	return c
}

// vectorOf returns the unit vector that stands for a text.
func vectorOf(text string) []float32 {
	var seed [32]byte
	copy(seed[:], text)
	for i := 32; i < len(text); i++ {
		seed[i%32] = seed[i%32]*31 + text[i]
	}
	random := rand.New(rand.NewChaCha8(seed))
	v := make([]float32, Dimensions)
	var norm float64
	for i := range v {
		v[i] = float32(random.NormFloat64())
		norm += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

// near returns a unit vector close to v.
func near(v []float32) []float32 {
	w := append([]float32(nil), v...)
	w[0] += .01
	var norm float64
	for _, x := range w {
		norm += float64(x) * float64(x)
	}
	for i := range w {
		w[i] /= float32(math.Sqrt(norm))
	}
	return w
}

// termsOf counts the words of a text.
func termsOf(text string) []corpus.Term {
	var terms []corpus.Term
	place := map[string]int{}
	for _, word := range strings.Fields(text) {
		if i, there := place[word]; there {
			terms[i].Count++
			continue
		}
		place[word] = len(terms)
		terms = append(terms, corpus.Term{Text: word, Count: 1})
	}
	return terms
}

// put replaces documents.
func (f *fixture) put(contents ...content) {
	f.Helper()
	for _, c := range contents {
		if err := f.Replace(f.ctx(), c.doc, c.pages, c.chunks); err != nil {
			f.Fatalf("Replace(%s): %v", c.doc.Path, err)
		}
	}
}

func scope(collection string) corpus.Scope {
	return corpus.Scope{Collection: collection, Access: everyone}
}

// wantKind fails unless err is of the kind.
func (f *fixture) wantKind(what string, err, kind error) {
	f.Helper()
	if !errors.Is(err, kind) {
		f.Errorf("%s: got error %v, want one that is %q", what, err, kind)
	}
}

// must fails on an error.
func (f *fixture) must(what string, err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}

// same compares what was got with what was wanted; an empty list is as good as none.
func (f *fixture) same(what string, got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		f.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// wantStored fails unless a document is there with exactly these pages and chunks.
func (f *fixture) wantStored(c content) {
	f.Helper()
	doc, err := f.Document(f.ctx(), scope(c.doc.Collection), c.doc.ID)
	f.must("Document", err)
	f.same("document", doc, c.doc)
	pages, err := f.Pages(f.ctx(), scope(c.doc.Collection), c.doc.ID, 1, 0)
	f.must("Pages", err)
	f.same("pages", pages, c.pages)
	chunks, err := f.DocumentChunks(f.ctx(), scope(c.doc.Collection), c.doc.ID, 0, -1)
	f.must("DocumentChunks", err)
	var want []corpus.Chunk
	for _, k := range c.chunks {
		want = append(want, k.Chunk)
	}
	f.same("chunks", chunks, want)
}

// texts are those of hits, best first.
func texts(hits []store.Hit) []string {
	var list []string
	for _, h := range hits {
		list = append(list, h.Chunk.Text)
	}
	return list
}

// paths are those of documents.
func paths(docs []corpus.Document) []string {
	var list []string
	for _, d := range docs {
		list = append(list, d.Path)
	}
	return list
}

// find searches and fails on an error.
func (f *fixture) find(q store.Query) []store.Hit {
	f.Helper()
	hits, err := f.Search(f.ctx(), q)
	f.must("Search", err)
	return hits
}
