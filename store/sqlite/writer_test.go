package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
)

// lock takes the file's write lock, as another process that writes, until release is called.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
		db.Close()
	})
}

// together runs calls that write while the file is locked, so that they wait beside each other.
func together(t *testing.T, s *Store, n int, call func(i int)) {
	t.Helper()
	release := lock(t, s.path)
	defer release()
	var calling sync.WaitGroup
	for i := range n {
		calling.Go(func() { call(i) })
	}
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		waiting := strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "sqlite.(*Store).write(")
		if waiting >= n {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d writes of %d wait", waiting, n)
		}
	}
	release()
	calling.Wait()
}

func sequence(t *testing.T, s *Store) (seq int) {
	t.Helper()
	if err := s.readers.QueryRow("SELECT seq FROM collections WHERE name = 'c'").Scan(&seq); err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestWritesThatWaitTogetherShareATransaction(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "grounded.db"))
	createTest(t, s)
	before := sequence(t, s)
	together(t, s, 60, func(i int) {
		if err := replaceTest(s, fmt.Sprint(i), "text"); err != nil {
			t.Error(err)
		}
	})
	if n := sequence(t, s) - before; n > 3 {
		t.Errorf("60 writes that waited together took %d transactions", n)
	}
	c, err := s.Collection(t.Context(), "c")
	if err != nil || c.Documents != 60 {
		t.Errorf("got %d documents of 60, error %v", c.Documents, err)
	}
}

func TestARefusedWriteDoesNotDisturbItsGroup(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "grounded.db"))
	createTest(t, s)
	together(t, s, 20, func(i int) {
		d, pages, chunks := testDocument(fmt.Sprint(i), "text")
		if i%2 == 1 {
			d.EmbeddingFingerprint = "another"
		}
		err := s.Replace(context.Background(), d, pages, chunks)
		if i%2 == 0 && err != nil || i%2 == 1 && !errors.Is(err, corpus.ErrConflict) {
			t.Errorf("document %d: got error %v", i, err)
		}
	})
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAWriteThatIsGivenUpWhileItWaitsIsNotMade(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "grounded.db"))
	createTest(t, s)
	release := lock(t, s.path)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	d, pages, chunks := testDocument("x", "text")
	if err := s.Replace(ctx, d, pages, chunks); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want the context's", err)
	}
	release()
	if err := replaceTest(s, "y", "text"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Document(t.Context(), anyone, d.ID); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("the document that was given up: got error %v", err)
	}
}

func TestALockThatIsHeldForLongIsReported(t *testing.T) {
	path := filled(t, 1)
	s, err := Open(t.Context(), Config{Path: path, Wait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	release := lock(t, path)
	defer release()
	if err := replaceTest(s, "x", "text"); !errors.Is(err, corpus.ErrUnavailable) || corpus.HintOf(err) == "" {
		t.Errorf("got error %v with hint %q", err, corpus.HintOf(err))
	}
	release()
	if err := replaceTest(s, "x", "text"); err != nil {
		t.Error(err)
	}
}

// TestChunksKeepTheirNumberWhileVectorAndTermsStay holds what makes a small edit cheap for the index.
func TestChunksKeepTheirNumberWhileVectorAndTermsStay(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "grounded.db"))
	createTest(t, s)
	numbers := func() map[string]int64 {
		t.Helper()
		rows, err := s.readers.Query("SELECT text, key FROM chunks")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		m := map[string]int64{}
		for rows.Next() {
			var text string
			var key int64
			if err := rows.Scan(&text, &key); err != nil {
				t.Fatal(err)
			}
			m[text] = key
		}
		return m
	}
	d, pages, chunks := testDocument("x", "one", "two", "three")
	for i := range chunks { // as ids are made: the same text keeps its id wherever it stands
		chunks[i].ID = corpus.NewChunkID(d.ID, chunks[i].Text, 0)
	}
	if err := s.Replace(t.Context(), d, pages, chunks); err != nil {
		t.Fatal(err)
	}
	before := numbers()
	chunks[0], chunks[2] = chunks[2], chunks[0]
	chunks[0].Ordinal, chunks[2].Ordinal = 0, 2
	chunks[1].Vector = []float32{0, 1, 0, 0}
	if err := s.Replace(t.Context(), d, pages, chunks); err != nil {
		t.Fatal(err)
	}
	after := numbers()
	if before["one"] != after["one"] || before["three"] != after["three"] || before["two"] == after["two"] {
		t.Errorf("numbers were %v, are %v; only that of \"two\" should have changed", before, after)
	}
}
