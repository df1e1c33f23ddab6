package ingest_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
)

func (w *world) link(target, name string) {
	w.t.Helper()
	if err := os.Symlink(target, w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}

func TestHiddenFilesAndMetadataAreNoDocuments(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("a.txt.meta.yaml", "title: Leave")
	w.write(".hidden.txt", note)
	w.write(".git/b.txt", note)
	w.write("~$a.txt", note)
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	w.wantNames("docs:a.txt")
}

func TestLinksAreFollowedToFilesInsideOnly(t *testing.T) {
	w := newWorld(t)
	w.write("sub/a.txt", note)
	w.link("sub/a.txt", "inside.txt")
	w.link(".", "sub/loop")
	w.link("nowhere.txt", "broken.txt")
	outside := filepath.Join(t.TempDir(), "outside.txt")
	if err := os.WriteFile(outside, []byte(note), 0o644); err != nil {
		t.Fatal(err)
	}
	w.link(outside, "outside.txt")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 2, Skipped: 3})
	w.wantNames("docs:inside.txt", "docs:sub/a.txt")
}

func TestUnknownFormatsAreSkippedUnlessNamed(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("index.sqlite", "SQLite format 3\x00\x10\x00\x01\x01")
	w.write("program.bin", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 1, Skipped: 2})
	if len(r.Skipped) != 2 || r.Skipped[0].Document != "index.sqlite" || r.Skipped[0].Reason == "" {
		t.Errorf("skipped are %+v", r.Skipped)
	}
	r, err := w.try(t.Context(), ingest.Request{Paths: []string{w.path("a.txt"), w.path("program.bin")}})
	if !errors.Is(err, corpus.ErrUnsupported) || !strings.Contains(err.Error(), "program.bin") {
		t.Errorf("error is %v", err)
	}
	w.wantCounts(r, ingest.Documents{Unchanged: 1, Failed: 1})
}

func TestNamesOfAllKindsAreKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems normalise or refuse such names")
	}
	w := newWorld(t)
	w.write("a name with spaces.txt", note)
	w.write("员工手册/差旅.txt", note)
	w.write("cafe\u0301.txt", note) // decomposed
	w.write("caf\xe9.txt", note)    // not UTF-8
	w.ingest(ingest.Request{})
	names := []string{"docs:a name with spaces.txt", "docs:caf%E9.txt", "docs:café.txt", "docs:员工手册/差旅.txt"}
	w.wantNames(names...)
	w.rename("cafe\u0301.txt", "caf\u00e9.txt")
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: 4})
	w.write("cafe\u0301.txt", "The same name twice.")
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: 3, Changed: 1, Skipped: 1})
	w.wantNames(names...)
}

func TestAFolderThatCannotBeListedIsReportedAndNotPruned(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may list every folder")
	}
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("sub/b.txt", note)
	w.ingest(ingest.Request{})
	w.remove("a.txt")
	if err := os.Chmod(w.path("sub"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(w.path("sub"), 0o755) })
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{Pruned: 1, Quarantined: 1})
	w.wantNames("docs:sub/b.txt")
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "sub/") {
		t.Errorf("warnings are %q", r.Warnings)
	}
}

func TestPruneDeletesOnlyWhatIsGoneUnderThePaths(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"hr/a.txt", "hr/b.txt", "hr2/c.txt", "d.txt"} {
		w.write(name, note)
	}
	w.ingest(ingest.Request{})
	for _, name := range []string{"hr/a.txt", "hr2/c.txt", "d.txt"} {
		w.remove(name)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{w.path("hr")}, Prune: true}), ingest.Documents{Unchanged: 1, Pruned: 1})
	w.wantNames("docs:d.txt", "docs:hr/b.txt", "docs:hr2/c.txt")
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: 1, Pruned: 2})
	w.wantNames("docs:hr/b.txt")
}
