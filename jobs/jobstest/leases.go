package jobstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"grounded/corpus"
	"grounded/jobs"
)

func takeover(t *testing.T, p Place) {
	one, two := open(t, p, Options{Lease: 500 * time.Millisecond}), open(t, p, Options{Lease: 500 * time.Millisecond})
	j := submit(t, one, jobs.Job{}, "a.md", "text")
	dead := claim(t, one)
	next := claim(t, two)
	if next.Job.ID != j.ID || next.Job.Attempts != 2 || next.Token == dead.Token {
		t.Errorf("got %+v", next)
	}
	if got := content(t, two, next.Job, 0); string(got) != "text" {
		t.Errorf("its file has %q", got)
	}
	wantKind(t, one.Extend(t.Context(), dead, jobs.Progress{}, nil), corpus.ErrConflict)
	wantKind(t, one.Release(t.Context(), dead, jobs.Release{}), corpus.ErrConflict)
	wantKind(t, one.End(t.Context(), dead, jobs.Failed, "late"), corpus.ErrConflict)
	if err := two.End(t.Context(), next, jobs.Done, ""); err != nil {
		t.Fatal(err)
	}
	wantKind(t, two.End(t.Context(), next, jobs.Failed, "twice"), corpus.ErrConflict)
	if got := read(t, one, j.ID); got.Status != jobs.Done || got.Ended == nil || got.Error != "" {
		t.Errorf("got %+v", got)
	}
}

func extended(t *testing.T, p Place) {
	const lease = time.Second
	one, two := open(t, p, Options{Lease: lease}), open(t, p, Options{Lease: lease})
	submit(t, one, jobs.Job{}, "a.md", "text")
	l := claim(t, one)
	taken := make(chan string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		other, err := two.Claim(ctx, someone)
		if err == nil {
			taken <- other.Job.ID
		}
		close(taken)
	}()
	every := time.NewTicker(lease / 5)
	defer every.Stop()
	for range 15 {
		<-every.C
		if err := one.Extend(t.Context(), l, jobs.Progress{}, nil); err != nil {
			t.Errorf("extend: %v", err)
		}
	}
	cancel()
	if id, ok := <-taken; ok {
		t.Errorf("job %s was taken over from one that lives", id)
	}
}

func progress(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	j := submit(t, one, jobs.Job{}, "a.md", "text", "b.md", "text")
	seen := make(chan jobs.Job, 100)
	watched := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	go func() {
		watched <- two.Watch(ctx, j.ID, func(j jobs.Job) error { seen <- j; return nil })
		close(seen)
	}()
	await := func(what string, is func(jobs.Job) bool) {
		t.Helper()
		for j := range seen {
			if is(j) {
				return
			}
		}
		t.Fatalf("the watcher never saw that %s", what)
	}
	await("it is queued", func(j jobs.Job) bool { return j.Status == jobs.Queued })
	l := claim(t, one)
	await("it runs", func(j jobs.Job) bool { return j.Status == jobs.Running && j.Started != nil })
	outcome := jobs.Outcome{Outcome: "quarantined", Code: "encrypted", Reason: "It needs a password.", Pages: 2, Warnings: []string{"w"}}
	if err := one.Extend(t.Context(), l, jobs.Progress{Done: 1, Total: 2, Pages: 2}, map[int]jobs.Outcome{1: outcome}); err != nil {
		t.Fatal(err)
	}
	await("there is progress", func(j jobs.Job) bool { return j.Progress == jobs.Progress{Done: 1, Total: 2, Pages: 2} })
	got := read(t, two, j.ID)
	if o := got.Files[1].Outcome; o.Outcome != "quarantined" || o.Reason != outcome.Reason || o.Pages != 2 || !slices.Equal(o.Warnings, outcome.Warnings) || got.Files[0].Outcome.Outcome != "" {
		t.Errorf("got files %+v", got.Files)
	}
	if err := one.End(t.Context(), l, jobs.Failed, "1 of 2 files could not be read"); err != nil {
		t.Fatal(err)
	}
	await("it has ended", func(j jobs.Job) bool {
		return j.Status == jobs.Failed && j.Ended != nil && strings.HasPrefix(j.Error, "1 of 2") && j.Progress.Done == 1
	})
	if err := <-watched; err != nil {
		t.Errorf("watch: %v", err)
	}
	wantKind(t, two.Watch(ctx, "none", func(jobs.Job) error { return nil }), corpus.ErrNotFound)
}

func cancel(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	queued := submit(t, one, jobs.Job{}, "a.md", "text")
	j, err := two.Cancel(t.Context(), queued.ID)
	if err != nil || j.Status != jobs.Cancelled || j.Ended == nil {
		t.Fatalf("cancel a queued job: %+v, %v", j, err)
	}
	wantNone(t, one)
	_, err = two.Cancel(t.Context(), queued.ID)
	wantKind(t, err, corpus.ErrConflict)
	_, err = two.Cancel(t.Context(), "none")
	wantKind(t, err, corpus.ErrNotFound)

	running := submit(t, one, jobs.Job{}, "a.md", "text")
	l := claim(t, one)
	told := make(chan error, 1)
	stop := errors.New("stop")
	go func() {
		told <- one.Watch(t.Context(), running.ID, func(j jobs.Job) error {
			if j.Cancelling {
				return stop
			}
			return nil
		})
	}()
	if j, err := two.Cancel(t.Context(), running.ID); err != nil || j.Status != jobs.Running || !j.Cancelling {
		t.Fatalf("cancel a running job: %+v, %v", j, err)
	}
	wantKind(t, <-told, stop)
	if err := one.Extend(t.Context(), l, jobs.Progress{}, nil); err != nil {
		t.Errorf("extend the lease of a job that is to be cancelled: %v", err)
	}
	if err := one.Release(t.Context(), l, jobs.Release{Parked: true}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, two, running.ID); got.Status != jobs.Cancelled || got.Cancelling || got.Ended == nil {
		t.Errorf("a cancelled job that was given back: %+v", got)
	}
	wantNone(t, one)
}

func release(t *testing.T, p Place) {
	q := open(t, p, Options{})
	j := submit(t, q, jobs.Job{}, "a.md", "text")
	l := claim(t, q)
	if err := q.Release(t.Context(), l, jobs.Release{After: 800 * time.Millisecond, Reason: "the model does not answer"}); err != nil {
		t.Fatal(err)
	}
	released := time.Now()
	if got := read(t, q, j.ID); got.Status != jobs.Queued || got.Error != "the model does not answer" || got.Attempts != 1 {
		t.Errorf("got %+v", got)
	}
	l = claim(t, q)
	if waited := time.Since(released); waited < 700*time.Millisecond {
		t.Errorf("it was tried again after %s", waited)
	}
	if l.Job.Attempts != 2 {
		t.Errorf("it is attempt %d, want 2", l.Job.Attempts)
	}
	if err := q.Release(t.Context(), l, jobs.Release{Parked: true}); err != nil {
		t.Fatal(err)
	}
	if l = claim(t, q); l.Job.Attempts != 2 {
		t.Errorf("a parked attempt counts: %d", l.Job.Attempts)
	}
}

func kinds(t *testing.T, p Place) {
	q := open(t, p, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	j := submit(t, q, jobs.Job{}, "a.md", "text")
	for _, kinds := range [][]string{nil, {"evaluate"}} {
		if l, err := q.Claim(ctx, jobs.Claimant{Kinds: kinds}); err == nil {
			t.Errorf("a job of kind %s was claimed by one who can %q", l.Job.Kind, kinds)
		}
	}
	if l, err := q.Claim(t.Context(), jobs.Claimant{Kinds: []string{"evaluate", jobs.KindIngest}}); err != nil || l.Job.ID != j.ID {
		t.Errorf("got %+v, %v", l, err)
	}
}

func claimEnds(t *testing.T, p Place) {
	q := open(t, p, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := q.Claim(ctx, someone)
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		wantKind(t, err, context.Canceled)
	case <-time.After(within):
		t.Error("it never did")
	}
}

func list(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	other, err := one.Submit(t.Context(), jobs.Job{ID: uuid.NewString(), Storage: uuid.NewString(), Kind: "other", Collection: "c", Owner: "third", Spec: []byte("{}"), Status: jobs.Queued})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{other.ID} // the newest first
	for i := range 7 {
		j := submit(t, one, jobs.Job{Owner: []string{"odd", "even"}[i%2], Collection: []string{"a", "a", "b"}[i%3]}, fmt.Sprintf("%d.md", i), "text")
		ids = append([]string{j.ID}, ids...)
	}
	l := claim(t, one)
	if err := one.End(t.Context(), l, jobs.Done, ""); err != nil {
		t.Fatal(err)
	}
	read(t, two, l.Job.ID)
	page := func(q jobs.Query) (all []string) {
		t.Helper()
		for {
			page, next, err := two.Jobs(t.Context(), q)
			if err != nil || len(page) > q.Limit {
				t.Fatalf("got %d jobs, %v", len(page), err)
			}
			for _, j := range page {
				if j.Files != nil {
					t.Error("a list has files")
				}
				all = append(all, j.ID)
			}
			if q.Cursor = next; next == "" {
				return all
			}
		}
	}
	// A replica may learn of a job a moment later.
	for deadline := time.Now().Add(within); len(page(jobs.Query{Limit: 100})) < 8 || len(page(jobs.Query{Status: jobs.Done, Limit: 100})) < 1; {
		if time.Now().After(deadline) {
			t.Fatal("a replica never learned of all jobs")
		}
	}
	for _, c := range []struct {
		query jobs.Query
		want  []string
	}{
		{jobs.Query{Limit: 3}, ids},
		{jobs.Query{Limit: 8}, ids},
		{jobs.Query{Limit: 2, Owner: "odd"}, []string{ids[0], ids[2], ids[4], ids[6]}},
		{jobs.Query{Limit: 2, Collection: "b"}, []string{ids[1], ids[4]}},
		{jobs.Query{Limit: 2, Status: jobs.Done}, []string{ids[6]}},
		{jobs.Query{Limit: 2, Status: jobs.Queued, Owner: "odd"}, []string{ids[0], ids[2], ids[4]}},
		{jobs.Query{Limit: 2, Owner: "nobody"}, nil},
		{jobs.Query{Limit: 2, Kinds: []string{jobs.KindIngest}}, ids[:7]},
		{jobs.Query{Limit: 2, Kinds: []string{"other", jobs.KindIngest}, Owner: "odd"}, []string{ids[0], ids[2], ids[4], ids[6]}},
		{jobs.Query{Limit: 2, Kinds: []string{"other"}}, []string{other.ID}},
	} {
		if got := page(c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.query, got, c.want)
		}
	}
	for _, q := range []jobs.Query{{Limit: -1}, {Limit: 1001}, {Cursor: "x"}} {
		_, _, err := two.Jobs(t.Context(), q)
		wantKind(t, err, corpus.ErrInvalid)
	}
}

func sweep(t *testing.T, p Place) {
	keep := open(t, p, Options{})
	ended, queued := submit(t, keep, jobs.Job{}, "a.md", "text"), submit(t, keep, jobs.Job{}, "b.md", "text")
	if err := keep.End(t.Context(), claim(t, keep), jobs.Done, ""); err != nil {
		t.Fatal(err)
	}
	if err := keep.Place(t.Context(), ended, 0, t.TempDir()+"/x"); err == nil {
		t.Error("the content of a job that has ended is still there")
	}
	abandoned := begin(t, keep, jobs.Job{})
	if _, err := abandoned.Add(t.Context(), "c.md", nil, strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	if err := keep.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	read(t, keep, ended.ID)
	forget := open(t, p, Options{Retention: time.Millisecond, Abandoned: time.Millisecond})
	deadline := time.Now().Add(within)
	for {
		if err := forget.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := forget.Job(t.Context(), ended.ID); errors.Is(err, corpus.ErrNotFound) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a job that ended long ago is still there")
		}
	}
	if got := content(t, keep, read(t, keep, queued.ID), 0); string(got) != "text" {
		t.Errorf("got %q", got)
	}
	if _, err := abandoned.Submit(t.Context()); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("a job without its files was taken: %v", err)
	}
}

func restart(t *testing.T, p Place) {
	before := p.Open(t, Options{Lease: 2 * time.Second})
	done, running, queued := submit(t, before, jobs.Job{}, "a.md", "a"), submit(t, before, jobs.Job{}, "b.md", "b"), submit(t, before, jobs.Job{}, "c.md", "c")
	if err := before.End(t.Context(), claim(t, before), jobs.Done, ""); err != nil {
		t.Fatal(err)
	}
	if err := before.Extend(t.Context(), claim(t, before), jobs.Progress{Done: 1, Total: 1}, map[int]jobs.Outcome{0: {Outcome: "new"}}); err != nil {
		t.Fatal(err)
	}
	stays := open(t, p, Options{Lease: 2 * time.Second})
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	p.Restart(t)
	after := open(t, p, Options{Lease: 2 * time.Second})
	for _, q := range []jobs.Queue{after, stays} {
		for id, want := range map[string]jobs.Status{done.ID: jobs.Done, running.ID: jobs.Running, queued.ID: jobs.Queued} {
			if got := read(t, q, id); got.Status != want {
				t.Errorf("got %+v, want one that is %s", got, want)
			}
		}
	}
	var claimed []string
	for range 2 {
		l := claim(t, stays)
		claimed = append(claimed, l.Job.ID)
		if got, want := string(content(t, stays, l.Job, 0)), map[string]string{running.ID: "b", queued.ID: "c"}[l.Job.ID]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if err := stays.End(t.Context(), l, jobs.Done, ""); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Contains(claimed, running.ID) || !slices.Contains(claimed, queued.ID) {
		t.Errorf("claimed %q", claimed)
	}
	if got := read(t, after, running.ID); got.Files[0].Outcome.Outcome != "new" || got.Attempts != 2 {
		t.Errorf("got %+v", got)
	}
	fresh, begun := submit(t, after, jobs.Job{}, "d.md", "d"), time.Now()
	if l := claim(t, stays); l.Job.ID != fresh.ID || time.Since(begun) > 5*time.Second {
		t.Errorf("after %s got %+v", time.Since(begun), l.Job)
	}
}
