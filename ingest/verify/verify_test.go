package verify_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/verify"
	"grounded/model"
	"grounded/store"
	"grounded/store/sqlite"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// embedder makes vectors of two numbers.
type embedder struct{}

func (embedder) Embed(_ context.Context, _ model.Kind, texts []string) (model.Embeddings, error) {
	var out model.Embeddings
	for _, text := range texts {
		h := fnv.New32a()
		h.Write([]byte(text))
		if h.Sum32()%2 == 0 {
			out.Vectors = append(out.Vectors, []float32{.6, .8})
		} else {
			out.Vectors = append(out.Vectors, []float32{.8, .6})
		}
	}
	return out, nil
}

func (embedder) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: "test", Dimensions: 2, Normalised: true}, nil
}
func (embedder) CountTokens(text string) int { return len(strings.Fields(text)) }
func (embedder) MaxTokens() int              { return 200 }

// world is a folder that was ingested into a file.
type world struct {
	*testing.T
	dir, file string
	parser    *parse.Pool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	pool, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	w := &world{t, filepath.Join(t.TempDir(), "docs"), filepath.Join(t.TempDir(), "grounded.db"), pool}
	for i := range 3 {
		text := fmt.Sprintf("# Subject %d\n\nEverybody knows something about it.\n\n# Also in document %d\n\nNobody knows more, so this is all there is of %d.\n\n# The same\n\nThese words are in each.", i, i, i)
		w.write(fmt.Sprint(i, ".md"), text)
	}
	w.write("empty.md", " ")
	s := w.open()
	if _, err := w.ingester(s).Run(t.Context(), ingest.Request{Collection: "c", Paths: []string{w.dir}}, nil); err != nil {
		t.Fatal(err)
	}
	s.Close()
	return w
}

func (w *world) write(name, text string) {
	w.Helper()
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
}

func (w *world) open() store.Store {
	w.Helper()
	s, err := sqlite.Open(w.Context(), sqlite.Config{Path: w.file})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { s.Close() })
	return s
}

func (w *world) ingester(s store.Store) *ingest.Ingester {
	w.Helper()
	in, err := ingest.New(w.Context(), ingest.Config{Store: s, Embedder: embedder{}, Parser: w.parser, Chunk: chunk.Config{TargetTokens: 10, OverlapTokens: -1}})
	if err != nil {
		w.Fatal(err)
	}
	return in
}

// damage runs SQL on the file.
func (w *world) damage(statements string) {
	w.Helper()
	db, err := sql.Open("sqlite", w.file)
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		w.Fatal(err)
	}
}

func (w *world) verify(repair bool, paths ...string) verify.Report {
	w.Helper()
	s := w.open()
	defer s.Close()
	report, err := verify.Run(w.Context(), verify.Config{Ingester: w.ingester(s), Collection: "c", Paths: paths, Repair: repair})
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// kinds are those of faults with their documents, each once.
func kinds(faults []verify.Fault, repaired bool) []string {
	var list []string
	for _, f := range faults {
		if f.Repaired == repaired {
			list = append(list, strings.TrimSpace(f.Kind+" "+f.Path))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestVerifyFindsWhatIsWrongAndRepairMendsIt(t *testing.T) {
	const last = "(SELECT max(k.key) FROM chunks k JOIN documents d ON d.key = k.document WHERE d.path = '2.md')"
	for name, c := range map[string]struct {
		damage func(w *world)
		want   []string // faults
		left   []string // after a repair
		where  string   // what is named; empty is nothing
	}{
		"nothing":         {damage: func(*world) {}},
		"a new file":      {damage: func(w *world) { w.write("new.md", "New.") }, want: []string{"lost new.md"}},
		"a changed file":  {damage: func(w *world) { w.write("1.md", "Changed.") }, want: []string{"stale 1.md"}},
		"a file of junk":  {damage: func(w *world) { w.write("junk.xyz", "\x00\x01\x02") }},
		"a deleted file":  {damage: func(w *world) { os.Remove(filepath.Join(w.dir, "1.md")) }, want: []string{"gone 1.md"}, left: []string{"gone 1.md"}},
		"a lost document": {damage: func(w *world) { w.damage("PRAGMA foreign_keys=1; DELETE FROM documents WHERE path = '1.md'") }, want: []string{"damaged", "lost 1.md"}},
		"orphans": {damage: func(w *world) { w.damage("PRAGMA foreign_keys=0; DELETE FROM documents WHERE path = '1.md'") },
			want: []string{"damaged", "lost 1.md"}},
		"a lost page": {damage: func(w *world) {
			w.damage("DELETE FROM pages WHERE document = (SELECT key FROM documents WHERE path = '1.md')")
		}, want: []string{"damaged 1.md", "order 1.md", "text 1.md"}},
		"a lost chunk": {damage: func(w *world) { w.damage("PRAGMA foreign_keys=1; DELETE FROM chunks WHERE key = " + last) }, want: []string{"damaged", "damaged 2.md", "order 2.md"}},
		"a lost vector": {damage: func(w *world) { w.damage("DELETE FROM vectors WHERE key = " + last) },
			want: []string{"damaged 2.md", "vector 2.md"}},
		"another text": {damage: func(w *world) { w.damage("UPDATE chunks SET text = 'x' || text WHERE key = " + last) },
			want: []string{"text 2.md", "vector 2.md"}},
		"another place": {damage: func(w *world) { w.damage("UPDATE chunks SET start = start + 1 WHERE key = " + last) }, want: []string{"text 2.md"}},
		"a place outside": {damage: func(w *world) { w.damage(`UPDATE chunks SET "end" = 100000 WHERE key = ` + last) },
			want: []string{"text 2.md"}},
		"a gap":            {damage: func(w *world) { w.damage("UPDATE chunks SET ordinal = 7 WHERE key = " + last) }, want: []string{"order 2.md"}},
		"a double ordinal": {damage: func(w *world) { w.damage("UPDATE chunks SET ordinal = 0 WHERE key = " + last) }, want: []string{"damaged 2.md", "order 2.md"}},
		"a double document": {damage: func(w *world) { w.damage("UPDATE documents SET path = '1.md' WHERE path = '2.md'") },
			want: []string{"double 1.md"}, left: []string{"double 1.md"}},
		"a double chunk": {damage: func(w *world) {
			w.damage(`INSERT INTO chunks SELECT key + 1000, document, ordinal + 1000, id, input, page_start, page_end, start, "end", tokens, language, heading, context, text FROM chunks WHERE key = ` + last +
				"; INSERT INTO vectors SELECT key + 1000, document, vector, terms FROM vectors WHERE key + 1000 = " + last)
		}, want: []string{"damaged", "damaged 2.md", "double 2.md", "order 2.md"}},
		"miscounted": {damage: func(w *world) { w.damage("UPDATE collections SET documents = 9") }, want: []string{"damaged"}},
		"only a part is named": {damage: func(w *world) { w.write("0.md", "Changed."); w.write("1.md", "Changed.") },
			where: "1.md", want: []string{"stale 1.md"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.damage(w)
			var paths []string
			if c.where != "" {
				paths = []string{filepath.Join(w.dir, c.where)}
			}
			found := w.verify(false, paths...)
			if got := kinds(found.Faults, false); !slices.Equal(got, c.want) || found.Healthy != (len(c.want) == 0) {
				t.Fatalf("faults are %q, want %q: %+v", got, c.want, found.Faults)
			}
			repaired := w.verify(true, paths...)
			if got := kinds(repaired.Faults, false); !slices.Equal(got, c.left) || repaired.Healthy != (len(c.left) == 0) {
				t.Errorf("after a repair faults are %q, want %q: %+v", got, c.left, repaired.Faults)
			}
			again := w.verify(false, paths...)
			if got := kinds(again.Faults, false); !slices.Equal(got, c.left) {
				t.Errorf("then faults are %q, want %q: %+v", got, c.left, again.Faults)
			}
		})
	}
}

func TestVerifyWithoutTheSourceRepairsWhatItCanAndMarksTheRest(t *testing.T) {
	w := newWorld(t)
	w.damage("DELETE FROM vectors WHERE key = (SELECT max(k.key) FROM chunks k JOIN documents d ON d.key = k.document WHERE d.path = '2.md')")
	if err := os.Rename(w.dir, w.dir+".away"); err != nil {
		t.Fatal(err)
	}
	report := w.verify(true)
	if len(report.Sources) != 1 || report.Sources[0].Compared || report.Sources[0].Reason == "" {
		t.Errorf("sources are %+v", report.Sources)
	}
	// The document is in with what is sound of it, and read again when its source is back.
	if err := os.Rename(w.dir+".away", w.dir); err != nil {
		t.Fatal(err)
	}
	if got := kinds(w.verify(false).Faults, false); !slices.Equal(got, []string{"outdated 2.md"}) {
		t.Errorf("faults are %q", got)
	}
	if report := w.verify(true); !report.Healthy {
		t.Errorf("in the end: %+v", report)
	}
}

func TestVerifyNeedsTheCollectionAndThePaths(t *testing.T) {
	w := newWorld(t)
	s := w.open()
	for _, c := range []verify.Config{{Collection: "nothing"}, {Collection: "c", Paths: []string{filepath.Join(w.dir, "nowhere")}}} {
		c.Ingester = w.ingester(s)
		if _, err := verify.Run(t.Context(), c); !errors.Is(err, corpus.ErrNotFound) {
			t.Errorf("%+v: error is %v", c, err)
		}
	}
}
