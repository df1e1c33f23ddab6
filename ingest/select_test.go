package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

func TestRulesOfAFolderLeaveOutAndPrune(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.txt", "drafts/b.txt", "drafts/keep.txt", "hr/c.txt", "hr/secret/d.txt"} {
		w.write(name, note)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 5})
	w.write(".groundedignore", "drafts/*\n!drafts/keep.txt\n")
	w.write("hr/.groundedignore", "/secret/\n")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 3, Ignored: 2})
	w.wantNames("docs:a.txt", "docs:drafts/b.txt", "docs:drafts/keep.txt", "docs:hr/c.txt", "docs:hr/secret/d.txt")
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{w.path("hr")}, Prune: true}), ingest.Documents{Unchanged: 1, Ignored: 1, Pruned: 1})
	w.wantCounts(w.ingest(ingest.Request{Prune: true, DryRun: true}), ingest.Documents{Unchanged: 3, Ignored: 2, Pruned: 1})
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: 3, Ignored: 2, Pruned: 1})
	w.wantNames("docs:a.txt", "docs:drafts/keep.txt", "docs:hr/c.txt")

	for _, name := range []string{"drafts/b.txt", "hr/secret", "hr/secret/d.txt"} {
		_, err := w.try(t.Context(), ingest.Request{Paths: []string{w.path(name)}})
		if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), ".groundedignore, line 1") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestAFolderWhoseRulesCannotBeUsedIsNotRead(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("hr/b.txt", note)
	w.write("hr/x/c.txt", note)
	w.ingest(ingest.Request{})
	w.write("hr/.groundedignore", "[a-\n")
	w.write("hr/x/d.txt", note)
	w.remove("hr/b.txt")
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{Unchanged: 1, Quarantined: 1})
	if q := r.Quarantined[0]; q.Document != "hr/" || !strings.Contains(q.Reason, "line 1") || len(r.Warnings) != 1 {
		t.Errorf("quarantined is %+v, warnings %q", q, r.Warnings)
	}
	w.wantNames("docs:a.txt", "docs:hr/b.txt", "docs:hr/x/c.txt")
}

func TestPatternsNarrowARunAndItsPruning(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.txt", "b.md", "hr/c.txt", "hr/old/d.txt"} {
		w.write(name, note)
	}
	w.wantCounts(w.ingest(ingest.Request{Globs: source.Globs{Include: []string{"*.txt"}, Exclude: []string{"hr/old"}}}), ingest.Documents{New: 2, Ignored: 2})
	w.wantNames("docs:a.txt", "docs:hr/c.txt")
	w.ingest(ingest.Request{})
	w.remove("a.txt")
	w.remove("b.md")
	w.wantCounts(w.ingest(ingest.Request{Prune: true, Globs: source.Globs{Include: []string{"*.md"}}}), ingest.Documents{Pruned: 1, Ignored: 2})
	w.wantNames("docs:a.txt", "docs:hr/c.txt", "docs:hr/old/d.txt")
	if _, err := w.try(t.Context(), ingest.Request{Globs: source.Globs{Include: []string{"[a"}}}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("error is %v", err)
	}
}

func TestShardsSplitASource(t *testing.T) {
	const files, shards = 60, 4
	w := newWorld(t)
	for i := range files {
		w.write(fmt.Sprintf("%d/%02d.txt", i%7, i), fmt.Sprintf("%s It is number %d.", note, i))
		w.write(fmt.Sprintf("%d/%02d.txt.meta.yaml", i%7, i), "groups: [g]")
	}
	total, before := 0, []string{}
	for k := 1; k <= shards; k++ {
		r := w.ingest(ingest.Request{Prune: true, Shard: ingest.Shard{Number: k, Of: shards}})
		if n := r.Documents.New; r.Documents != (ingest.Documents{New: n}) || n < files/shards/3 {
			t.Errorf("shard %d is %+v", k, r.Documents)
		}
		total += r.Documents.New
		if names := w.names(); len(names) != total || !contains(names, before) {
			t.Errorf("after shard %d there are %d documents, not %d", k, len(names), total)
		}
		before = w.names()
	}
	for _, d := range w.documents() {
		if !slices.Equal(d.Groups, []string{"g"}) {
			t.Errorf("%s has lost its metadata", d.Path)
		}
	}
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: files})
	// Each shard prunes its own.
	w.remove("0")
	gone := 0
	for k := 1; k <= shards; k++ {
		n := w.ingest(ingest.Request{Prune: true, Shard: ingest.Shard{Number: k, Of: shards}}).Documents.Pruned
		if gone += n; n == 9 {
			t.Error("one shard pruned for all")
		}
	}
	if gone != 9 || len(w.names()) != files-9 {
		t.Errorf("%d were pruned, %d are left", gone, len(w.names()))
	}
	for _, bad := range []ingest.Shard{{0, 2}, {3, 2}, {1, 0}, {-1, -1}} {
		if _, err := w.try(t.Context(), ingest.Request{Shard: bad}); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%+v: error is %v", bad, err)
		}
	}
}

func contains(all, part []string) bool {
	for _, s := range part {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

func TestAFileThatGoesAwayMeanwhileIsNoFailure(t *testing.T) {
	w := newWorld(t)
	for i := range 200 {
		w.write(fmt.Sprintf("%03d.txt", i), note)
	}
	w.config.Workers = 1
	gone := w.path("199.txt")
	w.parser.before = func(parse.Input) error {
		_ = os.Remove(gone)
		return nil
	}
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{New: 199, Skipped: 1})
	if q, err := w.store.Quarantined(t.Context(), "c"); err != nil || len(q) != 0 {
		t.Errorf("quarantined are %+v, %v", q, err)
	}
}
