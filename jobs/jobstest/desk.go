package jobstest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/store"
)

// desk is a library with a queue for it.
type desk struct {
	*library
	t     testing.TB
	queue jobs.Queue
}

func newDesk(t testing.TB, p Place) *desk {
	t.Helper()
	l, err := openLibrary(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
	return &desk{l, t, open(t, p, Options{Lease: shortLease})}
}

// work has a worker work until stop is called.
func (d *desk) work() (stop func()) {
	d.t.Helper()
	w, err := d.worker(d.queue, "test")
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { w.Run(ctx) })
	stop = func() {
		cancel()
		ended.Wait()
	}
	d.t.Cleanup(stop)
	return stop
}

// await waits until a job has ended.
func (d *desk) await(id string) jobs.Job {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 2*time.Minute)
	defer cancel()
	if err := d.queue.Watch(ctx, id, func(jobs.Job) error { return nil }); err != nil {
		d.t.Fatalf("wait for job: %v; it is %+v", err, read(d.t, d.queue, id))
	}
	return read(d.t, d.queue, id)
}

// texts are those of the documents, by path, as access sees them.
func (d *desk) texts(access corpus.Access) map[string]string {
	d.t.Helper()
	scope := corpus.Scope{Collection: "c", Access: access}
	docs, _, err := d.store.Documents(d.t.Context(), store.DocumentQuery{Scope: scope, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	texts := map[string]string{}
	for _, doc := range docs {
		if _, twice := texts[doc.Path]; twice || doc.Source != "uploads" {
			d.t.Errorf("document %s of source %s is double, or of no upload", doc.Path, doc.Source)
		}
		chunks, err := d.store.DocumentChunks(d.t.Context(), scope, doc.ID, 0, -1)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, c := range chunks {
			texts[doc.Path] += c.Text + "\n"
		}
	}
	return texts
}

func outcomes(j jobs.Job) (list []string) {
	for _, f := range j.Files {
		list = append(list, f.Name+" "+f.Outcome.Outcome)
	}
	return list
}

// article is a text of a few chunks.
func article(subject string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", subject)
	for i := range 3 {
		fmt.Fprintf(&b, "\n## Part %d\n\n%s", i, strings.Repeat(fmt.Sprintf("A sentence of part %d tells employees something about %s. ", i, subject), 4))
	}
	return b.String()
}

func articles(n int, subject string) (files []string) {
	for i := range n {
		files = append(files, fmt.Sprintf("%02d.md", i), article(fmt.Sprintf("%s %d", subject, i)))
	}
	return files
}

// awaitProgress waits until files of a running job are done.
func (d *desk) awaitProgress(id string, files int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	reached := fmt.Errorf("reached")
	err := d.queue.Watch(ctx, id, func(j jobs.Job) error {
		if j.Progress.Done >= files {
			return reached
		}
		return nil
	})
	if err != reached {
		d.t.Fatalf("job %s has never done %d files: %v; it is %+v", id, files, err, read(d.t, d.queue, id))
	}
}
