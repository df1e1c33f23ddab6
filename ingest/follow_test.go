package ingest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest"
)

// following is a Follow that runs beside the test.
type following struct {
	*world
	events chan ingest.Event
	end    func() error
}

// follow begins to follow the world's folder, and returns when it waits for changes.
func (w *world) follow(req ingest.Request, watch ingest.Watch) *following {
	w.t.Helper()
	in, err := ingest.New(w.t.Context(), w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	if watch.Quiet == 0 {
		watch.Quiet = 30 * time.Millisecond
	}
	watch.Retry = 50 * time.Millisecond
	req.Collection, req.Paths = "c", []string{w.dir}
	ctx, cancel := context.WithCancel(w.t.Context())
	f := &following{world: w, events: make(chan ingest.Event, 10_000)}
	ended := make(chan error, 1)
	go func() { ended <- in.Follow(ctx, req, watch, func(e ingest.Event) { f.events <- e }) }()
	f.end = func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("it does not end")
		}
	}
	w.t.Cleanup(func() { cancel() })
	for {
		if _, ok := f.next().(ingest.Watching); ok {
			return f
		}
	}
}

func (f *following) next() ingest.Event {
	f.t.Helper()
	select {
	case e := <-f.events:
		return e
	case <-time.After(20 * time.Second):
		f.t.Fatal("nothing happens")
		return nil
	}
}

// until takes events until the documents that are stored are these, and returns what the runs did.
func (f *following) until(want ...string) (sum ingest.Documents) {
	f.t.Helper()
	for {
		if r, ok := f.next().(ingest.Report); ok {
			sum.New += r.Documents.New
			sum.Changed += r.Documents.Changed
			sum.Unchanged += r.Documents.Unchanged
			sum.Pruned += r.Documents.Pruned
			if got := f.names(); len(got) == len(want) && contains(got, want) {
				return sum
			}
		}
	}
}

// untilText takes events until a document has the text.
func (f *following) untilText(path, text string) {
	f.t.Helper()
	for {
		if _, ok := f.next().(ingest.Report); ok && strings.Contains(f.chunks(path)[0].Text, text) {
			return
		}
	}
}

func TestFollowTakesInWhatChanges(t *testing.T) {
	for name, watch := range map[string]ingest.Watch{"told": {}, "polling": {Poll: 40 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.txt", note)
			w.write("b.txt", "Another text.")
			f := w.follow(ingest.Request{Prune: true}, watch)
			w.wantNames("docs:a.txt", "docs:b.txt")

			w.write("c.txt", "A new text.")
			if sum := f.until("docs:a.txt", "docs:b.txt", "docs:c.txt"); sum.New != 1 {
				t.Errorf("the runs did %+v", sum)
			}
			w.write("hr/deep/d.txt", "In a new folder.")
			f.until("docs:a.txt", "docs:b.txt", "docs:c.txt", "docs:hr/deep/d.txt")
			w.write("hr/deep/e.txt", "In a folder that is known by now.")
			f.until("docs:a.txt", "docs:b.txt", "docs:c.txt", "docs:hr/deep/d.txt", "docs:hr/deep/e.txt")

			// An editor writes beside the file and renames.
			w.write(".a.txt.swp", "Edited text of it.")
			w.rename(".a.txt.swp", "a.txt")
			f.untilText("a.txt", "Edited text")

			w.remove("hr")
			w.remove("b.txt")
			f.until("docs:a.txt", "docs:c.txt")
			w.rename("c.txt", "moved.txt")
			f.until("docs:a.txt", "docs:moved.txt")

			// Metadata is a change of its document, rules are one of all.
			w.write("a.txt.meta.yaml", "title: Called so")
			for w.document("a.txt").Title != "Called so" {
				f.next()
			}
			w.write(".groundedignore", "moved*\n")
			f.until("docs:a.txt")
			if err := f.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFollowReadsOnlyWhatHasChanged(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.txt", "b.txt", "sub/c.txt"} {
		w.write(name, note)
	}
	f := w.follow(ingest.Request{}, ingest.Watch{})
	w.write("sub/c.txt", "A changed text.")
	f.untilText("sub/c.txt", "A changed text.")
	w.write("d.txt", note)
	if sum := f.until("docs:a.txt", "docs:b.txt", "docs:d.txt", "docs:sub/c.txt"); sum != (ingest.Documents{New: 1}) {
		t.Errorf("the runs did %+v", sum)
	}
	// Without Prune what is deleted stays.
	w.remove("a.txt")
	w.write("e.txt", note)
	f.until("docs:a.txt", "docs:b.txt", "docs:d.txt", "docs:e.txt", "docs:sub/c.txt")
	if err := f.end(); err != nil {
		t.Error(err)
	}
}

func TestFollowSurvivesAnEmbedderThatFails(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	var down atomic.Bool
	w.embedder.fail = func(context.Context, int) error {
		if down.Load() {
			return corpus.Errorf(corpus.ErrUnavailable, "the model does not answer")
		}
		return nil
	}
	f := w.follow(ingest.Request{}, ingest.Watch{})
	down.Store(true)
	w.write("b.txt", "Another text.")
	for {
		if e, ok := f.next().(ingest.Trouble); ok {
			if !strings.Contains(e.Reason, "does not answer") || e.Seconds <= 0 {
				t.Errorf("trouble is %+v", e)
			}
			break
		}
	}
	down.Store(false)
	f.until("docs:a.txt", "docs:b.txt")
	if err := f.end(); err != nil {
		t.Error(err)
	}
}

func TestFollowPrunesNothingWhenTheFolderGoesAway(t *testing.T) {
	for name, take := range map[string]func(w *world) func(){
		"renamed": func(w *world) func() {
			w.move(w.dir, w.dir+"-elsewhere")
			return func() { w.move(w.dir+"-elsewhere", w.dir) }
		},
		"emptied": func(w *world) func() {
			w.move(w.path("a.txt"), w.dir+"-a.txt")
			return func() { w.move(w.dir+"-a.txt", w.path("a.txt")) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.txt", note)
			f := w.follow(ingest.Request{Prune: true}, ingest.Watch{})
			back := take(w)
			for {
				if _, ok := f.next().(ingest.Trouble); ok {
					break
				}
			}
			w.wantNames("docs:a.txt")
			back()
			w.write("b.txt", note)
			f.until("docs:a.txt", "docs:b.txt")
			w.write("c.txt", note)
			f.until("docs:a.txt", "docs:b.txt", "docs:c.txt")
			if err := f.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func (w *world) move(from, to string) {
	w.t.Helper()
	if err := os.Rename(from, to); err != nil {
		w.t.Fatal(err)
	}
}

func TestOnlyFoldersCanBeFollowed(t *testing.T) {
	w := newWorld(t)
	in, err := ingest.New(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, req := range []ingest.Request{
		{Collection: "c", Paths: []string{"https://example.com/"}}, {Collection: "c", Paths: []string{"-"}}, {Collection: "c", Paths: []string{w.dir}, DryRun: true},
	} {
		if err := in.Follow(t.Context(), req, ingest.Watch{}, nil); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%q: error is %v", req.Paths, err)
		}
	}
}
