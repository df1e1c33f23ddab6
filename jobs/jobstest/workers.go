package jobstest

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/jobs"
)

// RunWorkers runs the suite of workers that ingest from a queue; each test gets a place of its own.
func RunWorkers(t *testing.T, place func(t testing.TB) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"uploads become documents, and replace them":            uploads,
		"what can't be read fails the job, and all else is in":  unreadable,
		"documents that the owner may not see are not replaced": foreign,
		"killed workers lose nothing, and nothing is double":    killed,
		"two workers share the jobs":                            shared,
		"a running job is cancelled":                            cancelRunning,
		"a worker that ends parks its job":                      parked,
		"a job is tried again when a model does not answer":     again,
		"a job that can't succeed fails":                        hopeless,
		"the newest upload of a document stays":                 newest,
		"jobs whose workers went away too often fail":           poison,
		"a job of many files names each":                        many,
		"an interrupted worker process ends, and loses no job":  interrupted,
	} {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

var everyone = corpus.Access{Unrestricted: true}

func uploads(t *testing.T, p Place) {
	d := newDesk(t, p)
	d.work()
	s := begin(t, d.queue, jobs.Job{Access: everyone})
	for name, groups := range map[string][]string{"open.md": nil, "secret.md": {"board"}} {
		metadata := map[string]any{"title": "Title of " + name}
		if groups != nil {
			metadata["groups"] = groups
		}
		if _, err := s.Add(t.Context(), name, metadata, strings.NewReader("A first text about "+name+".")); err != nil {
			t.Fatal(err)
		}
	}
	first, err := s.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	j := d.await(first.ID)
	if j.Status != jobs.Done || j.Progress.Done != 2 || j.Progress.Chunks != 2 || j.Attempts != 1 {
		t.Errorf("got %+v", j)
	}
	got := d.texts(corpus.Access{})
	if len(got) != 1 || !strings.Contains(got["open.md"], "A first text") {
		t.Errorf("those without a group see %q", got)
	}
	if got := d.texts(corpus.Access{Groups: []string{"board"}}); len(got) != 2 {
		t.Errorf("the board sees %q", got)
	}
	doc, err := d.store.Document(t.Context(), corpus.Scope{Collection: "c", Access: everyone}, j.Files[0].ID)
	if err != nil || doc.Title != "Title of "+doc.Path || doc.URI != doc.Path {
		t.Errorf("got %+v, %v", doc, err)
	}

	j = d.await(submit(t, d.queue, jobs.Job{Access: everyone}, "open.md", "A second text.", "new.md", "Another text.").ID)
	if want := []string{"open.md changed", "new.md new"}; !slices.Equal(outcomes(j), want) {
		t.Errorf("got %q, want %q", outcomes(j), want)
	}
	j = d.await(submit(t, d.queue, jobs.Job{Access: everyone}, "open.md", "A second text.").ID)
	if want := []string{"open.md unchanged"}; !slices.Equal(outcomes(j), want) || j.Status != jobs.Done {
		t.Errorf("got %q, want %q", outcomes(j), want)
	}
	if got := d.texts(everyone); len(got) != 3 || strings.Contains(got["open.md"], "first") || !strings.Contains(got["open.md"], "second") {
		t.Errorf("got %q", got)
	}
}

func unreadable(t *testing.T, p Place) {
	d := newDesk(t, p)
	d.work()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, text := range map[string]string{"fine.txt": "Text in an archive.", "broken.pdf": "%PDF-1.7 that ends here"} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	j := d.await(submit(t, d.queue, jobs.Job{}, "good.md", "A text.", "broken.pdf", "%PDF-1.7 that ends here", "a.zip", archive.String(), "program", "\x7fELF\x02\x01\x01\x00").ID)
	if j.Status != jobs.Failed || !strings.Contains(j.Error, "2 of 4 files") || !strings.Contains(j.Error, "1 documents inside") || j.Progress.Done != 4 {
		t.Errorf("got %+v", j)
	}
	if want := []string{"good.md new", "broken.pdf quarantined", "a.zip new", "program quarantined"}; !slices.Equal(outcomes(j), want) {
		t.Errorf("got %q, want %q", outcomes(j), want)
	}
	if f := j.Files[1]; f.Code == "" || f.Reason == "" {
		t.Errorf("got %+v", f)
	}
	if f := j.Files[2]; f.Unread != 1 || !strings.Contains(strings.Join(f.Warnings, " "), "broken.pdf") {
		t.Errorf("got %+v", f)
	}
	got := d.texts(everyone)
	if !strings.Contains(got["good.md"], "A text.") || !strings.Contains(got["a.zip!/fine.txt"], "in an archive") {
		t.Errorf("got %q", got)
	}
}

func foreign(t *testing.T, p Place) {
	d := newDesk(t, p)
	d.work()
	s := begin(t, d.queue, jobs.Job{Access: everyone})
	if _, err := s.Add(t.Context(), "plan.md", map[string]any{"groups": []string{"board"}}, strings.NewReader("The board's plan.")); err != nil {
		t.Fatal(err)
	}
	j, err := s.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.await(j.ID)
	j = d.await(submit(t, d.queue, jobs.Job{Access: corpus.Access{Groups: []string{"staff"}}}, "plan.md", "Nothing.", "own.md", "Their own.").ID)
	if want := []string{"plan.md failed", "own.md new"}; !slices.Equal(outcomes(j), want) || j.Status != jobs.Failed {
		t.Errorf("got %q, %+v", outcomes(j), j)
	}
	if strings.Contains(fmt.Sprintf("%+v", j), "board") {
		t.Errorf("the job tells what its owner may not see: %+v", j)
	}
	if got := d.texts(everyone); !strings.Contains(got["plan.md"], "The board's plan.") {
		t.Errorf("got %q", got)
	}
	j = d.await(submit(t, d.queue, jobs.Job{Access: corpus.Access{Groups: []string{"board"}}}, "plan.md", "A new plan.").ID)
	if want := []string{"plan.md changed"}; !slices.Equal(outcomes(j), want) {
		t.Errorf("got %q", outcomes(j))
	}
}

func killed(t *testing.T, p Place) {
	d := newDesk(t, p)
	const files = 80
	id := submit(t, d.queue, jobs.Job{}, articles(files, "subject")...).ID
	for range 3 {
		worker := process(t, p, d.folder)
		d.awaitProgress(id, read(t, d.queue, id).Progress.Done+1)
		if err := worker.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = worker.Wait()
	}
	if j := read(t, d.queue, id); j.Status.Ended() {
		t.Fatalf("the job has ended before the last worker was killed: %+v", j)
	}
	worker := process(t, p, d.folder)
	j := d.await(id)
	if j.Status != jobs.Done || j.Progress.Done != files || j.Attempts != 4 {
		t.Errorf("got %+v", j)
	}
	for i, o := range outcomes(j) {
		if want := fmt.Sprintf("%02d.md ", i); !slices.Contains([]string{want + "new", want + "unchanged"}, o) {
			t.Errorf("got %q", o)
		}
	}
	interrupt(t, worker)
	got := d.texts(everyone)
	if len(got) != files {
		t.Errorf("there are %d documents", len(got))
	}
	for i := range files {
		name, subject := fmt.Sprintf("%02d.md", i), fmt.Sprintf("subject %d. ", i)
		if n := strings.Count(got[name]+" ", strings.TrimSpace(subject)); n < 12 {
			t.Errorf("%s has %d sentences of 12", name, n)
		}
	}
	if c, err := d.store.Collection(t.Context(), "c"); err != nil || c.Documents != files {
		t.Errorf("got %+v, %v", c, err)
	}
}

func interrupted(t *testing.T, p Place) {
	d := newDesk(t, p)
	id := submit(t, d.queue, jobs.Job{}, articles(20, "subject")...).ID
	worker := process(t, p, d.folder)
	d.awaitProgress(id, 1)
	interrupt(t, worker)
	j := read(t, d.queue, id)
	if j.Status != jobs.Queued || j.Attempts != 0 || j.Progress.Done == 0 || j.Progress.Done == 20 {
		t.Errorf("got %+v", j)
	}
	d.work()
	if j := d.await(id); j.Status != jobs.Done || len(d.texts(everyone)) != 20 {
		t.Errorf("got %+v, and %d documents", j, len(d.texts(everyone)))
	}
}

func shared(t *testing.T, p Place) {
	one, two := newDesk(t, p), newDesk(t, p)
	two.store = one.store // as two machines with one server
	one.embed = func(ctx context.Context) error { return wait(ctx, 20*time.Millisecond) }
	two.embed = one.embed
	var ids []string
	for i := range 12 {
		ids = append(ids, submit(t, one.queue, jobs.Job{}, fmt.Sprintf("%d.md", i), article(fmt.Sprintf("subject %d", i))).ID)
	}
	stop, stopToo := one.work(), two.work()
	for _, id := range ids {
		if j := one.await(id); j.Status != jobs.Done || j.Attempts != 1 {
			t.Errorf("got %+v", j)
		}
	}
	stop()
	stopToo()
	if a, b := one.begun.Load(), two.begun.Load(); a+b != 12 || a == 0 || b == 0 {
		t.Errorf("one did %d jobs, the other %d", a, b)
	}
	if got := one.texts(everyone); len(got) != 12 {
		t.Errorf("there are %d documents", len(got))
	}
}

func cancelRunning(t *testing.T, p Place) {
	d := newDesk(t, p)
	working, hang := make(chan struct{}, 100), atomic.Bool{}
	hang.Store(true)
	d.embed = func(ctx context.Context) error {
		if !hang.Load() {
			return nil
		}
		working <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	id := submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	next := submit(t, d.queue, jobs.Job{}, "b.md", "Another text.").ID
	d.work()
	<-working
	hang.Store(false)
	elsewhere := open(t, p, Options{Lease: shortLease})
	cancelled := time.Now()
	if _, err := elsewhere.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := d.await(id); j.Status != jobs.Cancelled || j.Ended == nil {
		t.Errorf("got %+v", j)
	}
	if took := time.Since(cancelled); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if j := d.await(next); j.Status != jobs.Done {
		t.Errorf("the next job is %+v", j)
	}
}

func parked(t *testing.T, p Place) {
	d := newDesk(t, p)
	working := make(chan struct{}, 100)
	d.embed = func(ctx context.Context) error {
		working <- struct{}{}
		return wait(ctx, time.Hour)
	}
	id := submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	stop := d.work()
	<-working
	stop()
	if j := read(t, d.queue, id); j.Status != jobs.Queued || j.Attempts != 0 || j.Error != "" {
		t.Errorf("got %+v", j)
	}
	d.embed = nil
	d.work()
	if j := d.await(id); j.Status != jobs.Done || j.Attempts != 1 {
		t.Errorf("got %+v", j)
	}
}

func again(t *testing.T, p Place) {
	d := newDesk(t, p)
	var calls atomic.Int64
	d.embed = func(context.Context) error {
		if calls.Add(1) <= 2 {
			return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the model does not answer"), "start it")
		}
		return nil
	}
	id := submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	d.work()
	if j := d.await(id); j.Status != jobs.Done || j.Attempts != 3 || j.Error != "" {
		t.Errorf("got %+v", j)
	}
}

func hopeless(t *testing.T, p Place) {
	d := newDesk(t, p)
	d.embed = func(context.Context) error { return corpus.Errorf(corpus.ErrForbidden, "the key is wrong") }
	id := submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	d.work()
	if j := d.await(id); j.Status != jobs.Failed || j.Attempts != 1 || !strings.Contains(j.Error, "the key is wrong") {
		t.Errorf("got %+v", j)
	}
	d.embed = func(context.Context) error { return corpus.Errorf(corpus.ErrUnavailable, "the model does not answer") }
	id = submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	if j := d.await(id); j.Status != jobs.Failed || j.Attempts != 5 || !strings.Contains(j.Error, "does not answer") {
		t.Errorf("got %+v", j)
	}
}

func newest(t *testing.T, p Place) {
	one, two := newDesk(t, p), newDesk(t, p)
	two.store = one.store
	one.embed = func(ctx context.Context) error { return wait(ctx, 10*time.Millisecond) }
	var last jobs.Job
	for i := range 10 {
		last = submit(t, one.queue, jobs.Job{}, "a.md", strings.Repeat(fmt.Sprintf("This is version %d. ", i), 100-10*i))
	}
	one.work()
	two.work()
	if j := one.await(last.ID); j.Status != jobs.Done {
		t.Errorf("got %+v", j)
	}
	if got := one.texts(everyone)["a.md"]; !strings.Contains(got, "version 9") || strings.Contains(got, "version 8") {
		t.Errorf("got %q", got)
	}
}

func poison(t *testing.T, p Place) {
	d := newDesk(t, p)
	id := submit(t, d.queue, jobs.Job{}, "a.md", "A text.").ID
	quick := open(t, p, Options{Lease: 10 * time.Millisecond})
	for range 5 {
		claim(t, quick) // and is never heard of again
	}
	d.work()
	if j := d.await(id); j.Status != jobs.Failed || !strings.Contains(j.Error, "5 times") {
		t.Errorf("got %+v", j)
	}
}

func many(t *testing.T, p Place) {
	d := newDesk(t, p)
	d.work()
	n := 300
	if testing.Short() {
		n = 30
	}
	var files []string
	for i := range n {
		files = append(files, fmt.Sprintf("%d.md", i), fmt.Sprintf("Text %d.", i))
	}
	j := d.await(submit(t, d.queue, jobs.Job{}, files...).ID)
	if j.Status != jobs.Done || j.Progress.Done != n || len(d.texts(everyone)) != n {
		t.Errorf("got %s, %+v, and %d documents", j.Status, j.Progress, len(d.texts(everyone)))
	}
	for _, f := range j.Files {
		if f.Outcome.Outcome != "new" || f.Chunks != 1 {
			t.Fatalf("got %+v", f)
		}
	}
}
