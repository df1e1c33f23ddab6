package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"grounded/corpus"
	"grounded/jobs"
)

// record is a job as the bucket has it: without its files, which are an object, and their outcomes.
type record struct {
	jobs.Job
	Owner          string        `json:"owner"`
	Access         corpus.Access `json:"access"`
	IdempotencyKey string        `json:"idempotency_key,omitempty"`
	Digest         string        `json:"digest"`
	Storage        string        `json:"storage"`
	Documents      []uint64      `json:"document_hashes"`  // of the files' documents
	Order          uint64        `json:"order,omitempty"`  // revision that it was submitted with; 0 while it is that
	Worker         string        `json:"worker,omitempty"` // that has it
	Token          string        `json:"token,omitempty"`  // of its lease
	Wait           time.Duration `json:"wait,omitempty"`   // until it may be claimed, from when this was written
}

// entry is a record as this process knows it.
type entry struct {
	record
	revision uint64
	seen     time.Time // by this process's clock: no two machines have the same
}

// order is the place of a job in the queue.
func (e entry) order() uint64 {
	if e.Order != 0 {
		return e.Order
	}
	return e.revision
}

// job is the job without its files.
func (r record) job() jobs.Job {
	j := r.Job
	j.Owner, j.Access, j.IdempotencyKey, j.Digest, j.Storage = r.Owner, r.Access, r.IdempotencyKey, r.Digest, r.Storage
	return j
}

func documentHash(id corpus.DocumentID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// follow keeps the jobs up to date until the queue is closed. It returns when all that are there are known.
func (q *Queue) follow(ctx context.Context) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	watcher, err := q.records.WatchAll(following)
	if err != nil {
		stop()
		return err
	}
	q.stop = stop
	known := make(chan struct{})
	q.followed.Go(func() {
		told := sync.OnceFunc(func() { close(known) })
		for q.takeAll(following, watcher, told) == nil {
			// After the connection broke off the watcher would be silent for long.
			for watcher, err = q.records.WatchAll(following); err != nil; watcher, err = q.records.WatchAll(following) {
				if pause(following, 200*time.Millisecond) != nil {
					return
				}
			}
		}
	})
	select {
	case <-known:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(q.Timeout):
		err = corpus.Errorf(corpus.ErrUnavailable, "the server did not list its jobs within %s", q.Timeout)
	}
	stop()
	q.followed.Wait()
	return err
}

// takeAll learns what the watcher says, and calls told when that was all that there was, until another watcher is needed.
// It fails when ctx ends.
func (q *Queue) takeAll(ctx context.Context, watcher jetstream.KeyWatcher, told func()) error {
	defer watcher.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-q.reconnected:
			return nil
		case update, ok := <-watcher.Updates():
			switch {
			case !ok:
				return pause(ctx, 200*time.Millisecond)
			case update == nil:
				told()
			default:
				q.take(update)
			}
		}
	}
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

// take learns of a change on the server.
func (q *Queue) take(update jetstream.KeyValueEntry) {
	if update.Operation() != jetstream.KeyValuePut {
		q.mu.Lock()
		defer q.mu.Unlock()
		if known, ok := q.jobs[update.Key()]; ok && known.revision < update.Revision() {
			delete(q.jobs, update.Key())
		}
		q.tell(update.Revision())
		return
	}
	r, err := decode(update.Value())
	if err != nil {
		return // of a newer program; Job reports it
	}
	q.learn(update.Key(), r, update.Revision())
}

func decode(text []byte) (r record, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "a job on the server can't be read: %w", err), "see that all replicas and workers are of one version")
	}
	return r, nil
}

// learn keeps a revision of a job, if it is newer than what is known.
func (q *Queue) learn(id string, r record, revision uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if known, ok := q.jobs[id]; ok && known.revision >= revision {
		return
	}
	q.jobs[id] = &entry{r, revision, time.Now()}
	q.tell(revision)
}

// tell wakes those who wait for changes. The lock is held.
func (q *Queue) tell(revision uint64) {
	q.seen = max(q.seen, revision)
	close(q.changed)
	q.changed = make(chan struct{})
}

// wait returns when jobs have changed, or after a time if that is not 0.
func (q *Queue) wait(ctx context.Context, changed <-chan struct{}, longest time.Duration) error {
	var timeout <-chan time.Time
	if longest > 0 {
		timer := time.NewTimer(longest)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-changed:
		return nil
	case <-timeout:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// known returns a job as this process knows it, and what is closed when any has changed.
func (q *Queue) known(id string) (e entry, ok bool, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if found := q.jobs[id]; found != nil {
		e, ok = *found, true
	}
	return e, ok, q.changed
}

// find returns a job that this process may not have heard of yet.
func (q *Queue) find(ctx context.Context, id string) (entry, error) {
	if e, ok, _ := q.known(id); ok {
		return e, nil
	}
	return q.fetch(ctx, id)
}

// fetch asks the server for a job.
func (q *Queue) fetch(ctx context.Context, id string) (entry, error) {
	if !validID(id) {
		return entry{}, jobs.NotFound(id)
	}
	stored, err := q.records.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return entry{}, jobs.NotFound(id)
	}
	if err != nil {
		return entry{}, err
	}
	r, err := decode(stored.Value())
	if err != nil {
		return entry{}, err
	}
	q.learn(id, r, stored.Revision())
	return entry{r, stored.Revision(), time.Now()}, nil
}

// validID reports whether a text may be the id of a job: others are no keys of a bucket, or patterns.
func validID(id string) bool {
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') && r != '-' {
			return false
		}
	}
	return len(id) == 36
}

// change makes a change to the latest revision of a job. change may be called again.
func (q *Queue) change(ctx context.Context, id string, change func(*record) error) (entry, error) {
	e, err := q.find(ctx, id)
	for err == nil {
		next := e.record
		if next.Order == 0 {
			next.Order = e.revision
		}
		if err := change(&next); err != nil {
			return e, err
		}
		stored, err := q.update(ctx, next, e.revision)
		if !errors.Is(err, errStale) {
			return stored, err
		}
		if e, err = q.fetch(ctx, id); err != nil {
			return e, err
		}
		// A replica of the server may lag behind the one that refused.
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return e, err
		}
	}
	return e, err
}

// errStale says that a job was changed meanwhile.
var errStale = errors.New("the job was changed meanwhile")

// update writes a record in the place of a revision.
func (q *Queue) update(ctx context.Context, r record, revision uint64) (entry, error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return entry{}, fmt.Errorf("encode job: %w", err)
	}
	next, err := q.records.Update(ctx, r.ID, encoded, revision)
	if err != nil {
		var api *jetstream.APIError
		if errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
			return entry{}, errStale
		}
		return entry{}, err
	}
	q.learn(r.ID, r, next)
	return entry{r, next, time.Now()}, nil
}
