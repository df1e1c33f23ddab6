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
	leave, err := s.enter()
	if err != nil {
		return nil, s.fail(doing, err)
	}
	defer leave()
	m := s.mirror(q.Collection)
	for range 2 {
		if hits, err = s.search(ctx, doing, m, q); !errors.Is(err, errMoved) {
			return hits, err
		}
	}
	return s.searchAlone(ctx, doing, m, q)
}

// errMoved says that the file or the index changed between looking at one and the other.
var errMoved = errors.New("the collection changed meanwhile")

// search tries once beside others. It gives up with errMoved when the index has moved on from the state that its
// transaction sees.
func (s *Store) search(ctx context.Context, doing string, m *mirror, q store.Query) (hits []store.Hit, err error) {
	err = s.readFrom(ctx, s.readers, doing, func(tx *sql.Tx) error {
		run := statements{tx.StmtContext(ctx, s.prepared.state), tx.StmtContext(ctx, s.prepared.byKey)}
		state, err := readState(ctx, run.state, q.Collection)
		if err != nil {
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
		hits, err = m.search(ctx, tx, run, q)
		return err
	})
	return hits, err
}

// searchAlone keeps other searches of the collection out, so that it comes to an end however often the file changes.
func (s *Store) searchAlone(ctx context.Context, doing string, m *mirror, q store.Query) (hits []store.Hit, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err = s.readFrom(ctx, s.builders, doing, func(tx *sql.Tx) error {
		run, err := prepareStatements(ctx, tx)
		if err != nil {
			return err
		}
		state, err := readState(ctx, run.state, q.Collection)
		if err != nil {
			return err
		}
		if err := m.catchUp(ctx, tx, state, nil); err != nil {
			return err
		}
		hits, err = m.search(ctx, tx, run, q)
		return err
	})
	return hits, err
}

// beside runs f in another transaction that sees the same state of a collection, or fails with errMoved.
func (s *Store) beside(ctx context.Context, collection string, want mirrorState, f func(*sql.Tx) error) error {
	return s.readFrom(ctx, s.builders, "read collection "+collection, func(tx *sql.Tx) error {
		run, err := prepareStatements(ctx, tx)
		if err != nil {
			return err
		}
		state, err := readState(ctx, run.state, collection)
		if err == nil && state != want {
			err = errMoved
		}
		if err != nil {
			return err
		}
		return f(tx)
	})
}

// search runs the query on the index and reads the hits' chunks from the file. The caller holds mu, and the mirror
// shows the state that the transaction sees.
func (m *mirror) search(ctx context.Context, tx *sql.Tx, run statements, q store.Query) ([]store.Hit, error) {
	if len(q.Vector) == 0 && len(q.Terms) == 0 {
		return nil, nil
	}
	if len(q.Vector) != 0 && len(q.Vector) != m.dimensions {
		return nil, corpus.Errorf(corpus.ErrInvalid, "the query's vector has %d dimensions, the collection has %d", len(q.Vector), m.dimensions)
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
	chunks, err := chunksByKey(ctx, run.byKey, keys)
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
