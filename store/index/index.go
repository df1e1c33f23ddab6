package index

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"grounded/corpus"
)

// Constants of BM25 as Robertson and Zaragoza recommend them (The Probabilistic Relevance Framework, 2009); they
// are also Lucene's.
const (
	DefaultK1 = 1.2
	DefaultB  = 0.75
)

// BlockRows is how many entries a bulk load should give to one Apply.
const BlockRows = maxSegmentRows / 2

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

// Index answers queries over the entries that were applied. It is safe for concurrent use; searches never wait
// for changes.
type Index struct {
	config Config
	views  atomic.Pointer[[]view] // what readers see; never changed, only replaced
	change sync.Mutex             // held by whoever replaces it
}

// New returns an empty index.
func New(c Config) *Index {
	if c.K1 == 0 {
		c.K1 = DefaultK1
	}
	if c.B == 0 {
		c.B = DefaultB
	}
	x := &Index{config: c}
	x.views.Store(&[]view{})
	return x
}

// Apply removes rows and adds entries in one change: a Search sees all of it or nothing. Rows that are not there
// are ignored; an entry replaces what was there under its Row, and of entries with equal Row the last counts. A
// vector of other dimensions, or one that is not finite, is corpus.ErrInvalid, and nothing is changed.
func (x *Index) Apply(removeRows []int64, add []Entry) error {
	for _, e := range add {
		if err := x.check(e.Vector); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "add row %d: %w", e.Row, err)
		}
	}
	remove := slices.Clone(removeRows)
	last := make(map[int64]int, len(add))
	for i, e := range add {
		last[e.Row] = i
		remove = append(remove, e.Row)
	}
	var built []view
	entries := make([]Entry, 0, min(len(add), maxSegmentRows))
	for i, e := range add {
		if last[e.Row] == i {
			entries = append(entries, e)
		}
		if len(entries) == maxSegmentRows || i == len(add)-1 && len(entries) > 0 {
			built = append(built, newView(buildSegment(x.config.Dimensions, entries)))
			entries = entries[:0]
		}
	}

	x.change.Lock()
	defer x.change.Unlock()
	views := append(without(*x.views.Load(), remove), built...)
	x.views.Store(&views)
	for parts := nextMerge(views); parts != nil; parts = nextMerge(views) {
		views = mergeViews(views, parts)
		x.views.Store(&views)
	}
	return nil
}

// mergeViews returns the views with those at parts made one.
func mergeViews(views []view, parts []int) []view {
	var chosen, rest []view
	for i, v := range views {
		if slices.Contains(parts, i) {
			chosen = append(chosen, v)
		} else {
			rest = append(rest, v)
		}
	}
	return append(rest, newView(merge(chosen)))
}

// check tells what is wrong with a vector.
func (x *Index) check(v []float32) error {
	if len(v) != x.config.Dimensions {
		return corpus.Errorf(corpus.ErrInvalid, "vector has %d dimensions, the index has %d", len(v), x.config.Dimensions)
	}
	const special = 0xff << 23 // the exponent of NaN and infinities
	for _, f := range v {
		if math.Float32bits(f)&special == special {
			return corpus.Errorf(corpus.ErrInvalid, "vector is not finite")
		}
	}
	return nil
}

// Len is the number of rows.
func (x *Index) Len() int {
	n := 0
	for _, v := range *x.views.Load() {
		n += v.live
	}
	return n
}
