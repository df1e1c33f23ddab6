package qdrant

import (
	"sync"
	"sync/atomic"
	"time"

	"grounded/corpus"
)

// writer writes documents in groups, as many as wait: a call to the server costs about as much for one as for many.
type writer struct {
	store  *Store
	mu     sync.Mutex
	queue  []*write
	active int
	last   atomic.Int64 // version given
}

func newWriter(s *Store) *writer { return &writer{store: s} }

// submit waits until a document is written.
func (w *writer) submit(item *write) error {
	w.mu.Lock()
	w.queue = append(w.queue, item)
	if w.active < w.store.config.Parallelism {
		w.active++
		go w.run()
	}
	w.mu.Unlock()
	select {
	case err := <-item.done:
		return err
	case <-item.ctx.Done():
		return item.ctx.Err()
	}
}

// run writes groups until nothing waits.
func (w *writer) run() {
	for {
		group := w.next()
		if len(group) == 0 {
			return
		}
		err := w.store.commit(group)
		for _, item := range group {
			item.done <- err
		}
	}
}

// next takes a group off the queue: documents of one collection, each once. Without any the runner ends.
func (w *writer) next() []*write {
	w.mu.Lock()
	defer w.mu.Unlock()
	var group, rest []*write
	taken, points := map[corpus.DocumentID]bool{}, 0
	for _, item := range w.queue {
		switch {
		case item.ctx.Err() != nil: // nobody waits for it
		case len(group) > 0 && (item.record.key != group[0].record.key || taken[item.id] || points+item.points() > w.store.config.BatchPoints):
			rest = append(rest, item)
			taken[item.id] = true // what comes behind it for the same document waits too
		default:
			group = append(group, item)
			taken[item.id] = true
			points += item.points()
		}
	}
	w.queue = rest
	if len(group) == 0 {
		w.active--
	}
	return group
}

// stamp gives versions: each is later than all before of this process, and than the one given.
func (w *writer) stamp(after int64) int64 {
	for {
		last := w.last.Load()
		next := max(time.Now().UnixMicro(), after+1, last+1)
		if w.last.CompareAndSwap(last, next) {
			return next
		}
	}
}
