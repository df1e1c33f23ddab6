package nats

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Sweep implements jobs.Queue.
func (q *Queue) Sweep(ctx context.Context) error {
	const doing = "forget old jobs"
	needed := map[string]*entry{} // jobs by their storage
	var old []*entry
	q.mu.Lock()
	for _, e := range q.jobs {
		if e.Status.Ended() && time.Since(*e.Ended) > q.Retention {
			old = append(old, e)
			continue
		}
		needed[e.Storage] = e
	}
	q.mu.Unlock()
	for _, e := range old {
		if err := q.forget(ctx, e); err != nil {
			return q.fail(doing, err)
		}
	}
	objects, err := q.objects(ctx)
	if err != nil {
		return q.fail(doing, err)
	}
	for _, o := range objects {
		if time.Since(o.ModTime) < q.Abandoned {
			continue // it may be on its way
		}
		storage, _, _ := strings.Cut(o.Name, "/")
		e, known := needed[storage]
		if known && (!e.Status.Ended() || o.Name == manifest(storage)) {
			continue
		}
		if err := q.deleteObject(ctx, o.Name); err != nil {
			return q.fail(doing, err)
		}
	}
	if err := q.purgePartial(ctx); err != nil {
		return q.fail(doing, err)
	}
	for _, bucket := range []jetstream.KeyValue{q.records, q.outcomes} {
		if err := bucket.PurgeDeletes(ctx, jetstream.DeleteMarkersOlderThan(q.Retention)); err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
			return q.fail(doing, err)
		}
	}
	return nil
}

// forget removes a job that has ended, with its files and their outcomes.
func (q *Queue) forget(ctx context.Context, e *entry) error {
	if err := q.discardFiles(ctx, e.record); err != nil {
		return err
	}
	outcomes, err := q.outcomes.ListKeysFiltered(ctx, e.ID+".*")
	if err != nil {
		return err
	}
	for key := range outcomes.Keys() {
		if err := q.outcomes.Purge(ctx, key); err != nil {
			return err
		}
	}
	err = q.records.Purge(ctx, e.ID, jetstream.LastRevision(e.revision))
	if err != nil && !errors.Is(err, jetstream.ErrKeyExists) { // changed meanwhile: the next sweep looks again
		return err
	}
	return q.deleteObject(ctx, manifest(e.Storage))
}

// purgePartial removes what has come of objects that were never whole, since whoever sent them went away: chunks that no
// object has, and the last of which is older than what may be on its way.
func (q *Queue) purgePartial(ctx context.Context) error {
	prefix := "$O." + q.Prefix + "-uploads.C."
	info, err := q.chunks.Info(ctx, jetstream.WithSubjectFilter(prefix+">"))
	if err != nil {
		return err
	}
	if len(info.State.Subjects) == 0 {
		return nil
	}
	whole := map[string]bool{}
	objects, err := q.objects(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		whole[prefix+o.NUID] = true
	}
	for subject := range info.State.Subjects {
		if whole[subject] {
			continue
		}
		last, err := q.chunks.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if time.Since(last.Time) < q.Abandoned {
			continue
		}
		if err := q.chunks.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return err
		}
	}
	return nil
}
