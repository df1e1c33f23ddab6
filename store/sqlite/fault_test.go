package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/store"
)

var testEmbedding = corpus.Embedding{Model: "test", Dimensions: 4, Normalised: true}

var anyone = corpus.Scope{Collection: "c", Access: corpus.Access{Unrestricted: true}}

// testDocument has chunks of the texts, each on a page, whose words are its terms.
func testDocument(path string, texts ...string) (corpus.Document, []corpus.Page, []corpus.EmbeddedChunk) {
	d := corpus.Document{
		ID: corpus.NewDocumentID("c", "s", path), Collection: "c", Source: "s", Path: path,
		EmbeddingFingerprint: testEmbedding.Fingerprint(), PageCount: len(texts), ChunkCount: len(texts),
	}
	var pages []corpus.Page
	var chunks []corpus.EmbeddedChunk
	for i, text := range texts {
		c := corpus.EmbeddedChunk{
			Chunk:  corpus.Chunk{ID: corpus.NewChunkID(d.ID, text, i), DocumentID: d.ID, Ordinal: i, PageStart: i + 1, PageEnd: i + 1, Text: text},
			Vector: []float32{1, 0, 0, 0},
		}
		seen := map[string]bool{}
		for _, word := range strings.Fields(text) {
			if !seen[word] {
				c.Terms = append(c.Terms, corpus.Term{Text: word, Count: 1})
			}
			seen[word] = true
		}
		pages, chunks = append(pages, corpus.Page{Number: i + 1, Text: text}), append(chunks, c)
	}
	return d, pages, chunks
}

func replaceTest(s *Store, path string, texts ...string) error {
	d, pages, chunks := testDocument(path, texts...)
	return s.Replace(context.Background(), d, pages, chunks)
}

// filled makes a store with n documents and returns its path.
func filled(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	for i := range n {
		if err := replaceTest(s, fmt.Sprint(i), fmt.Sprint("number", i), strings.Repeat("words ", 200)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func createTest(t testing.TB, s *Store) {
	t.Helper()
	if err := s.CreateCollection(context.Background(), corpus.Collection{Name: "c", Embedding: testEmbedding}); err != nil {
		t.Fatal(err)
	}
}

// raw runs SQL on the file beside the store.
func raw(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFilesThatCannotBeOpenedAreNamedAndLeftAsTheyAre(t *testing.T) {
	newer := filled(t, 1)
	raw(t, newer, "PRAGMA user_version = 99")
	other := filepath.Join(t.TempDir(), "other.db")
	raw(t, other, "CREATE TABLE recipes (name TEXT)")
	junk := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(junk, bytes.Repeat([]byte("not a database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filled(t, 50)
	if err := os.Truncate(short, int64(len(contents(t, short)))/2); err != nil {
		t.Fatal(err)
	}
	header := filled(t, 1)
	overwrite(t, header, 0, 16)
	for name, c := range map[string]struct {
		path  string
		kind  error
		words []string
	}{
		"newer version":     {newer, corpus.ErrUnsupported, []string{"99", fmt.Sprint(len(migrations))}},
		"another program's": {other, corpus.ErrInvalid, []string{"another program"}},
		"not SQLite":        {junk, corpus.ErrCorrupt, nil},
		"cut short":         {short, corpus.ErrCorrupt, nil},
		"damaged header":    {header, corpus.ErrCorrupt, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := contents(t, c.path)
			s, err := Open(t.Context(), Config{Path: c.path})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.kind) {
				t.Fatalf("got error %v, want one that is %q", err, c.kind)
			}
			for _, word := range append(c.words, c.path) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error does not say %q: %v", word, err)
				}
			}
			if corpus.HintOf(err) == "" {
				t.Errorf("error has no hint: %v", err)
			}
			if !bytes.Equal(contents(t, c.path), before) {
				t.Error("the file was changed")
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		_, err := Open(t.Context(), Config{Path: t.TempDir()})
		if !errors.Is(err, corpus.ErrInvalid) || corpus.HintOf(err) == "" {
			t.Errorf("got error %v with hint %q", err, corpus.HintOf(err))
		}
	})
}

// overwrite damages n bytes of a file.
func overwrite(t *testing.T, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, n), at); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFindsDamage(t *testing.T) {
	t.Run("pages overwritten", func(t *testing.T) {
		path := filled(t, 200)
		for at := int64(10 * pageSize); at < int64(len(contents(t, path)))-pageSize; at += 4 * pageSize {
			overwrite(t, path, at, 2000)
		}
		s, err := Open(t.Context(), Config{Path: path})
		if err == nil {
			defer s.Close()
			err = s.Check(t.Context())
		}
		if !errors.Is(err, corpus.ErrCorrupt) || corpus.HintOf(err) == "" {
			t.Errorf("got error %v with hint %q", err, corpus.HintOf(err))
		}
	})
	for name, damage := range map[string]string{
		"a vector is gone":         "DELETE FROM vectors WHERE key = (SELECT max(key) FROM vectors)",
		"a vector is cut":          "UPDATE vectors SET vector = x'00' WHERE key = (SELECT max(key) FROM vectors)",
		"a chunk is gone":          "PRAGMA foreign_keys=1; DELETE FROM chunks WHERE key = (SELECT max(key) FROM chunks)",
		"a document is gone":       "PRAGMA foreign_keys=0; DELETE FROM documents WHERE key = (SELECT max(key) FROM documents)",
		"the counts are wrong":     "UPDATE collections SET chunks = chunks + 1",
		"a language is miscounted": "UPDATE languages SET chunks = chunks + 1",
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 3)
			if err := open(t, path).Check(t.Context()); err != nil {
				t.Fatalf("a sound file: %v", err)
			}
			raw(t, path, damage)
			if err := open(t, path).Check(t.Context()); !errors.Is(err, corpus.ErrCorrupt) {
				t.Errorf("got error %v, want one that is %q", err, corpus.ErrCorrupt)
			}
		})
	}
}

func TestAFullDiskLosesNothingAndOthersInTheGroupGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	if err := replaceTest(s, "before", "kept safe"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 200"); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("many different words ", 200_000)
	texts := []string{"fits well", large, "fits too", "fits as well"}
	errs := make([]error, len(texts))
	together(t, s, len(texts), func(i int) { errs[i] = replaceTest(s, fmt.Sprint(i), texts[i]) })
	for i, err := range errs {
		if full := texts[i] == large; full != errors.Is(err, corpus.ErrFull) || full == (corpus.HintOf(err) == "") {
			t.Errorf("document %d of %d bytes: got error %v with hint %q", i, len(texts[i]), err, corpus.HintOf(err))
		}
	}
	if err := replaceTest(s, "after", "a different text"); err != nil { // a word of the one that did not fit
		t.Error(err)
	}
	hits, err := s.Search(t.Context(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "safe", Count: 1}, {Text: "fits", Count: 1}, {Text: "different", Count: 1}}})
	if err != nil || len(hits) != 5 {
		t.Errorf("found %d chunks of 5, error %v", len(hits), err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsGoneIsNotWrittenTo(t *testing.T) {
	path := filled(t, 1)
	s := open(t, path)
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Replace": replaceTest(s, "new", "text"),
		"Search":  func() error { _, err := s.Search(t.Context(), store.Query{Scope: anyone}); return err }(),
	} {
		if !errors.Is(err, corpus.ErrUnavailable) || corpus.HintOf(err) == "" {
			t.Errorf("%s: got error %v with hint %q", what, err, corpus.HintOf(err))
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file came back: %v", err)
	}
	if err := os.Rename(path+".moved", path); err != nil {
		t.Fatal(err)
	}
	if err := replaceTest(s, "new", "text"); err != nil {
		t.Errorf("Replace once the file is back: %v", err)
	}
}

func TestOnlyTheUserMayReadWhatIsMade(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	s := open(t, filepath.Join(folder, "grounded.db"))
	createTest(t, s)
	for path, want := range map[string]fs.FileMode{
		folder: 0o700 | fs.ModeDir, s.path: 0o600, s.path + "-wal": 0o600, s.path + "-shm": 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}
