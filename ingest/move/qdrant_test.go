package move_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest/move"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/qdrant/qdranttest"
)

// openQdrant opens a store on a server of the test's own.
func openQdrant(t testing.TB, address string) store.Store {
	t.Helper()
	s, err := qdrant.Open(t.Context(), qdrant.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestCopyToQdrantAndBack(t *testing.T) {
	embedded := filled(t, filepath.Join(t.TempDir(), "a.db"), first, 40)
	server := openQdrant(t, qdranttest.Start(t).Address)
	back := open(t, filepath.Join(t.TempDir(), "b.db"))
	want := dump(t, embedded, "c")
	for _, step := range []struct {
		name     string
		from, to store.Store
	}{{"there", embedded, server}, {"and back", server, back}} {
		for again := range 2 {
			report, err := move.Copy(t.Context(), move.CopyConfig{From: step.from, To: step.to, Collection: "c"})
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if wanted := []move.Documents{{Copied: 40}, {Unchanged: 40}}[again]; report.Documents != wanted {
				t.Errorf("%s: %+v, want %+v", step.name, report.Documents, wanted)
			}
		}
		wantForm(t, step.to, "c", first, 40)
		if got := dump(t, step.to, "c"); got != want {
			t.Errorf("%s: the copy is not what was copied\n%s\n%s", step.name, got, want)
		}
	}
}

func TestReindexInQdrant(t *testing.T) {
	s := fill(t, openQdrant(t, qdranttest.Start(t).Address), first, 30)
	reindex(t, beforeSwap{s, func() {
		put(t, s, first, "000.txt", 1, "Changed text.")
		put(t, s, first, "new.txt", 1, "New text.")
		if err := s.Delete(t.Context(), "c", corpus.NewDocumentID("c", "s", "001.txt"), corpus.NewDocumentID("c", "s", "002.txt")); err != nil {
			t.Error(err)
		}
	}}, second.fresh(), false)
	wantForm(t, s, "c", second, 29)
	if now, then := dump(t, s, "c"), dump(t, s, corpus.Shadow("c")); now != then {
		t.Errorf("the new form is not what the old one is\n%s\n%s", now, then)
	}
	e := first.fresh()
	reindex(t, s, e, true)
	if e.texts != 0 {
		t.Errorf("going back embedded %d texts", e.texts)
	}
	wantForm(t, s, "c", first, 29)
}

func TestKilledReindexInQdrantIsFinishedByTheNext(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a few seconds")
	}
	address := qdranttest.Start(t).Address
	s := fill(t, openQdrant(t, address), first, 40)
	before := dump(t, s, "c")
	run := func(kill time.Duration) error {
		cmd := exec.Command(os.Args[0], moveArgument, "reindex", "qdrant:"+address)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if kill > 0 {
			timer := time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
		return cmd.Wait()
	}
	killed := 0
	for wait := 40 * time.Millisecond; killed < 20; wait = wait * 5 / 4 {
		if run(wait) == nil {
			break
		}
		killed++
	}
	if err := run(0); err != nil || killed < 2 {
		t.Fatalf("after %d kills: %v", killed, err)
	}
	wantForm(t, s, "c", second, 40)
	if got := dump(t, s, "c"); got != before {
		t.Error("what killed runs left is not what there was")
	}
}
