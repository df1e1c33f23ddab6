package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/model"
	"grounded/store"
	"grounded/store/sqlite"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case parse.ChildArgument:
			os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
		case ingestArgument:
			os.Exit(ingestAlone(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

// embedder makes vectors of 8 numbers from a hash of the text, and keeps count.
type embedder struct {
	name string
	fail func(ctx context.Context, call int) error // before a call is answered

	mu    sync.Mutex
	calls int
	texts []string
}

func (e *embedder) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	e.mu.Lock()
	e.calls++
	call := e.calls
	e.mu.Unlock()
	if e.fail != nil {
		if err := e.fail(ctx, call); err != nil {
			return model.Embeddings{}, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.texts = append(e.texts, texts...)
	out := model.Embeddings{}
	for _, text := range texts {
		out.Vectors = append(out.Vectors, vectorOf(text))
	}
	return out, ctx.Err()
}

func vectorOf(text string) []float32 {
	v := make([]float32, 8)
	norm := 0.0
	for i := range v {
		h := fnv.New32a()
		fmt.Fprint(h, i, text)
		v[i] = float32(h.Sum32())/(1<<32) - .5
		norm += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(norm))
	}
	return v
}

func (e *embedder) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: "test/" + e.name, Dimensions: 8, Normalised: true}, nil
}

func (e *embedder) CountTokens(text string) int { return len(strings.Fields(text)) }
func (e *embedder) MaxTokens() int              { return 200 }

func (e *embedder) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls, e.texts = 0, nil
}

// parser counts, and may answer instead of the pool.
type parser struct {
	ingest.Parser
	before func(in parse.Input) error

	mu    sync.Mutex
	calls int
}

func (p *parser) Parse(ctx context.Context, in parse.Input) (parse.Document, error) {
	p.mu.Lock()
	p.calls++
	p.mu.Unlock()
	if p.before != nil {
		if err := p.before(in); err != nil {
			return parse.Document{}, err
		}
	}
	return p.Parser.Parse(ctx, in)
}

// world is a folder, a store and what fills one from the other.
type world struct {
	t        testing.TB
	dir      string // of files
	store    store.Store
	embedder *embedder
	parser   *parser
	config   ingest.Config
	events   []ingest.Event
}

func newWorld(t testing.TB) *world {
	t.Helper()
	pool, err := parse.New(parse.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "grounded.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "docs"), store: s, embedder: &embedder{name: "e"}, parser: &parser{Parser: pool}}
	w.config = ingest.Config{Store: s, Embedder: w.embedder, Parser: w.parser, Chunk: chunk.Config{TargetTokens: 30}}
	w.write("", "") // the folder
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// write makes a file, or with no text the folder.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := w.path(name)
	if text == "" {
		if err := os.MkdirAll(path, 0o755); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.RemoveAll(w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(w.path(from), w.path(to)); err != nil {
		w.t.Fatal(err)
	}
}

// try ingests; without paths the whole folder.
func (w *world) try(ctx context.Context, req ingest.Request) (ingest.Report, error) {
	w.t.Helper()
	in, err := ingest.New(ctx, w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Collection = "c"
	if len(req.Paths) == 0 {
		req.Paths = []string{w.dir}
	}
	w.embedder.reset()
	w.parser.calls = 0
	w.events = nil
	return in.Run(ctx, req, func(e ingest.Event) { w.events = append(w.events, e) })
}

func (w *world) ingest(req ingest.Request) ingest.Report {
	w.t.Helper()
	report, err := w.try(w.t.Context(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

func (w *world) wantCounts(r ingest.Report, want ingest.Documents) {
	w.t.Helper()
	if r.Documents != want {
		w.t.Fatalf("documents are %+v, want %+v\nquarantined: %+v\nskipped: %+v", r.Documents, want, r.Quarantined, r.Skipped)
	}
}

var everything = corpus.Scope{Collection: "c", Access: corpus.Access{Unrestricted: true}}

func (w *world) documents() []corpus.Document {
	w.t.Helper()
	q := store.DocumentQuery{Scope: everything, Limit: 1000}
	var all []corpus.Document
	for {
		docs, next, err := w.store.Documents(w.t.Context(), q)
		if errors.Is(err, corpus.ErrNotFound) {
			return nil
		}
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, docs...)
		if q.Cursor = next; next == "" {
			return all
		}
	}
}

// names lists the documents as source:path.
func (w *world) names() []string {
	w.t.Helper()
	var names []string
	for _, d := range w.documents() {
		names = append(names, d.Source+":"+d.Path)
	}
	slices.Sort(names)
	return names
}

func (w *world) wantNames(want ...string) {
	w.t.Helper()
	if got := w.names(); !slices.Equal(got, want) {
		w.t.Fatalf("stored are %q, want %q", got, want)
	}
}

func (w *world) document(path string) corpus.Document {
	w.t.Helper()
	for _, d := range w.documents() {
		if d.Path == path {
			return d
		}
	}
	w.t.Fatalf("%s is not stored", path)
	return corpus.Document{}
}

func (w *world) chunks(path string) []corpus.Chunk {
	w.t.Helper()
	chunks, err := w.store.DocumentChunks(w.t.Context(), everything, w.document(path).ID, 0, -1)
	if err != nil {
		w.t.Fatal(err)
	}
	return chunks
}

// article is a document with sections that are chunks of their own.
func article(title string, sections int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", title)
	for i := range sections {
		fmt.Fprintf(&b, "\n## Part %d\n\n", i)
		for j := range 4 {
			fmt.Fprintf(&b, "Sentence %d of part %d tells employees something about %s. ", j, i, title)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestAFirstRunStoresWhatIsThere(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 3))
	w.write("sub/b.txt", "Employees have thirty days of leave in each year.")
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 2})
	w.wantNames("docs:a.txt", "docs:sub/b.txt")
	d := w.document("a.txt")
	if d.Title != "a" || d.Language != "en" || d.ChunkCount != len(w.chunks("a.txt")) || d.URI != w.path("a.txt") {
		t.Errorf("stored as %+v", d)
	}
	if total := d.ChunkCount + 1; r.Chunks != (ingest.Chunks{Written: total, Embedded: total}) {
		t.Errorf("chunks are %+v, want %d written and embedded", r.Chunks, total)
	}
	hits, err := w.store.Search(t.Context(), store.Query{Scope: everything, Vector: vectorOf(w.chunks("a.txt")[1].Input()), Limit: 1})
	if err != nil || len(hits) != 1 || hits[0].Chunk.ID != w.chunks("a.txt")[1].ID {
		t.Errorf("a chunk's own vector finds %+v, %v", hits, err)
	}
}

func TestASecondRunNeitherParsesNorEmbeds(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 3))
	w.write("b.txt", article("Leave", 3))
	w.ingest(ingest.Request{})
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Unchanged: 2})
	if w.embedder.calls != 0 || w.parser.calls != 0 || r.Chunks != (ingest.Chunks{}) {
		t.Errorf("%d embedding calls, %d parses, chunks %+v; want none", w.embedder.calls, w.parser.calls, r.Chunks)
	}
}

func TestOnlyTheTextsThatAreNewAreEmbedded(t *testing.T) {
	w := newWorld(t)
	text := article("Travel", 20)
	w.write("a.txt", text)
	w.ingest(ingest.Request{})
	w.write("a.txt", strings.Replace(text, "Sentence 2 of part 3", "A changed sentence of part 3", 1))
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Changed: 1})
	if len(w.embedder.texts) > r.Chunks.Written/3 || len(w.embedder.texts) == 0 {
		t.Errorf("embedded %d of %d texts: %q", len(w.embedder.texts), r.Chunks.Written, w.embedder.texts)
	}
	if r.Chunks.Embedded != len(w.embedder.texts) || r.Chunks.Reused+r.Chunks.Embedded != r.Chunks.Written {
		t.Errorf("chunks are %+v, %d were embedded", r.Chunks, len(w.embedder.texts))
	}
}

func TestAMovedFileCostsNoEmbedding(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 3))
	w.ingest(ingest.Request{})
	w.write("archive", "")
	w.rename("a.txt", "archive/a.txt")
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{New: 1, Pruned: 1})
	w.wantNames("docs:archive/a.txt")
	if w.embedder.calls != 0 {
		t.Errorf("embedded %q", w.embedder.texts)
	}
}

func TestEqualTextsOfARunAreEmbeddedOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.write(fmt.Sprintf("%d/copy.txt", i), article("Travel", 5))
	}
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 20})
	texts := slices.Clone(w.embedder.texts)
	slices.Sort(texts)
	if n := len(slices.Compact(slices.Clone(texts))); n != len(texts) || r.Chunks.Embedded != n || r.Chunks.Written != 20*n {
		t.Errorf("embedded %d texts, %d of them different; chunks %+v", len(texts), n, r.Chunks)
	}
}

func TestAnotherEmbeddingIsRefused(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 1))
	w.ingest(ingest.Request{})
	w.embedder.name = "other"
	_, err := w.try(t.Context(), ingest.Request{})
	if !errors.Is(err, corpus.ErrConflict) || !strings.Contains(err.Error(), "test/e") || !strings.Contains(err.Error(), "test/other") ||
		!strings.Contains(corpus.HintOf(err), "grounded reindex") {
		t.Errorf("error is %v, hint %q", err, corpus.HintOf(err))
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 1))
	r := w.ingest(ingest.Request{DryRun: true})
	w.wantCounts(r, ingest.Documents{New: 1})
	if all, err := w.store.Collections(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("collections are %v, %v", all, err)
	}
	w.ingest(ingest.Request{})
	w.write("a.txt", article("Travels", 1))
	w.write("b.txt", article("Leave", 1))
	w.write("c.txt", article("Pay", 1))
	w.ingest(ingest.Request{Paths: []string{w.path("c.txt")}})
	w.remove("c.txt")
	r = w.ingest(ingest.Request{DryRun: true, Prune: true})
	w.wantCounts(r, ingest.Documents{New: 1, Changed: 1, Pruned: 1})
	w.wantNames("docs:a.txt", "docs:c.txt")
	if w.parser.calls != 0 || w.embedder.calls != 0 {
		t.Errorf("%d parses, %d embedding calls", w.parser.calls, w.embedder.calls)
	}
}

func TestAnEmptyFolderIsNoError(t *testing.T) {
	w := newWorld(t)
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{})
}

func TestEventsTellEachDocumentAndEndWithTheSummary(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", article("Travel", 1))
	w.write("b.txt", article("Leave", 1))
	r := w.ingest(ingest.Request{})
	found, done := 0, 0
	for _, e := range w.events {
		switch e := e.(type) {
		case ingest.Discovered:
			if e.Complete {
				found = e.Files
			}
		case ingest.DocumentDone:
			done++
		}
	}
	last, ok := w.events[len(w.events)-1].(ingest.Report)
	if found != 2 || done != 2 || !ok || last.Documents != r.Documents || last.Event != "summary" {
		t.Errorf("%d found, %d done, last is %+v", found, done, w.events[len(w.events)-1])
	}
}

// short answers one vector too few.
type short struct{ *embedder }

func (s short) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	out, err := s.embedder.Embed(ctx, kind, texts)
	out.Vectors = out.Vectors[1:]
	return out, err
}
