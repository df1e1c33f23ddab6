package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"grounded/corpus"
	"grounded/jobs"
)

// Claim implements jobs.Queue.
func (q *Queue) Claim(ctx context.Context, c jobs.Claimant) (jobs.Lease, error) {
	if err := c.Check(); err != nil {
		return jobs.Lease{}, err
	}
	for {
		due, later, changed := q.claimable(c)
		for _, e := range due {
			l, err := q.claim(ctx, c, e)
			if errors.Is(err, errStale) {
				// Another was quicker, or its worker lives and was not heard here.
				if _, err := q.fetch(ctx, e.ID); err != nil && !errors.Is(err, corpus.ErrNotFound) {
					return jobs.Lease{}, q.fail("claim job", err)
				}
				continue
			}
			if err != nil {
				return jobs.Lease{}, q.fail("claim job", err)
			}
			return l, nil
		}
		if len(due) > 0 {
			// Those who were quicker are heard of in a moment.
			later = 10 * time.Millisecond
		}
		if err := q.wait(ctx, changed, later); err != nil {
			return jobs.Lease{}, err
		}
	}
}

// claimable are the jobs that are due, the oldest first. If there is none, but one may become due without being changed,
// later is when.
func (q *Queue) claimable(c jobs.Claimant) (due []*entry, later time.Duration, changed <-chan struct{}) {
	var open []*entry
	q.mu.Lock()
	for _, e := range q.jobs {
		if !e.Status.Ended() {
			open = append(open, e)
		}
	}
	changed = q.changed
	q.mu.Unlock()
	slices.SortFunc(open, func(a, b *entry) int { return cmp.Compare(a.order(), b.order()) })
	taken := map[uint64]bool{} // documents of older jobs
	for _, e := range open {
		blocked := slices.ContainsFunc(e.Documents, func(d uint64) bool { return taken[d] })
		for _, d := range e.Documents {
			taken[d] = true
		}
		if blocked || !slices.Contains(c.Kinds, e.Kind) {
			continue
		}
		if wait := e.Wait - time.Since(e.seen); wait <= 0 {
			due = append(due, e)
		} else if later == 0 || wait < later {
			later = wait
		}
	}
	return due, later, changed
}

// claim gives the job to the claimant, if it is still as it was.
func (q *Queue) claim(ctx context.Context, c jobs.Claimant, e *entry) (jobs.Lease, error) {
	r := e.record
	r.Order = e.order()
	r.Status, r.Worker, r.Token, r.Wait = jobs.Running, c.Worker, uuid.NewString(), q.Lease
	r.Attempts++
	if r.Started == nil {
		now := time.Now().UTC()
		r.Started = &now
	}
	if _, err := q.update(ctx, r, e.revision); err != nil {
		return jobs.Lease{}, err
	}
	l := jobs.Lease{Job: r.job(), Token: r.Token, Time: q.Lease}
	files, err := q.files(ctx, e.record)
	if err != nil {
		return l, errors.Join(err, q.Release(context.WithoutCancel(ctx), l, jobs.Release{Parked: true}))
	}
	l.Job.Files = files
	return l, nil
}

// hold changes the job of a lease that is held.
func (q *Queue) hold(ctx context.Context, doing string, l jobs.Lease, change func(*record)) (entry, error) {
	e, err := q.change(ctx, l.Job.ID, func(r *record) error {
		if r.Status != jobs.Running || r.Token != l.Token {
			return jobs.Lost(l.Job.ID)
		}
		change(r)
		return nil
	})
	return e, q.fail(doing, err)
}

// Extend implements jobs.Queue.
func (q *Queue) Extend(ctx context.Context, l jobs.Lease, p jobs.Progress, outcomes map[int]jobs.Outcome) error {
	_, err := q.hold(ctx, "extend lease", l, func(r *record) { r.Wait = q.Lease })
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		encoded, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if _, err := q.outcomes.Put(ctx, l.Job.ID+"."+strconv.Itoa(i), encoded); err != nil {
			return q.fail("keep outcomes", err)
		}
	}
	if p != l.Job.Progress || len(outcomes) > 0 {
		// Whoever sees the progress finds the outcomes.
		_, err = q.hold(ctx, "extend lease", l, func(r *record) { r.Wait, r.Progress = q.Lease, p })
	}
	return err
}

// Release implements jobs.Queue.
func (q *Queue) Release(ctx context.Context, l jobs.Lease, release jobs.Release) error {
	_, err := q.hold(ctx, "give job back", l, func(r *record) {
		if release.Parked {
			r.Attempts--
		} else {
			r.Error = release.Reason
		}
		if r.Cancelling {
			r.end(jobs.Cancelled, r.Error)
			return
		}
		r.Status, r.Token, r.Worker, r.Wait = jobs.Queued, "", "", release.After
	})
	return err
}

// End implements jobs.Queue.
func (q *Queue) End(ctx context.Context, l jobs.Lease, s jobs.Status, reason string) error {
	e, err := q.hold(ctx, "end job", l, func(r *record) { r.end(s, reason) })
	if err != nil {
		return err
	}
	return q.discardFiles(ctx, e.record)
}
