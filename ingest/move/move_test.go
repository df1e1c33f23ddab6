package move_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
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
		ContentHash: fmt.Sprint(path, n), PipelineFingerprint: "p", EmbeddingFingerprint: e.embedding().Fingerprint(), Bytes: 7,
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

func TestReindexMakesTheSameCollectionUnderAnotherEmbedding(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 40)
	before := dump(t, s, "c")
	e := second.fresh()
	var events []move.Event
	report, err := move.Reindex(t.Context(), move.ReindexConfig{Store: s, Collection: "c", Embedder: e, BatchTexts: 8, Observe: func(v move.Event) { events = append(events, v) }})
	if err != nil {
		t.Fatal(err)
	}
	wantForm(t, s, "c", second, 40)
	wantForm(t, s, corpus.Shadow("c"), first, 40)
	for _, name := range []string{"c", corpus.Shadow("c")} {
		if got := dump(t, s, name); got != before {
			t.Errorf("%s is not what it was", name)
		}
	}
	// Each of 40 × 3 inputs is different, by the document's title in front of it.
	if report.Documents != (move.Documents{Copied: 40}) || report.Chunks != (move.Chunks{Written: 120, Embedded: 120}) || e.texts != 120 || e.calls > 25 {
		t.Errorf("report %+v, %d texts in %d calls", report, e.texts, e.calls)
	}
	if !report.Swapped || report.Kept == nil || report.Kept.Embedding != first.embedding() || report.Embedding != second.embedding() {
		t.Errorf("report %+v", report)
	}
	if _, isStart := events[0].(move.Started); !isStart || len(events) != 42 {
		t.Errorf("%d events, the first %+v", len(events), events[0])
	}
	c, err := s.Collection(t.Context(), "c")
	if err != nil || !c.CreatedAt.Equal(day) {
		t.Errorf("created at %v, error %v", c.CreatedAt, err)
	}
}

func TestReindexAgainDropsOrGoesBack(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 10)
	reindex(t, s, second.fresh(), false)
	e := second.fresh()
	if report := reindex(t, s, e, false); report.Swapped || report.Kept == nil || e.texts != 0 {
		t.Errorf("a second time: %+v, %d texts", report, e.texts)
	}
	put(t, s, second, "new.txt", 5, "It is new.")
	e = first.fresh()
	if report := reindex(t, s, e, false); !report.Swapped || report.Documents != (move.Documents{Copied: 1, Unchanged: 10}) || e.texts != 1 {
		t.Errorf("back: %+v, %d texts", report, e.texts)
	}
	wantForm(t, s, "c", first, 11)
	if report := reindex(t, s, first.fresh(), true); report.Dropped == nil || report.Dropped.Embedding != second.embedding() || report.Kept != nil {
		t.Errorf("drop: %+v", report)
	}
	if _, err := s.Collection(t.Context(), corpus.Shadow("c")); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("the other form is there: %v", err)
	}
	wantForm(t, s, "c", first, 11)
}

func TestChangesDuringAReindexAreBrought(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 30)
	e := second.fresh()
	e.before = func(_ context.Context, call int) error {
		// Between two calls others change, delete and quarantine what was copied and what was not yet.
		switch call {
		case 2:
			put(t, s, first, "000.txt", 1, "Changed text.", "The same in all.")
			put(t, s, first, "029.txt", 1, "Changed text.")
		case 3:
			if err := s.Delete(t.Context(), "c", corpus.NewDocumentID("c", "s", "001.txt"), corpus.NewDocumentID("c", "s", "028.txt"), bad("bad.pdf", 0).DocumentID); err != nil {
				t.Error(err)
			}
		case 4:
			if err := s.Quarantine(t.Context(), bad("bad too.pdf", 1)); err != nil {
				t.Error(err)
			}
			put(t, s, first, "new.txt", 2, "New text.")
		case 12: // of the second pass
			put(t, s, first, "newer.txt", 3, "Newer text.")
		}
		return nil
	}
	reindex(t, s, e, false)
	if e.calls < 12 {
		t.Errorf("%d calls, want 12 for the test to be of use", e.calls)
	}
	wantForm(t, s, "c", second, 30)
	if now, then := dump(t, s, "c"), dump(t, s, corpus.Shadow("c")); now != then {
		t.Errorf("the new form is not what the old one is\n%s\n%s", now, then)
	}
}

// beforeSwap calls a function when everything is ready to be swapped.
type beforeSwap struct {
	store.Store
	call func()
}

func (s beforeSwap) Swap(ctx context.Context, a, b string) error {
	s.call()
	return s.Store.Swap(ctx, a, b)
}

func TestWhatIsWrittenInTheLastMomentIsNotLost(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 10)
	reindex(t, beforeSwap{s, func() {
		put(t, s, first, "000.txt", 1, "Changed text.")
		put(t, s, first, "new.txt", 1, "New text.")
		if err := s.Delete(t.Context(), "c", corpus.NewDocumentID("c", "s", "001.txt"), corpus.NewDocumentID("c", "s", "002.txt")); err != nil {
			t.Error(err)
		}
	}}, second.fresh(), false)
	wantForm(t, s, "c", second, 9)
	if now, then := dump(t, s, "c"), dump(t, s, corpus.Shadow("c")); now != then {
		t.Errorf("the new form is not what the old one is\n%s\n%s", now, then)
	}
}

func TestQuestionsAreAnsweredThroughoutAReindex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := filled(t, path, first, 30)
	other := open(t, path) // as another process
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			hits, err := other.Search(t.Context(), store.Query{Scope: scope("c"), Terms: analyze.QueryTerms("The same in all", []string{"en"}), Limit: 100})
			if err != nil || len(hits) < 30 {
				t.Errorf("found %d chunks, error %v", len(hits), err)
				return
			}
		}
	}()
	for i := range 4 {
		reindex(t, s, []*embedder{second, first}[i%2].fresh(), i%2 == 0)
	}
	close(stop)
	<-ended
}

func TestAFailingEmbedderLeavesTheCollectionAndTheNextRunGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(ctx context.Context, call int) error
		size int
		kind error
	}{
		"too many requests": {fail: func(_ context.Context, call int) error {
			if call > 5 {
				return corpus.Errorf(corpus.ErrUnavailable, "HTTP 429")
			}
			return nil
		}, size: second.dimensions, kind: corpus.ErrUnavailable},
		"wrong dimensions": {size: 3, kind: corpus.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 30)
			e := second.fresh()
			e.before = c.fail
			var from model.Embedder = e
			if c.size != e.dimensions {
				from = cut{e, c.size}
			}
			_, err := move.Reindex(t.Context(), move.ReindexConfig{Store: s, Collection: "c", Embedder: from, BatchTexts: 4, Requests: 1})
			if !errors.Is(err, c.kind) {
				t.Fatalf("error is %v, want one that is %q", err, c.kind)
			}
			wantForm(t, s, "c", first, 30)
			shadow, err := s.Collection(t.Context(), corpus.Shadow("c"))
			if err != nil {
				t.Fatal(err)
			}
			again := second.fresh()
			report := reindex(t, s, again, true)
			if report.Documents != (move.Documents{Copied: 30 - shadow.Documents, Unchanged: shadow.Documents}) || again.texts != 3*(30-shadow.Documents) {
				t.Errorf("after %d documents: report %+v, %d texts", shadow.Documents, report, again.texts)
			}
			wantForm(t, s, "c", second, 30)
		})
	}
}

// cut gives vectors of the wrong size.
type cut struct {
	*embedder
	size int
}

func (e cut) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	out, err := e.embedder.Embed(ctx, kind, texts)
	for i, v := range out.Vectors {
		out.Vectors[i] = v[:e.size]
	}
	return out, err
}

func TestCancellingAReindexKeepsWhatIsEmbedded(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 60)
	ctx, cancel := context.WithCancel(t.Context())
	e := second.fresh()
	e.before = func(ctx context.Context, call int) error {
		if call == 10 {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	_, err := move.Reindex(ctx, move.ReindexConfig{Store: s, Collection: "c", Embedder: e, BatchTexts: 4, Requests: 1})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v", err)
	}
	shadow, err := s.Collection(t.Context(), corpus.Shadow("c"))
	if err != nil || shadow.Documents == 0 || shadow.Documents == 60 {
		t.Fatalf("%d documents of 60 are there, error %v", shadow.Documents, err)
	}
	wantForm(t, s, "c", first, 60)
	reindex(t, s, second.fresh(), true)
	wantForm(t, s, "c", second, 60)
}

func TestADamagedCollectionIsNotCopiedAsASoundOne(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 3)
	broken := lossy{s}
	_, err := move.Reindex(t.Context(), move.ReindexConfig{Store: broken, Collection: "c", Embedder: second.fresh()})
	if !errors.Is(err, corpus.ErrCorrupt) || !strings.Contains(err.Error(), "001.txt") || !strings.Contains(corpus.HintOf(err), "verify --repair") {
		t.Errorf("error is %v, hint %q", err, corpus.HintOf(err))
	}
	wantForm(t, s, "c", first, 3)
}

// lossy has lost a page.
type lossy struct{ store.Store }

func (s lossy) Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, from, to int) ([]corpus.Page, error) {
	pages, err := s.Store.Pages(ctx, scope, id, from, to)
	if id == corpus.NewDocumentID("c", "s", "001.txt") && err == nil {
		pages = pages[1:]
	}
	return pages, err
}

func TestCopyIntoAFullStoreStopsAndTheNextRunGoesOn(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 30)
	to := open(t, filepath.Join(t.TempDir(), "b.db"))
	_, err := move.Copy(t.Context(), move.CopyConfig{From: s, To: &full{Store: to, room: 10}, Collection: "c"})
	if !errors.Is(err, corpus.ErrFull) || corpus.HintOf(err) == "" {
		t.Fatalf("error is %v, hint %q", err, corpus.HintOf(err))
	}
	report, err := move.Copy(t.Context(), move.CopyConfig{From: s, To: to, Collection: "c"})
	if err != nil || report.Documents != (move.Documents{Copied: 20, Unchanged: 10}) || report.Chunks != (move.Chunks{Written: 60, Reused: 60}) {
		t.Errorf("report %+v, error %v", report, err)
	}
	wantForm(t, to, "c", first, 30)
	if dump(t, to, "c") != dump(t, s, "c") {
		t.Error("the copy is not what was copied")
	}
}

// full has room for so many documents.
type full struct {
	store.Store
	mu   sync.Mutex
	room int
}

func (s *full) Replace(ctx context.Context, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error {
	s.mu.Lock()
	s.room--
	room := s.room
	s.mu.Unlock()
	if room < 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrFull, "the disk is full"), "free space")
	}
	return s.Store.Replace(ctx, d, pages, chunks)
}

func TestACopyThatIsNotOneIsFound(t *testing.T) {
	s := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 5)
	for name, to := range map[string]func(store.Store) store.Store{
		"text":  func(s store.Store) store.Store { return rotten{Store: s, text: "rotten"} },
		"group": func(s store.Store) store.Store { return rotten{Store: s, groups: []string{"everyone"}} },
		"vector": func(s store.Store) store.Store {
			return rotten{Store: s, vector: second.vector("x")[:first.dimensions]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := move.Copy(t.Context(), move.CopyConfig{From: s, To: to(open(t, filepath.Join(t.TempDir(), "b.db"))), Collection: "c"})
			if !errors.Is(err, corpus.ErrCorrupt) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// rotten stores something else than it was given.
type rotten struct {
	store.Store
	text   string
	groups []string
	vector []float32
}

func (s rotten) Replace(ctx context.Context, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error {
	if s.groups != nil {
		d.Groups = s.groups
	}
	for i := range chunks {
		if s.text != "" {
			chunks[i].Text = s.text
		}
		if s.vector != nil {
			chunks[i].Vector = s.vector
		}
	}
	return s.Store.Replace(ctx, d, pages, chunks)
}
