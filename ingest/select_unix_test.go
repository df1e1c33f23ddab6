//go:build unix

package ingest_test

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
)

func TestThingsThatAreNoFilesAreSkipped(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("sub/b.txt", note)
	w.link("..", "sub/up")
	w.link(w.dir, "self.txt")
	if err := syscall.Mkfifo(w.path("pipe.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(w.dir, "s.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{New: 2, Skipped: 4})
	w.wantCounts(w.ingest(ingest.Request{Paths: []string{w.dir, w.dir, w.dir + "/", w.path("sub")}}), ingest.Documents{Unchanged: 2, Skipped: 4})
	if _, err := w.try(t.Context(), ingest.Request{Paths: []string{w.path("pipe.txt")}}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("error is %v", err)
	}
}
