package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"grounded/corpus"
	"grounded/store"
	"grounded/store/index"
)

// Search implements store.Store. It sees one state of the file: the index and what is read from the file for
// its hits are of the same transaction.
func (s *Store) Search(ctx context.Context, q store.Query) (hits []store.Hit, err error) {
	doing := "search " + q.Collection
	for _, x := range q.Vector {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, s.fail(doing, corpus.Errorf(corpus.ErrInvalid, "the query's vector is not finite"))
		}
	}
	if q.Limit <= 0 {
		q.Limit = 10
	}
	if q.Candidates <= 0 {
		q.Candidates = max(100, 10*q.Limit)
	}
	for attempt := 1; ; attempt++ {
		hits, err = s.search(ctx, doing, q, attempt == 3)
		if !errors.Is(err, errMoved) {
			return hits, err
		}
	}
}

// errMoved says that the file or the index changed between looking at one and the other.
var errMoved = errors.New("the collection changed meanwhile")

// search tries once. Alone, it keeps other searches out and so always comes to an end; otherwise it gives up
// with errMoved when the index has moved on from the state that the transaction sees.
func (s *Store) search(ctx context.Context, doing string, q store.Query, alone bool) (hits []store.Hit, err error) {
	m := s.mirror(q.Collection)
	if alone {
		m.mu.Lock()
		defer m.mu.Unlock()
	}
	err = s.read(ctx, doing, func(tx *sql.Tx) error {
		state, err := s.readState(ctx, tx, q.Collection)
		if err != nil {
			return err
		}
		if len(q.Vector) != 0 && len(q.Vector) != state.dimensions {
			return corpus.Errorf(corpus.ErrInvalid, "the query's vector has %d dimensions, collection %q has %d", len(q.Vector), q.Collection, state.dimensions)
		}
		if alone {
			if err := m.catchUp(ctx, tx, state, nil); err != nil {
				return err
			}
			hits, err = s.searchMirror(ctx, tx, m, q)
			return err
		}
		m.mu.RLock()
		if !m.shows(state) {
			m.mu.RUnlock()
			m.mu.Lock()
			err := m.catchUp(ctx, tx, state, func(ctx context.Context, f func(*sql.Tx) error) error {
				return s.beside(ctx, q.Collection, state, f)
			})
			m.mu.Unlock()
			if err != nil {
				return err
			}
			m.mu.RLock()
		}
		defer m.mu.RUnlock()
		if !m.shows(state) {
			return errMoved
		}
		hits, err = s.searchMirror(ctx, tx, m, q)
		return err
	})
	return hits, err
}

// beside runs f in another transaction that sees the same state of a collection, or fails with errMoved.
func (s *Store) beside(ctx context.Context, collection string, want mirrorState, f func(*sql.Tx) error) error {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	state, err := s.readState(ctx, tx, collection)
	if err == nil && state != want {
		err = errMoved
	}
	if err != nil {
		return err
	}
	return f(tx)
}

// searchMirror runs the query on the index and reads the hits' chunks from the file.
func (s *Store) searchMirror(ctx context.Context, tx *sql.Tx, m *mirror, q store.Query) ([]store.Hit, error) {
	if len(q.Vector) == 0 && len(q.Terms) == 0 {
		return nil, nil
	}
	allow, err := m.documents.allow(ctx, tx, q.Access, q.Filter)
	if err != nil {
		return nil, err
	}
	terms := make([]index.Term, len(q.Terms))
	for i, t := range q.Terms {
		terms[i] = index.Term{ID: m.terms[t.Text], Count: t.Count} // 0, which no chunk has, if it is unknown
	}
	found, err := m.index.Search(ctx, index.Query{
		Vector: q.Vector, Terms: terms, Allow: allow, Limit: q.Limit, Candidates: q.Candidates, Fusion: q.Fusion,
	})
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(found))
	for i, f := range found {
		keys[i] = f.Row
	}
	chunks, err := s.chunksByKey(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	hits := make([]store.Hit, len(found))
	for i, f := range found {
		c, there := chunks[f.Row]
		if !there {
			return nil, corpus.Errorf(corpus.ErrCorrupt, "chunk %d has a vector but no text", f.Row)
		}
		d := &m.documents.entries[f.Doc].document
		c.DocumentID = d.ID
		hits[i] = store.Hit{Chunk: c, Path: d.Path, Title: d.Title, Score: f.Score, Dense: f.Dense, Lexical: f.Lexical}
	}
	return hits, nil
}
