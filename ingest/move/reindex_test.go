package move_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/move"
	"grounded/model"
	"grounded/store"
)

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
			put(t, s, first, "002.txt", 1, "Subject number 2", "More about 2", "The same in all.") // ingested again as it was
		case 3:
			if err := s.Delete(t.Context(), "c", corpus.NewDocumentID("c", "s", "001.txt"), corpus.NewDocumentID("c", "s", "028.txt")); err != nil {
				t.Error(err)
			}
		case 4:
			if err := s.Quarantine(t.Context(), bad("bad too.pdf", 1)); err != nil {
				t.Error(err)
			}
			put(t, s, first, "new.txt", 2, "New text.")
		}
		return nil
	}
	reindex(t, &whenInspected{Store: s, call: func() {
		put(t, s, first, "newer.txt", 3, "Newer text.")
		if err := s.Delete(t.Context(), "c", bad("bad.pdf", 0).DocumentID); err != nil {
			t.Error(err)
		}
	}}, e, false)
	wantForm(t, s, "c", second, 30)
	if now, then := dump(t, s, "c"), dump(t, s, corpus.Shadow("c")); now != then {
		t.Errorf("the new form is not what the old one is\n%s\n%s", now, then)
	}
}

// whenInspected calls a function when all is brought and is compared for the first time.
type whenInspected struct {
	store.Store
	call func()
}

func (s *whenInspected) Inspect(ctx context.Context, name string, repair bool) ([]store.Fault, error) {
	if s.call != nil {
		s.call()
		s.call = nil
	}
	return s.Store.Inspect(ctx, name, repair)
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
