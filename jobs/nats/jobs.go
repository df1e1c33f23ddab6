package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"grounded/corpus"
	"grounded/jobs"
)

// Submit implements jobs.Queue.
func (q *Queue) Submit(ctx context.Context, j jobs.Job) (jobs.Job, error) {
	const doing = "submit job"
	if err := q.checkStored(ctx, j); err != nil {
		return jobs.Job{}, q.fail(doing, err)
	}
	if err := q.putFiles(ctx, j); err != nil {
		return jobs.Job{}, q.fail(doing, err)
	}
	j.Created = time.Now().UTC()
	r := record{Job: j, Owner: j.Owner, Access: j.Access, IdempotencyKey: j.IdempotencyKey, Digest: j.Digest, Storage: j.Storage}
	r.Files = nil
	for _, f := range j.Files {
		r.Documents = append(r.Documents, documentHash(f.ID))
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		return jobs.Job{}, err
	}
	revision, err := q.records.Create(ctx, j.ID, encoded)
	if errors.Is(err, jetstream.ErrKeyExists) {
		known, err := q.fetch(ctx, j.ID)
		if err != nil {
			return jobs.Job{}, q.fail(doing, err)
		}
		if known.Digest != j.Digest {
			return jobs.Job{}, jobs.OtherRequest()
		}
		return q.Job(ctx, j.ID)
	}
	if err != nil {
		return jobs.Job{}, q.fail(doing, err)
	}
	q.learn(j.ID, r, revision)
	return j, nil
}

// checkStored fails when files are not there any more: Sweep takes what was not written for long for abandoned.
func (q *Queue) checkStored(ctx context.Context, j jobs.Job) error {
	for i := range j.Files {
		_, err := q.content.GetInfo(ctx, objectName(j.Storage, i))
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "its files took too long and were forgotten"), "upload them again")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Job implements jobs.Queue.
func (q *Queue) Job(ctx context.Context, id string) (jobs.Job, error) {
	// The server is asked, since this process may not have heard yet of what a client was told.
	e, err := q.fetch(ctx, id)
	if errors.Is(err, corpus.ErrNotFound) {
		e, err = q.catchUp(ctx, id)
	}
	if err != nil {
		return jobs.Job{}, q.fail("read job", err)
	}
	j := e.job()
	if j.Files, err = q.files(ctx, e.record); err != nil {
		return jobs.Job{}, q.fail("read job", err)
	}
	return j, nil
}

// catchUp looks for a job that the replica of the server that was asked does not have: it may lag behind the leader.
func (q *Queue) catchUp(ctx context.Context, id string) (entry, error) {
	if !validID(id) {
		return entry{}, jobs.NotFound(id)
	}
	status, err := q.records.Status(ctx)
	if err != nil {
		return entry{}, err
	}
	full, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return entry{}, jobs.NotFound(id)
	}
	last := full.StreamInfo().State.LastSeq
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	for {
		q.mu.Lock()
		e, ok := q.jobs[id]
		seen, changed := q.seen, q.changed
		q.mu.Unlock()
		switch {
		case ok:
			return *e, nil
		case seen >= last:
			return entry{}, jobs.NotFound(id)
		}
		if err := q.wait(ctx, changed, 0); err != nil {
			return entry{}, err
		}
	}
}

// Jobs implements jobs.Queue.
func (q *Queue) Jobs(_ context.Context, query jobs.Query) ([]jobs.Job, string, error) {
	query, err := query.Check()
	if err != nil {
		return nil, "", err
	}
	before := uint64(1<<64 - 1)
	if query.Cursor != "" {
		if before, err = strconv.ParseUint(query.Cursor, 10, 64); err != nil {
			return nil, "", corpus.Errorf(corpus.ErrInvalid, "list jobs: %q is no cursor", query.Cursor)
		}
	}
	matches := func(e *entry) bool {
		return e.order() < before && (query.Owner == "" || e.Owner == query.Owner) && (query.Collection == "" || e.Collection == query.Collection) &&
			(query.Status == "" || e.Status == query.Status) && (len(query.Kinds) == 0 || slices.Contains(query.Kinds, e.Kind))
	}
	var found []*entry
	q.mu.Lock()
	for _, e := range q.jobs {
		if matches(e) {
			found = append(found, e)
		}
	}
	q.mu.Unlock()
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(b.order(), a.order()) })
	next := ""
	if len(found) > query.Limit {
		found = found[:query.Limit]
		next = strconv.FormatUint(found[len(found)-1].order(), 10)
	}
	page := make([]jobs.Job, len(found))
	for i, e := range found {
		page[i] = e.job()
	}
	return page, next, nil
}

// Watch implements jobs.Queue.
func (q *Queue) Watch(ctx context.Context, id string, observe func(jobs.Job) error) error {
	if _, err := q.find(ctx, id); err != nil {
		if _, err = q.catchUp(ctx, id); err != nil {
			return q.fail("watch job", err)
		}
	}
	for last := uint64(0); ; {
		e, ok, changed := q.known(id)
		if !ok {
			return q.fail("watch job", jobs.NotFound(id))
		}
		if e.revision > last {
			last = e.revision
			if err := observe(e.job()); err != nil {
				return err
			}
		}
		if e.Status.Ended() {
			return nil
		}
		if err := q.wait(ctx, changed, 0); err != nil {
			return err
		}
	}
}

// Cancel implements jobs.Queue.
func (q *Queue) Cancel(ctx context.Context, id string) (jobs.Job, error) {
	e, err := q.change(ctx, id, func(r *record) error {
		switch r.Status {
		case jobs.Queued:
			r.end(jobs.Cancelled, "")
		case jobs.Running:
			r.Cancelling = true
		default:
			return jobs.HasEnded(r.job())
		}
		return nil
	})
	if err != nil {
		return jobs.Job{}, q.fail("cancel job", err)
	}
	j := e.job()
	if j.Files, err = q.files(ctx, e.record); err != nil {
		return j, q.fail("cancel job", err)
	}
	if e.Status == jobs.Cancelled {
		if err := q.discardFiles(ctx, e.record); err != nil {
			return j, fmt.Errorf("job %s is cancelled: %w", id, err)
		}
	}
	return j, nil
}

// end makes a job one that has ended.
func (r *record) end(s jobs.Status, reason string) {
	now := time.Now().UTC()
	r.Status, r.Ended, r.Error = s, &now, reason
	r.Cancelling, r.Token, r.Worker, r.Wait = false, "", "", 0
}
