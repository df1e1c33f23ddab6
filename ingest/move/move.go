// Package move brings a collection from one place to another: to another store as it is, or under another
// embedding in the same store. Documents come with their pages, chunks, metadata and access, terms are made anew,
// sources and quarantine come along. What was ended at any point is finished by the same call again: documents
// that have arrived are left alone. Changes that are made meanwhile are brought too.
package move

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/embed"
	"grounded/store"
)

// side is a collection in a store.
type side struct {
	store.Store
	collection string
}

// scope is all of the collection.
func (s side) scope() corpus.Scope {
	return corpus.Scope{Collection: s.collection, Access: corpus.Access{Unrestricted: true}}
}

// find returns a document, or false if it is not there.
func (s side) find(ctx context.Context, id corpus.DocumentID) (corpus.Document, bool, error) {
	d, err := s.Document(ctx, s.scope(), id)
	if errors.Is(err, corpus.ErrNotFound) {
		return d, false, nil
	}
	return d, err == nil, err
}

// each calls use for every document.
func (s side) each(ctx context.Context, use func(corpus.Document) error) error {
	q := store.DocumentQuery{Scope: s.scope(), Limit: 500}
	for {
		docs, next, err := s.Documents(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := use(d); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}

const (
	// maxDocuments are under way at once, and maxChunks of them, but for a document that has more.
	maxDocuments = 64
	maxChunks    = 2048
	// drain is how long a document whose vectors are there may take to be written when the run has ended.
	drain = 30 * time.Second
	// rounds of bringing what has changed meanwhile; then the collection is changing too fast.
	rounds = 50
	// samples are the documents that are compared in all at the end.
	samples = 20
)

// mover brings the documents of one side to the other.
type mover struct {
	from, to    side
	fingerprint string           // of to's embedding
	vectors     *embed.Vectors   // makes those that to does not have; nil takes those of from
	tokens      func(string) int // length in the embedder's; nil keeps that of from
	*reporter

	sample sample
	seen   seen
}

// seen is what the last pass saw of from.
type seen struct {
	documents int
	latest    time.Time // when the latest of them was ingested
}

// rules say what a pass may do at to.
type rules struct {
	add     bool                       // documents that it does not have
	replace bool                       // those that it has in a newer form, too
	remove  func(corpus.Document) bool // documents that from does not have; nil removes none
}

// exact makes to what from is.
var exact = rules{add: true, replace: true, remove: func(corpus.Document) bool { return true }}

// pass brings what differs, and returns how many documents did.
func (m *mover) pass(ctx context.Context, may rules) (changes int, err error) {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	if m.vectors != nil {
		go m.vectors.Serve(work)
	}
	var mu sync.Mutex
	changed := func() {
		mu.Lock()
		changes++
		mu.Unlock()
	}
	m.sample, m.seen = sample{}, seen{}
	waiting := semaphore.NewWeighted(maxChunks)
	group, work := errgroup.WithContext(work)
	group.SetLimit(maxDocuments)
	listing := m.from.each(work, func(d corpus.Document) error {
		m.sample.offer(d)
		m.seen.documents++
		if d.IngestedAt.After(m.seen.latest) {
			m.seen.latest = d.IngestedAt
		}
		weight := int64(min(d.ChunkCount, maxChunks))
		if err := waiting.Acquire(work, weight); err != nil {
			return err
		}
		group.Go(func() error {
			defer waiting.Release(weight)
			did, err := m.bring(work, d, may)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Path, err)
			}
			if did {
				changed()
			}
			return nil
		})
		return nil
	})
	err = group.Wait()
	switch {
	case ctx.Err() != nil:
		return changes, ctx.Err()
	case err != nil:
		return changes, err
	case listing != nil:
		return changes, listing
	}
	removed, err := m.remove(ctx, may)
	if err != nil {
		return changes, err
	}
	if err := m.bringSources(ctx, may); err != nil {
		return changes, err
	}
	return changes + removed, m.bringQuarantine(ctx, may)
}

// bring brings one document, unless to has it.
func (m *mover) bring(ctx context.Context, d corpus.Document, may rules) (bool, error) {
	there, isThere, err := m.to.find(ctx, d.ID)
	if err != nil {
		return false, err
	}
	if isThere && (same(d, there) || !may.replace && newer(there, d)) || !isThere && !may.add {
		m.done(d, OutcomeUnchanged, Chunks{})
		return false, nil
	}
	w, isThere, err := m.from.whole(ctx, d.ID)
	if err != nil || !isThere {
		return !isThere, err // gone meanwhile: the next pass removes it
	}
	written, err := m.put(ctx, w)
	if err != nil {
		return false, err
	}
	m.done(w.doc, OutcomeCopied, written)
	return true, nil
}

// put writes a document to the other side.
func (m *mover) put(ctx context.Context, w whole) (Chunks, error) {
	written := Chunks{Written: len(w.chunks), Reused: len(w.chunks)}
	var vectors map[string][]float32
	if m.vectors != nil {
		lease, err := m.vectors.Get(ctx, w.chunks)
		if err != nil {
			return Chunks{}, err
		}
		defer m.vectors.Release(lease)
		vectors = lease.Vectors
		written.Embedded, written.Reused = lease.Embedded, len(w.chunks)-lease.Embedded
	} else {
		var err error
		if vectors, err = m.from.vectorsOf(ctx, w.chunks); err != nil {
			return Chunks{}, err
		}
	}
	w.doc.Collection, w.doc.EmbeddingFingerprint = m.to.collection, m.fingerprint
	embedded := make([]corpus.EmbeddedChunk, len(w.chunks))
	for i, k := range w.chunks {
		embedded[i] = corpus.EmbeddedChunk{Chunk: k, Vector: vectors[k.InputHash()], Terms: analyze.Terms(k.Input(), k.Language)}
		if embedded[i].Vector == nil {
			return Chunks{}, damaged(corpus.Errorf(corpus.ErrCorrupt, "chunk %d has no vector", k.Ordinal))
		}
		if m.tokens != nil {
			embedded[i].Tokens = m.tokens(k.Input())
		}
	}
	// What is embedded is paid for: it is written even if the run has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return written, m.to.Replace(ctx, w.doc, w.pages, embedded)
}

// same reports whether two documents of one id are the same version. Not every store keeps times to the nanosecond.
func same(a, b corpus.Document) bool {
	return a.ContentHash == b.ContentHash && a.PipelineFingerprint == b.PipelineFingerprint &&
		a.PageCount == b.PageCount && a.ChunkCount == b.ChunkCount && a.IngestedAt.Sub(b.IngestedAt).Abs() < time.Millisecond
}

// newer reports whether a was ingested after b.
func newer(a, b corpus.Document) bool { return a.IngestedAt.Sub(b.IngestedAt) >= time.Millisecond }

func damaged(err error) error {
	return corpus.Hint(err, "`grounded verify --repair` mends the collection, or says what to ingest again")
}

// remove deletes what from does not have.
func (m *mover) remove(ctx context.Context, may rules) (removed int, err error) {
	if may.remove == nil {
		return 0, nil
	}
	c, err := m.to.Collection(ctx, m.to.collection)
	if err != nil || c.Documents <= m.seen.documents { // it has all that were seen, so it has no others
		return 0, err
	}
	var gone []corpus.Document
	err = m.to.each(ctx, func(d corpus.Document) error {
		_, isThere, err := m.from.find(ctx, d.ID)
		if err == nil && !isThere && may.remove(d) {
			gone = append(gone, d)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, d := range gone {
		if err := m.to.Delete(ctx, m.to.collection, d.ID); err != nil {
			return removed, err
		}
		removed++
		m.done(d, OutcomeDeleted, Chunks{})
	}
	return removed, nil
}

// sample keeps the documents whose ids have the smallest hashes of those offered.
type sample struct {
	docs   []corpus.Document
	hashes []uint64
}

func (s *sample) offer(d corpus.Document) {
	h := fnv.New64a()
	h.Write([]byte(d.ID))
	hash := h.Sum64()
	if len(s.docs) < samples {
		s.docs, s.hashes = append(s.docs, d), append(s.hashes, hash)
		return
	}
	largest := 0
	for i := range s.hashes {
		if s.hashes[i] > s.hashes[largest] {
			largest = i
		}
	}
	if hash < s.hashes[largest] {
		s.docs[largest], s.hashes[largest] = d, hash
	}
}
