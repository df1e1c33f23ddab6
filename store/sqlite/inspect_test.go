package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/store"
)

func TestInspectFindsAndMendsWhatItCan(t *testing.T) {
	// Document 2 is the last; its second chunk has the words of every document's second chunk, its first is its own.
	const own, shared = "(SELECT max(key) - 1 FROM chunks)", "(SELECT max(key) FROM chunks)"
	for name, c := range map[string]struct {
		damage   string
		problems []string
		left     int    // faults that stay
		document string // that they are about
		found    int    // chunks that a search for the shared words finds in the end; -1 is an error
	}{
		"a chunk without a document": {"PRAGMA foreign_keys=0; DELETE FROM documents WHERE key = (SELECT max(key) FROM documents)",
			[]string{"2 chunks belong to no document.", "2 pages belong to no document.", "It counts 3 documents and has 2."}, 0, "", 2},
		"a vector without a chunk": {"PRAGMA foreign_keys=0; INSERT INTO vectors SELECT key + 1, document, vector, terms FROM vectors WHERE key = " + shared,
			[]string{"1 vectors belong to no chunk."}, 0, "", 3},
		"a page is gone": {"DELETE FROM pages WHERE rowid = (SELECT max(rowid) FROM pages)", []string{"It should have 2 pages and has 1."}, 1, "2", 3},
		"a chunk is gone": {"PRAGMA foreign_keys=1; DELETE FROM chunks WHERE key = " + shared,
			[]string{"It should have 2 chunks and has 1.", "Its numbers of chunks do not agree."}, 1, "2", 2},
		"a chunk is double": {`INSERT INTO chunks SELECT key + 1, document, ordinal, id, input, page_start, page_end, start, "end", tokens, language, heading, context, text FROM chunks WHERE key = ` + shared +
			"; INSERT INTO vectors SELECT key + 1, document, vector, terms FROM vectors WHERE key = (SELECT max(key) FROM vectors)",
			[]string{"It should have 2 chunks and has 3.", "1 chunks are there twice.", "Its numbers of chunks do not agree."}, 0, "2", 3},
		"a vector is gone that another chunk has": {"DELETE FROM vectors WHERE key = " + shared, []string{"1 chunks have no vector."}, 0, "2", 3},
		"a vector is gone that no other has":      {"DELETE FROM vectors WHERE key = " + own, []string{"1 chunks have no vector."}, 1, "2", 3},
		"a vector is cut":                         {"UPDATE vectors SET vector = x'00' WHERE key = " + shared, []string{"1 vectors have the wrong size."}, 0, "2", 3},
		"terms are cut":                           {"UPDATE vectors SET terms = x'ff' WHERE key = " + shared, []string{"The terms of 1 chunks are damaged."}, 0, "2", 3},
		"terms are unknown":                       {"UPDATE vectors SET terms = x'ff0102' WHERE key = " + own, []string{"The terms of 1 chunks are damaged."}, 0, "2", 3},
		"documents are miscounted":                {"UPDATE collections SET documents = 7", []string{"It counts 7 documents and has 3."}, 0, "", 3},
		"a language is miscounted":                {"UPDATE languages SET chunks = chunks + 1", []string{"Its numbers of chunks do not agree."}, 0, "", 3},
		"a term is gone":                          {"DELETE FROM terms WHERE key = (SELECT max(key) FROM terms)", []string{"Its dictionary has 3 terms of 4; copy it to a new store."}, 1, "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 3)
			raw(t, path, c.damage)
			s := open(t, path)
			found, err := s.Inspect(t.Context(), "c", false)
			if err != nil {
				t.Fatal(err)
			}
			var problems []string
			for _, f := range found {
				problems = append(problems, f.Problem)
				if f.Document != "" && (f.Document != corpus.NewDocumentID("c", "s", c.document) || f.Path != c.document) {
					t.Errorf("%q is about %s %q, want %q", f.Problem, f.Document, f.Path, c.document)
				}
				if f.Repaired {
					t.Errorf("%q was repaired unasked", f.Problem)
				}
			}
			if diff := cmp.Diff(c.problems, problems); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
			repaired, err := s.Inspect(t.Context(), "c", true)
			if err != nil {
				t.Fatal(err)
			}
			left := 0
			for _, f := range repaired {
				if !f.Repaired {
					left++
				}
			}
			again, err := s.Inspect(t.Context(), "c", false)
			if err != nil || left != c.left || len(again) != left {
				t.Errorf("%d faults are left, then %+v, error %v; want %d\n%+v", left, again, err, c.left, repaired)
			}
			if c.left == 0 {
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
			}
			hits, err := s.Search(t.Context(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "words", Count: 1}}})
			if c.found < 0 {
				if err == nil {
					t.Error("a search went well")
				}
			} else if err != nil || len(hits) != c.found {
				t.Errorf("found %d chunks, want %d; error %v", len(hits), c.found, err)
			}
		})
	}
}

func TestARepairIsSeenByAnotherHandle(t *testing.T) {
	path := filled(t, 3)
	s, other := open(t, path), open(t, path)
	raw(t, path, "DELETE FROM vectors WHERE key = (SELECT max(key) FROM vectors)")
	search := func() int {
		t.Helper()
		hits, err := other.Search(t.Context(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "words", Count: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		return len(hits)
	}
	if n := search(); n != 2 {
		t.Fatalf("found %d chunks before, want 2", n)
	}
	if _, err := s.Inspect(t.Context(), "c", true); err != nil {
		t.Fatal(err)
	}
	if n := search(); n != 3 {
		t.Errorf("found %d chunks after, want 3", n)
	}
}
