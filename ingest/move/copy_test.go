package move_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"grounded/corpus"
	"grounded/ingest/move"
	"grounded/store"
)

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
