package move_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/move"
	"grounded/model"
	"grounded/store"
	"grounded/store/sqlite"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == moveArgument {
		os.Exit(moveAlone(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// embedder makes vectors of a hash of the text, other ones for each model.
type embedder struct {
	model      string
	dimensions int
	before     func(ctx context.Context, call int) error

	mu    sync.Mutex
	calls int
	texts int
}

var first, second = &embedder{model: "first", dimensions: 8}, &embedder{model: "second", dimensions: 12}

// fresh is the embedder with nothing counted.
func (e *embedder) fresh() *embedder { return &embedder{model: e.model, dimensions: e.dimensions} }

func (e *embedder) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: e.model, Dimensions: e.dimensions, Normalised: true}, nil
}

func (e *embedder) embedding() corpus.Embedding {
	c, _ := e.Embedding(context.Background())
	return c
}

func (e *embedder) Embed(ctx context.Context, _ model.Kind, texts []string) (model.Embeddings, error) {
	e.mu.Lock()
	e.calls++
	e.texts += len(texts)
	call := e.calls
	e.mu.Unlock()
	if e.before != nil {
		if err := e.before(ctx, call); err != nil {
			return model.Embeddings{}, err
		}
	}
	var out model.Embeddings
	for _, text := range texts {
		out.Vectors = append(out.Vectors, e.vector(text))
	}
	return out, ctx.Err()
}

func (e *embedder) CountTokens(text string) int { return len(strings.Fields(text)) * e.dimensions }
func (e *embedder) MaxTokens() int              { return 200 }

func (e *embedder) vector(text string) []float32 {
	v := make([]float32, e.dimensions)
	norm := 0.0
	for i := range v {
		h := fnv.New32a()
		fmt.Fprint(h, i, e.model, text)
		v[i] = float32(h.Sum32())/(1<<32) - .5
		norm += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

var day = time.Date(2025, 6, 7, 8, 9, 10, 11_000_000, time.UTC)

// put writes a document with a page and a chunk for each text, ingested n minutes after the others of n = 0.
func put(t testing.TB, s store.Store, e *embedder, path string, n int, texts ...string) {
	t.Helper()
	d := corpus.Document{
		ID: corpus.NewDocumentID("c", "s", path), Collection: "c", Source: "s", Path: path, URI: "/s/" + path, Title: "Title of " + path,
		MediaType: "text/plain", Language: "en", Metadata: map[string]any{"year": 2024.0, "tags": []any{"a", "b"}}, Groups: []string{"hr"},
		ContentHash: strings.Join(texts, " "), PipelineFingerprint: "p", EmbeddingFingerprint: e.embedding().Fingerprint(), Bytes: 7,
		ModifiedAt: day, IngestedAt: day.Add(time.Duration(n) * time.Minute), PageCount: len(texts), ChunkCount: len(texts),
	}
	var pages []corpus.Page
	var chunks []corpus.EmbeddedChunk
	for i, text := range texts {
		pages = append(pages, corpus.Page{Number: i + 1, Label: fmt.Sprint("p", i), Text: text})
		c := corpus.Chunk{ID: corpus.NewChunkID(d.ID, text, i), DocumentID: d.ID, Ordinal: i, PageStart: i + 1, PageEnd: i + 1, End: len(text),
			Heading: []string{"Part"}, Text: text, Language: "en", Context: d.Title}
		c.Tokens = e.CountTokens(c.Input())
		chunks = append(chunks, corpus.EmbeddedChunk{Chunk: c, Vector: e.vector(c.Input()), Terms: analyze.Terms(c.Input(), "en")})
	}
	if err := s.Replace(t.Context(), d, pages, chunks); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// filled has n documents of three chunks under an embedder, a source and a quarantined file.
func filled(t testing.TB, path string, e *embedder, n int) store.Store {
	t.Helper()
	return fill(t, open(t, path), e, n)
}

func fill(t testing.TB, s store.Store, e *embedder, n int) store.Store {
	t.Helper()
	if err := s.CreateCollection(t.Context(), corpus.Collection{Name: "c", Embedding: e.embedding(), CreatedAt: day}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		put(t, s, e, fmt.Sprintf("%03d.txt", i), 0, fmt.Sprint("Subject number ", i), fmt.Sprint("More about ", i), "The same in all.")
	}
	if err := s.PutSource(t.Context(), corpus.Source{Collection: "c", Name: "s", Root: "/s", Paths: []string{"a"}, UsedAt: day}); err != nil {
		t.Fatal(err)
	}
	if err := s.Quarantine(t.Context(), bad("bad.pdf", 0)); err != nil {
		t.Fatal(err)
	}
	return s
}

func bad(path string, n int) corpus.Quarantined {
	return corpus.Quarantined{Collection: "c", DocumentID: corpus.NewDocumentID("c", "s", path), Source: "s", Path: path, Reason: "It is cut short.",
		Code: "damaged", ContentHash: fmt.Sprint(n), At: day.Add(time.Duration(n) * time.Minute)}
}

func scope(name string) corpus.Scope {
	return corpus.Scope{Collection: name, Access: corpus.Access{Unrestricted: true}}
}

// dump writes down all that is stored in a collection, but for what depends on the embedding.
func dump(t testing.TB, s store.Store, name string) string {
	t.Helper()
	var b strings.Builder
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	docs, _, err := s.Documents(t.Context(), store.DocumentQuery{Scope: scope(name), Limit: 10_000})
	check(err)
	for _, d := range docs {
		d.EmbeddingFingerprint, d.Collection = "", ""
		fmt.Fprintf(&b, "%+v\n", d)
		pages, err := s.Pages(t.Context(), scope(name), d.ID, 1, 0)
		check(err)
		chunks, err := s.DocumentChunks(t.Context(), scope(name), d.ID, 0, -1)
		check(err)
		for i := range chunks {
			chunks[i].Tokens = 0
		}
		fmt.Fprintf(&b, "  %+v\n  %+v\n", pages, chunks)
	}
	quarantined, err := s.Quarantined(t.Context(), name)
	check(err)
	sources, err := s.Sources(t.Context(), name)
	check(err)
	fmt.Fprintf(&b, "%+v\n%+v\n", quarantined, sources)
	return strings.ReplaceAll(b.String(), corpus.Shadow("c"), "c")
}

// wantForm fails unless the collection is sound, has n documents under the embedder, and each chunk is found by the
// vector that the embedder makes of it.
func wantForm(t testing.TB, s store.Store, name string, e *embedder, n int) {
	t.Helper()
	c, err := s.Collection(t.Context(), name)
	if err != nil || c.Embedding != e.embedding() || c.Documents != n {
		t.Fatalf("collection is %+v, error %v; want %d documents by %s", c, err, n, e.model)
	}
	if faults, err := s.Inspect(t.Context(), name, false); err != nil || len(faults) > 0 {
		t.Errorf("faults %+v, error %v", faults, err)
	}
	docs, _, err := s.Documents(t.Context(), store.DocumentQuery{Scope: scope(name), Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		chunks, err := s.DocumentChunks(t.Context(), scope(name), d.ID, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range chunks {
			hits, err := s.Search(t.Context(), store.Query{Scope: scope(name), Vector: e.vector(k.Input()), Limit: 1})
			if err != nil || len(hits) != 1 || hits[0].Chunk.Input() != k.Input() || k.Tokens != e.CountTokens(k.Input()) {
				t.Fatalf("%s: chunk %d of %d tokens finds %+v, error %v", d.Path, k.Ordinal, k.Tokens, hits, err)
			}
		}
	}
}

func reindex(t testing.TB, s store.Store, e *embedder, drop bool) move.Report {
	t.Helper()
	report, err := move.Reindex(t.Context(), move.ReindexConfig{Store: s, Collection: "c", Embedder: e, Drop: drop, BatchTexts: 8})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
