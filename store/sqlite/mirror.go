package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"grounded/corpus"
	"grounded/store/index"
)

// mirror is what memory holds of a collection to search it: the index of its chunks and what filters and
// access need of its documents, as of one sequence number of the collection in the file.
type mirror struct {
	mu         sync.RWMutex // held for reading by searches
	collection int64        // number of the collection; another one after a swap, or when it was dropped and made again
	dimensions int
	seq        int64
	deleted    int64
	terms      map[string]uint32 // numbers of all the collection's terms, from 1
	index      *index.Index
	documents  table
}

// mirrorState is what a transaction sees of the collection's row.
type mirrorState struct {
	collection, seq, deleted, nextTerm, nextChunk int64
	dimensions                                    int
}

func readState(ctx context.Context, statement *sql.Stmt, name string) (st mirrorState, err error) {
	err = statement.QueryRowContext(ctx, name).
		Scan(&st.collection, &st.seq, &st.deleted, &st.nextTerm, &st.nextChunk, &st.dimensions)
	if errors.Is(err, sql.ErrNoRows) {
		err = noCollection(name)
	}
	return st, err
}

// shows tells whether the mirror is at the state; the caller holds mu.
func (m *mirror) shows(st mirrorState) bool {
	return m.index != nil && m.collection == st.collection && m.seq == st.seq
}

// mirror returns the one of a collection, empty if it was not searched yet.
func (s *Store) mirror(collection string) *mirror {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mirrors[collection]
	if m == nil {
		m = &mirror{}
		s.mirrors[collection] = m
	}
	return m
}

// catchUp brings the mirror from its state to a later one that tx sees. The caller holds mu for writing. After
// an error the mirror is empty, so that the next query builds it anew.
//
// beside gives more transactions to read a whole collection with; nil if there are none.
func (m *mirror) catchUp(ctx context.Context, tx *sql.Tx, st mirrorState, beside func(ctx context.Context, f func(tx *sql.Tx) error) error) (err error) {
	if m.index != nil && m.seq >= st.seq { // under one name the sequence only rises
		return nil // another search has brought it there, or further
	}
	defer func() {
		if err != nil {
			m.index = nil
		}
	}()
	fresh := m.index == nil || m.collection != st.collection
	if fresh {
		m.collection, m.dimensions, m.seq, m.deleted = st.collection, st.dimensions, 0, 0
		m.terms, m.documents = make(map[string]uint32, st.nextTerm), table{}
		m.index = index.New(index.Config{Dimensions: st.dimensions})
	}
	if fresh {
		err = m.load(ctx, tx, st, beside)
	} else if err = m.readTerms(ctx, tx, st); err == nil {
		err = m.update(ctx, tx, st)
	}
	m.seq, m.deleted = st.seq, st.deleted
	return err
}

// readTerms adds the terms that the mirror has not. Numbers follow each other without a gap.
func (m *mirror) readTerms(ctx context.Context, tx *sql.Tx, st mirrorState) error {
	known := int64(len(m.terms))
	if known+1 == st.nextTerm {
		return nil
	}
	first := firstKey(m.collection)
	err := each(ctx, tx, "SELECT key, text FROM terms WHERE key BETWEEN ? AND ?", []any{first + known + 1, lastKey(m.collection)},
		func(scan func(...any) error) error {
			var key int64
			var text string
			err := scan(&key, &text)
			m.terms[text] = uint32(key - first)
			return err
		})
	if err == nil && int64(len(m.terms))+1 != st.nextTerm {
		err = corpus.Errorf(corpus.ErrCorrupt, "the collection has %d terms of %d", len(m.terms), st.nextTerm-1)
	}
	return err
}

// update applies what changed since the mirror's state: documents with a later sequence number, and those that
// are gone.
func (m *mirror) update(ctx context.Context, tx *sql.Tx, st mirrorState) error {
	if st.deleted > m.deleted {
		if err := m.forgetDeleted(ctx, tx); err != nil {
			return err
		}
	}
	var changed []int64
	err := m.readDocuments(ctx, tx, "AND seq > ?", []any{m.seq}, func(key int64) { changed = append(changed, key) })
	if err != nil {
		return err
	}
	b := batch{mirror: m, terms: st.nextTerm}
	for _, key := range changed {
		if err := b.diff(ctx, tx, key); err != nil {
			return err
		}
	}
	b.link()
	return b.flush()
}

func (m *mirror) forgetDeleted(ctx context.Context, tx *sql.Tx) error {
	there := make(map[int64]bool, len(m.documents.slots))
	err := each(ctx, tx, "SELECT key FROM documents WHERE key BETWEEN ? AND ?", []any{firstKey(m.collection), lastKey(m.collection)},
		func(scan func(...any) error) error {
			var key int64
			err := scan(&key)
			there[key] = true
			return err
		})
	if err != nil {
		return err
	}
	var gone []int64
	for key, slot := range m.documents.slots {
		if !there[key] {
			gone = append(gone, m.documents.entries[slot].chunks...)
			m.documents.remove(key)
		}
	}
	return m.index.Apply(gone, nil)
}

// readDocuments puts documents into the table and calls seen with the number of each.
func (m *mirror) readDocuments(ctx context.Context, tx *sql.Tx, where string, args []any, seen func(key int64)) error {
	args = append([]any{m.collection}, args...)
	return each(ctx, tx, "SELECT key, id, source, path, title, media_type, language, metadata, groups FROM documents WHERE collection = ? "+where, args,
		func(scan func(...any) error) error {
			var key int64
			var d corpus.Document
			var metadata string
			if err := scan(&key, (*idColumn)(&d.ID), &d.Source, &d.Path, &d.Title, &d.MediaType, &d.Language, &metadata, jsonColumn{&d.Groups}); err != nil {
				return err
			}
			seen(key)
			return m.documents.put(key, d, metadata)
		})
}
