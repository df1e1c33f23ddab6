package ingest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
)

const note = "Employees have thirty days of leave in each year."

func (w *world) roots() map[string]string {
	w.t.Helper()
	sources, err := w.store.Sources(w.t.Context(), "c")
	if err != nil {
		w.t.Fatal(err)
	}
	roots := map[string]string{}
	for _, s := range sources {
		roots[s.Name] = s.Root
	}
	return roots
}

func TestAPathInsideAKnownSourceIsTheSameDocument(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("hr/b.txt", note)
	w.ingest(ingest.Request{})
	for _, path := range []string{"hr", "hr/b.txt", "a.txt"} {
		w.wantCounts(w.ingest(ingest.Request{Paths: []string{w.path(path)}}), ingest.Documents{Unchanged: 1})
	}
	w.wantNames("docs:a.txt", "docs:hr/b.txt")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(w.dir, link); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{link}}), ingest.Documents{Unchanged: 2})
}

func TestASingleFileBelongsToItsFolder(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("b.txt", note)
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{w.path("a.txt")}}), ingest.Documents{New: 1})
	w.wantNames("docs:a.txt")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1, Unchanged: 1})
}

func TestAMovedFolderHasTheSameDocuments(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.ingest(ingest.Request{})
	elsewhere := filepath.Join(t.TempDir(), "docs")
	if err := os.Rename(w.dir, elsewhere); err != nil {
		t.Fatal(err)
	}
	w.dir = elsewhere
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
	if got := w.roots(); got["docs"] != elsewhere {
		t.Errorf("roots are %v", got)
	}
}

func TestASecondFolderOfTheSameNameIsRefused(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.ingest(ingest.Request{})
	w.dir = filepath.Join(t.TempDir(), "docs")
	w.write("a.txt", note)
	_, err := w.try(t.Context(), ingest.Request{})
	if hint := corpus.HintOf(err); !errors.Is(err, corpus.ErrConflict) || !strings.Contains(hint, "--source NAME") || !strings.Contains(hint, "--moved") {
		t.Fatalf("error is %v, hint %q", err, hint)
	}
	w.wantCounts(w.ingest(ingest.Request{Source: "other"}), ingest.Documents{New: 1})
	w.wantNames("docs:a.txt", "other:a.txt")
}

func TestMovedSaysThatAFolderIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.ingest(ingest.Request{})
	w.dir = filepath.Join(t.TempDir(), "docs")
	w.write("a.txt", note)
	w.wantCounts(w.ingest(ingest.Request{Moved: true}), ingest.Documents{Unchanged: 1})
	w.wantNames("docs:a.txt")
}

func TestAWiderSourceTakesOverTheNarrower(t *testing.T) {
	for _, prune := range []bool{false, true} {
		w := newWorld(t)
		w.write("hr/a.txt", note)
		w.write("hr/gone.txt", "This file will not be there any more.")
		w.write("hr/empty.txt", " ")
		w.write("b.txt", "Another text.")
		w.ingest(ingest.Request{Paths: []string{w.path("hr")}})
		w.wantNames("hr:a.txt", "hr:gone.txt")
		w.remove("hr/gone.txt")

		want := ingest.Documents{New: 1, Unchanged: 1, Quarantined: 1}
		names := []string{"docs:b.txt", "docs:hr/a.txt"}
		if prune {
			want.Pruned = 1
		} else {
			names = append(names, "docs:hr/gone.txt")
		}
		w.wantCounts(w.ingest(ingest.Request{DryRun: true, Prune: prune}), want)
		w.wantNames("hr:a.txt", "hr:gone.txt")
		w.wantCounts(w.ingest(ingest.Request{Prune: prune}), want)
		w.wantNames(names...)
		if len(w.embedder.texts) != 1 {
			t.Errorf("embedded %q", w.embedder.texts)
		}
		if got := w.roots(); len(got) != 1 || got["docs"] != w.dir {
			t.Errorf("roots are %v", got)
		}
		if q, err := w.store.Quarantined(t.Context(), "c"); err != nil || len(q) != 1 || q[0].Source != "docs" || q[0].Path != "hr/empty.txt" {
			t.Errorf("quarantined are %+v, %v", q, err)
		}
	}
}

func TestSeveralPathsOfOneRunAreNotDoubled(t *testing.T) {
	w := newWorld(t)
	w.write("hr/a.txt", note)
	w.write("b.txt", note)
	r := w.ingest(ingest.Request{Paths: []string{w.path("hr/a.txt"), w.path("hr"), w.dir, w.path("b.txt")}})
	w.wantCounts(r, ingest.Documents{New: 2})
	w.wantNames("docs:b.txt", "docs:hr/a.txt")
}

func TestASourceInsideAnotherIsRefused(t *testing.T) {
	w := newWorld(t)
	w.write("hr/a.txt", note)
	w.ingest(ingest.Request{})
	if _, err := w.try(t.Context(), ingest.Request{Paths: []string{w.path("hr")}, Source: "people"}); !errors.Is(err, corpus.ErrConflict) {
		t.Errorf("error is %v", err)
	}
}

func TestAMissingPathFailsBeforeAnythingStarts(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	_, err := w.try(t.Context(), ingest.Request{Paths: []string{w.dir, w.path("no such file.txt")}})
	if !errors.Is(err, corpus.ErrNotFound) || !strings.Contains(err.Error(), "no such file.txt") {
		t.Errorf("error is %v", err)
	}
	w.wantNames()
}
