package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"grounded/corpus"
	"grounded/store/index"
)

// load reads the whole collection, on all processors if beside gives transactions to read with.
func (m *mirror) load(ctx context.Context, tx *sql.Tx, st mirrorState, beside func(ctx context.Context, f func(tx *sql.Tx) error) error) error {
	if err := m.readDocuments(ctx, tx, "", nil, func(int64) {}); err != nil {
		return err
	}
	parts := int64(1)
	if beside != nil && st.nextChunk > 4*index.BlockRows {
		parts = int64(min(4, runtime.GOMAXPROCS(0)))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var reading sync.WaitGroup
	run := func(own bool, f func(tx *sql.Tx) error) {
		reading.Go(func() {
			err := error(nil)
			if own {
				err = f(tx)
			} else {
				err = beside(ctx, f)
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	batches := make([]batch, parts)
	terms := func(tx *sql.Tx) error { return m.readTerms(ctx, tx, st) }
	if parts > 1 {
		run(false, terms)
	} else if err := terms(tx); err != nil {
		return err
	}
	for i := range parts {
		b := &batches[i]
		b.mirror, b.terms = m, st.nextTerm
		run(i == 0, func(tx *sql.Tx) error {
			if err := b.read(ctx, tx, "SELECT key, document, vector, terms FROM vectors WHERE key >= ? AND key < ?",
				firstKey(m.collection)+st.nextChunk*i/parts, firstKey(m.collection)+st.nextChunk*(i+1)/parts); err != nil {
				return err
			}
			return b.flush()
		})
	}
	reading.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, b := range batches {
		b.link()
	}
	return nil
}

// batch collects changes to the index. It keeps the memory of its entries from one flush to the next.
type batch struct {
	mirror  *mirror
	terms   int64 // numbers of the collection's terms are below it
	remove  []int64
	add     []index.Entry
	floats  []float32
	counts  []index.Term // of all entries
	located []location
}

// location says to which document a chunk that was read belongs.
type location struct {
	chunk int64
	slot  int
}

func (b *batch) flush() error {
	err := b.mirror.index.Apply(b.remove, b.add)
	b.remove, b.add, b.floats, b.counts = b.remove[:0], b.add[:0], b.floats[:0], b.counts[:0]
	return err
}

// link notes the chunks that were read with their documents.
func (b *batch) link() {
	for _, l := range b.located {
		e := &b.mirror.documents.entries[l.slot]
		e.chunks = append(e.chunks, l.chunk)
	}
	b.located = nil
}

// diff compares the chunks that a document has in the file with those in the index. Chunks of equal number are
// equal in all that the index knows.
func (b *batch) diff(ctx context.Context, tx *sql.Tx, document int64) error {
	entry := &b.mirror.documents.entries[b.mirror.documents.slots[document]]
	old := make(map[int64]bool, len(entry.chunks))
	for _, key := range entry.chunks {
		old[key] = true
	}
	var kept, added []int64
	err := each(ctx, tx, "SELECT key FROM chunks WHERE document = ?", []any{document}, func(scan func(...any) error) error {
		var key int64
		err := scan(&key)
		if old[key] {
			delete(old, key)
			kept = append(kept, key)
		} else {
			added = append(added, key)
		}
		return err
	})
	if err != nil {
		return err
	}
	for key := range old {
		b.remove = append(b.remove, key)
	}
	entry.chunks = kept
	if len(added) == 0 {
		return nil
	}
	// The numbers that a document's new chunks got follow each other, as long as no other document's do too.
	return b.read(ctx, tx, "SELECT key, document, vector, terms FROM vectors WHERE key BETWEEN ? AND ? AND document = ?",
		slices.Min(added), slices.Max(added), document)
}

// read adds the chunks that a query of the table vectors gives.
func (b *batch) read(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var vector, terms sql.RawBytes
	var key, document int64
	to := []any{&key, &document, &vector, &terms}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if err := b.put(key, document, vector, terms); err != nil {
			return fmt.Errorf("chunk %d: %w", key, err)
		}
		if len(b.add) >= index.BlockRows {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

func (b *batch) put(key, document int64, vector, terms []byte) error {
	m := b.mirror
	slot, known := m.documents.slots[document]
	if !known {
		return corpus.Errorf(corpus.ErrCorrupt, "it belongs to no document")
	}
	if cap(b.floats)-len(b.floats) < m.dimensions {
		b.floats = make([]float32, 0, m.dimensions*max(16, min(2*len(b.add), index.BlockRows)))
	}
	at := len(b.floats)
	b.floats = b.floats[:at+m.dimensions]
	e := index.Entry{Row: key, Doc: int64(slot), Vector: b.floats[at:]}
	if err := decodeVector(vector, e.Vector); err != nil {
		return err
	}
	at = len(b.counts)
	err := decodeTerms(terms, func(number uint64, count float32) error {
		if number >= uint64(b.terms) {
			return corpus.Errorf(corpus.ErrCorrupt, "it has an unknown term")
		}
		b.counts = append(b.counts, index.Term{ID: uint32(number), Count: count})
		return nil
	})
	e.Terms = b.counts[at:]
	b.add = append(b.add, e)
	b.located = append(b.located, location{key, slot})
	return err
}
