package index

import (
	"math"
	"sync"

	"grounded/corpus"
)

// Constants of BM25 as Robertson and Zaragoza recommend them (The Probabilistic Relevance Framework, 2009); they
// are also Lucene's.
const (
	DefaultK1 = 1.2
	DefaultB  = 0.75
)

// BlockRows is how many entries a bulk load should give to one Apply.
const BlockRows = 4096

// Config says what an index is for. Zero values of K1 and B mean the defaults.
type Config struct {
	Dimensions int     // of every vector
	K1         float64 // how slowly a term's repetition saturates
	B          float64 // how much a chunk's length counts against it, 0 to 1
}

// Term is a unit of lexical search by its number in the collection's dictionary, with how often it occurs in a
// chunk or its weight in a query. A Count that is not positive and finite makes the term count for nothing.
type Term struct {
	ID    uint32
	Count float32
}

// Entry is a chunk to be searched. Row is its key, Doc the key of its document.
type Entry struct {
	Row, Doc int64
	Vector   []float32 // of the index's dimensions, finite, of unit length (or zero: like nothing)
	Terms    []Term    // in any order; a repeated term counts as the sum
}

// Index answers queries over the entries that were applied. It is safe for concurrent use.
type Index struct {
	config Config

	mu   sync.RWMutex
	rows map[int64]Entry
}

// New returns an empty index.
func New(c Config) *Index {
	if c.K1 == 0 {
		c.K1 = DefaultK1
	}
	if c.B == 0 {
		c.B = DefaultB
	}
	return &Index{config: c, rows: map[int64]Entry{}}
}

// Apply removes rows and adds entries in one change: a Search sees all of it or nothing. Rows that are not there
// are ignored; an entry replaces what was there under its Row, and of entries with equal Row the last counts. A
// vector of other dimensions, or one that is not finite, is corpus.ErrInvalid, and nothing is changed.
func (x *Index) Apply(removeRows []int64, add []Entry) error {
	for _, e := range add {
		if err := x.check(e.Vector); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "row %d: %w", e.Row, err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, row := range removeRows {
		delete(x.rows, row)
	}
	for _, e := range add {
		e.Vector = append([]float32(nil), e.Vector...)
		e.Terms = append([]Term(nil), e.Terms...)
		x.rows[e.Row] = e
	}
	return nil
}

// check tells what is wrong with a vector.
func (x *Index) check(v []float32) error {
	if len(v) != x.config.Dimensions {
		return corpus.Errorf(corpus.ErrInvalid, "vector has %d dimensions, the index has %d", len(v), x.config.Dimensions)
	}
	for _, f := range v {
		if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
			return corpus.Errorf(corpus.ErrInvalid, "vector is not finite")
		}
	}
	return nil
}

// Len is the number of rows.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.rows)
}
