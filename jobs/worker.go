package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"grounded/corpus"
)

// WorkerConfig says what a worker does. Queue and Handlers must be set.
type WorkerConfig struct {
	Queue    Queue
	Handlers map[string]Handler // by kind of job
	Name     string             // for people
	Parallel int                // jobs at once; default 1
	Attempts int                // after which a job has failed; default 10
	Retry    time.Duration      // wait after an attempt that failed, doubled each time up to 5 minutes; default 5 seconds
	// Sweep is called from time to time, after the queue's own; nil is nothing.
	Sweep func(context.Context) error
	// Ended is told of each job that ended here, also at once with others; nil is nobody.
	Ended func(j Job, s Status)
	// Log is told what a person should know; nil is nobody.
	Log *slog.Logger
}

// Worker does the jobs of a queue.
type Worker struct{ WorkerConfig }

// NewWorker checks the configuration.
func NewWorker(c WorkerConfig) (*Worker, error) {
	if c.Parallel < 0 || c.Attempts < 0 || c.Retry < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "start worker: a number or length of time is negative")
	}
	if c.Parallel == 0 {
		c.Parallel = 1
	}
	if c.Attempts == 0 {
		c.Attempts = 10
	}
	if c.Retry == 0 {
		c.Retry = 5 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{c}, nil
}

const (
	sweepEvery   = 5 * time.Minute
	longestRetry = 5 * time.Minute
	// closing is how long giving back or ending a job may take.
	closing = 30 * time.Second
)

// Causes for which work on a job ends.
var (
	errLost      = errors.New("the lease was lost")
	errCancelled = errors.New("it was cancelled")
)

// Run works until ctx ends. The jobs in hand are parked then: what they have done stays, and they go on wherever a
// worker is free.
func (w *Worker) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range w.Parallel {
		all.Go(func() { w.work(ctx) })
	}
	all.Go(func() { w.sweep(ctx) })
	all.Wait()
}

func (w *Worker) sweep(ctx context.Context) {
	for {
		err := w.Queue.Sweep(ctx)
		if err == nil && w.Sweep != nil {
			err = w.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("old jobs could not be forgotten", "error", withHint(err))
		}
		if pause(ctx, sweepEvery) != nil {
			return
		}
	}
}

func (w *Worker) work(ctx context.Context) {
	claimant := Claimant{w.Name, slices.Sorted(maps.Keys(w.Handlers))}
	wait := time.Duration(0)
	for ctx.Err() == nil {
		lease, err := w.Queue.Claim(ctx, claimant)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				w.close(ctx, lease, Release{Parked: true})
			}
			return
		case err != nil:
			wait = min(max(2*wait, time.Second), 30*time.Second)
			w.Log.Warn("no job can be had", "error", withHint(err), "again_in", wait)
			_ = pause(ctx, wait)
		default:
			wait = 0
			w.do(ctx, lease)
		}
	}
}

// do works on a job until it ends, is given back, or the lease is lost.
func (w *Worker) do(ctx context.Context, l Lease) {
	log := w.Log.With("job", l.Job.ID, "collection", l.Job.Collection, "attempt", l.Job.Attempts)
	switch {
	case l.Job.Cancelling:
		w.end(ctx, log, l, Cancelled, "")
		return
	case l.Job.Attempts > w.Attempts:
		reason := fmt.Sprintf("it was begun %d times, and each time whoever worked on it went away", w.Attempts)
		if l.Job.Error != "" {
			reason += "; before that: " + l.Job.Error
		}
		w.end(ctx, log, l, Failed, reason)
		return
	}
	log.Info("job begun", "files", len(l.Job.Files))
	task := newTask(w.Queue, l)
	err, cause := w.run(ctx, task)
	switch {
	case errors.Is(cause, errLost):
		log.Warn("job lost: another worker goes on with it", "error", withHint(cause))
	case err == nil:
		w.end(ctx, log, l, Done, "")
	case errors.Is(cause, errCancelled):
		w.end(ctx, log, l, Cancelled, "")
	case ctx.Err() != nil:
		log.Info("job parked")
		w.close(ctx, l, Release{Parked: true})
	case isTransient(err) && l.Job.Attempts < w.Attempts:
		after := min(w.Retry<<min(l.Job.Attempts-1, 10), longestRetry)
		log.Warn("job is tried again", "error", withHint(err), "again_in", after)
		w.close(ctx, l, Release{After: after, Reason: withHint(err)})
	default:
		w.end(ctx, log, l, Failed, withHint(err))
	}
}

// run has the handler work, and keeps the lease meanwhile. cause says why the work was ended, if it was.
func (w *Worker) run(ctx context.Context, t *Task) (err, cause error) {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		t.keep(context.WithoutCancel(ctx), ended, func(err error) { cancel(fmt.Errorf("%w: %w", errLost, err)) })
	})
	watch, stop := context.WithCancel(work)
	beside.Go(func() {
		for watch.Err() == nil {
			// A watch that breaks off is begun again.
			_ = w.Queue.Watch(watch, t.Job.ID, func(j Job) error {
				if j.Cancelling || j.Status == Cancelled {
					cancel(errCancelled)
				}
				return nil
			})
			_ = pause(watch, time.Second)
		}
	})
	err = w.Handlers[t.Job.Kind](work, t)
	stop()
	close(ended)
	beside.Wait()
	if work.Err() != nil {
		cause = context.Cause(work)
	}
	return err, cause
}

// end ends a job. When that fails the lease runs out, and another worker finds nothing left to do and ends it.
func (w *Worker) end(ctx context.Context, log *slog.Logger, l Lease, s Status, reason string) {
	err := retry(ctx, func(ctx context.Context) error { return w.Queue.End(ctx, l, s, reason) })
	if err != nil {
		log.Error("job could not be ended", "status", s, "error", withHint(err))
		return
	}
	if w.Ended != nil {
		w.Ended(l.Job, s)
	}
	log.Info("job ended", "status", s, "error", reason)
}

func (w *Worker) close(ctx context.Context, l Lease, r Release) {
	if err := retry(ctx, func(ctx context.Context) error { return w.Queue.Release(ctx, l, r) }); err != nil {
		w.Log.Error("job could not be given back; it goes on when its lease has run out", "job", l.Job.ID, "error", withHint(err))
	}
}

// retry calls f until it does not fail for want of a server, also when ctx has ended.
func retry(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil || !errors.Is(err, corpus.ErrUnavailable) {
			return err
		}
		if pause(ctx, time.Second) != nil {
			return err
		}
	}
}

// isTransient reports whether another attempt may succeed.
func isTransient(err error) bool {
	for _, kind := range []error{corpus.ErrUnavailable, corpus.ErrLimit, corpus.ErrFull} {
		if errors.Is(err, kind) {
			return true
		}
	}
	for _, kind := range []error{corpus.ErrNotFound, corpus.ErrInvalid, corpus.ErrConflict, corpus.ErrForbidden, corpus.ErrUnsupported, corpus.ErrCorrupt} {
		if errors.Is(err, kind) {
			return false
		}
	}
	return true
}

func withHint(err error) string {
	if hint := corpus.HintOf(err); hint != "" {
		return fmt.Sprintf("%s (%s)", err, hint)
	}
	return err.Error()
}

// pause waits, or fails when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
