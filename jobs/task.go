package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"grounded/corpus"
)

// Handler does a job. It returns nil when all of it was done. After an error of kind corpus.ErrUnavailable,
// corpus.ErrLimit or corpus.ErrFull, or of none, the job is tried again; after others it has failed. When ctx ends it
// leaves the work in a state from which the next attempt goes on.
type Handler func(ctx context.Context, t *Task) error

// Task is a job while it is worked on. It is safe for concurrent use.
type Task struct {
	Job Job // as it was claimed

	queue Queue
	lease Lease

	mu       sync.Mutex
	outcomes map[int]Outcome // not kept yet
	progress Progress
	counted  map[int]Outcome // by file, as progress has them
	changed  bool
}

func newTask(q Queue, l Lease) *Task {
	t := &Task{Job: l.Job, queue: q, lease: l, outcomes: map[int]Outcome{}, counted: map[int]Outcome{}}
	if l.Job.Kind != KindIngest {
		t.progress = l.Job.Progress
		return t
	}
	t.progress.Total = len(l.Job.Files)
	for i, f := range l.Job.Files {
		t.count(i, f.Outcome)
	}
	return t
}

// Record tells what has become of a file so far.
func (t *Task) Record(index int, o Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcomes[index] = o
	t.count(index, o)
	t.changed = true
}

// Advance tells how far the job is, where that is not told by the outcomes of its files.
func (t *Task) Advance(p Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress, t.changed = p, true
}

// count takes an outcome into the progress.
func (t *Task) count(index int, o Outcome) {
	before := t.counted[index]
	t.counted[index] = o
	if before.Outcome == "" && o.Outcome != "" {
		t.progress.Done++
	}
	t.progress.Pages += o.Pages - before.Pages
	t.progress.Chunks += o.Chunks - before.Chunks
}

// Place makes the content of a file a new file at path.
func (t *Task) Place(ctx context.Context, index int, path string) error {
	return t.queue.Place(ctx, t.Job, index, path)
}

// keepInterval is how often news is kept.
const keepInterval = time.Second

// keep extends the lease until stop is closed, and then for the last time. It calls lost when it can't.
func (t *Task) keep(ctx context.Context, stop <-chan struct{}, lost func(error)) {
	every := time.NewTicker(min(keepInterval, t.lease.Time/4))
	defer every.Stop()
	extended := time.Now()
	for {
		ending := false
		select {
		case <-every.C:
		case <-stop:
			ending = true
		}
		if !t.hasNews() && time.Since(extended) < t.lease.Time/3 {
			if ending {
				return
			}
			continue
		}
		begun := time.Now()
		err := t.extend(ctx)
		switch {
		case err == nil:
			extended = begun
		case errors.Is(err, corpus.ErrConflict) || time.Since(extended) > t.lease.Time:
			lost(err)
			return
		}
		if ending && err == nil {
			return
		}
		if ending {
			<-every.C // it is tried until the lease is lost
		}
	}
}

func (t *Task) hasNews() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

func (t *Task) extend(ctx context.Context) error {
	t.mu.Lock()
	outcomes, progress := t.outcomes, t.progress
	t.outcomes, t.changed = map[int]Outcome{}, false
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, t.lease.Time)
	defer cancel()
	err := t.queue.Extend(ctx, t.lease, progress, outcomes)
	if err != nil {
		t.mu.Lock()
		for i, o := range outcomes {
			if _, newer := t.outcomes[i]; !newer {
				t.outcomes[i] = o
			}
		}
		t.changed = true
		t.mu.Unlock()
	}
	return err
}
