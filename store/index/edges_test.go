package index

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"grounded/corpus"
)

func mustApply(t *testing.T, x *Index, remove []int64, add ...Entry) {
	t.Helper()
	if err := x.Apply(remove, add); err != nil {
		t.Fatal(err)
	}
}

func mustSearch(t *testing.T, x *Index, q Query) []Hit {
	t.Helper()
	hits, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func rowsOf(hits []Hit) []int64 {
	rows := []int64{}
	for _, h := range hits {
		rows = append(rows, h.Row)
	}
	return rows
}

func wantRows(t *testing.T, hits []Hit, want ...int64) {
	t.Helper()
	if got := rowsOf(hits); !slices.Equal(got, want) {
		t.Fatalf("rows %v, want %v", got, want)
	}
}

func TestEmptyIndexAndEmptyQueryFindNothing(t *testing.T) {
	x := New(Config{Dimensions: 2})
	full := Query{Vector: []float32{1, 0}, Terms: []Term{{1, 1}}, Limit: 5}
	wantRows(t, mustSearch(t, x, full))
	mustApply(t, x, []int64{7})
	mustApply(t, x, nil, Entry{Row: 1, Vector: []float32{1, 0}, Terms: []Term{{1, 1}}})
	wantRows(t, mustSearch(t, x, full), 1)
	wantRows(t, mustSearch(t, x, Query{}))
	mustApply(t, x, []int64{1, 1, 9})
	wantRows(t, mustSearch(t, x, full))
	if x.Len() != 0 {
		t.Errorf("%d rows, want none", x.Len())
	}
}

func TestVectorsThatCannotBeComparedAreInvalidAndChangeNothing(t *testing.T) {
	x := New(Config{Dimensions: 2})
	mustApply(t, x, nil, Entry{Row: 1, Vector: []float32{1, 0}})
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, v := range [][]float32{nil, {1}, {1, 0, 0}, {nan, 1}, {0, inf}} {
		err := x.Apply([]int64{1}, []Entry{{Row: 2, Vector: []float32{0, 1}}, {Row: 3, Vector: v}})
		if !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("Apply with %v: %v, want invalid", v, err)
		}
		if _, err := x.Search(context.Background(), Query{Vector: v}); len(v) > 0 && !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("Search with %v: %v, want invalid", v, err)
		}
	}
	wantRows(t, mustSearch(t, x, Query{Vector: []float32{1, 0}}), 1)
}

func TestZeroAndExtremeVectorsKeepScoresFinite(t *testing.T) {
	x := New(Config{Dimensions: 3})
	mustApply(t, x, nil,
		Entry{Row: 1, Vector: []float32{0, 0, 0}},
		Entry{Row: 2, Vector: []float32{1e-45, 0, 0}},
		Entry{Row: 3, Vector: []float32{1, 1e-30, -1e-30}},
		Entry{Row: 4, Vector: []float32{-1, 0, 0}})
	for _, v := range [][]float32{{1, 0, 0}, {0, 0, 0}, {1e-45, 0, 0}, {1e30, 1e30, 1e30}} {
		hits := mustSearch(t, x, Query{Vector: v})
		for _, h := range hits {
			if math.IsNaN(h.Score) || math.IsInf(h.Score, 0) {
				t.Errorf("query %v: row %d scores %v", v, h.Row, h.Score)
			}
		}
		if len(hits) != 4 {
			t.Errorf("query %v: %d hits, want 4", v, len(hits))
		}
	}
	wantRows(t, mustSearch(t, x, Query{Vector: []float32{1, 0, 0}}), 3, 1, 2, 4)
}

func TestTermsWithoutAUsableCountCountForNothing(t *testing.T) {
	x := New(Config{})
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	mustApply(t, x, nil,
		Entry{Row: 1, Terms: []Term{{1, nan}, {2, inf}, {3, 0}, {4, -1}}},
		Entry{Row: 2, Terms: []Term{{5, math.MaxFloat32}, {5, math.MaxFloat32}}},
		Entry{Row: 3, Terms: []Term{{5, .25}, {5, .25}}})
	wantRows(t, mustSearch(t, x, Query{Terms: []Term{{1, 1}, {2, 1}, {3, 1}, {4, 1}}}))
	wantRows(t, mustSearch(t, x, Query{Terms: []Term{{5, nan}, {5, inf}, {5, 0}, {5, -2}}}))
	for _, h := range mustSearch(t, x, Query{Terms: []Term{{5, math.MaxFloat32}, {5, 1}}}) {
		if math.IsNaN(h.Score) || math.IsInf(h.Score, 0) || h.Score <= 0 {
			t.Errorf("row %d scores %v", h.Row, h.Score)
		}
	}
}

func TestLaterEntryOfARowReplacesTheEarlier(t *testing.T) {
	x := New(Config{Dimensions: 1})
	one, other := []float32{1}, []float32{-1}
	mustApply(t, x, nil, Entry{Row: 1, Vector: one}, Entry{Row: 1, Vector: other})
	mustApply(t, x, []int64{2}, Entry{Row: 2, Doc: 1, Vector: one})
	mustApply(t, x, []int64{2}, Entry{Row: 2, Doc: 2, Vector: one})
	hits := mustSearch(t, x, Query{Vector: one})
	wantRows(t, hits, 2, 1)
	if x.Len() != 2 || hits[0].Doc != 2 || !closeTo(hits[1].Score, -1) {
		t.Errorf("%d rows, first of document %d, last with score %v; want 2, 2, -1", x.Len(), hits[0].Doc, hits[1].Score)
	}
}

func TestEqualScoresComeInOrderOfRow(t *testing.T) {
	x := New(Config{Dimensions: 2})
	var want []int64
	for row := range int64(300) {
		mustApply(t, x, nil, Entry{Row: 299 - row, Vector: []float32{.6, .8}, Terms: []Term{{1, 2}, {2, 1}}})
		want = append(want, row)
	}
	for _, q := range []Query{
		{Vector: []float32{1, 0}}, {Terms: []Term{{1, 1}, {2, 1}}}, {Vector: []float32{1, 0}, Terms: []Term{{2, 1}}},
	} {
		q.Limit, q.Candidates = 20, 20
		wantRows(t, mustSearch(t, x, q), want[:20]...)
	}
}

func TestWhatIsNotAllowedIsNotFoundAndTakesNoPlace(t *testing.T) {
	x := New(Config{Dimensions: 1})
	for row := range int64(2000) {
		mustApply(t, x, nil, Entry{Row: row, Doc: row / 10, Vector: []float32{1}, Terms: []Term{{1, 1}}})
	}
	q := Query{Vector: []float32{1}, Terms: []Term{{1, 1}}, Limit: 3, Candidates: 3}
	q.Allow = func(doc int64) bool { return doc == 199 }
	wantRows(t, mustSearch(t, x, q), 1990, 1991, 1992)
	q.Allow = func(int64) bool { return false }
	wantRows(t, mustSearch(t, x, q))
	q.Limit, q.Candidates = math.MaxInt, math.MaxInt
	wantRows(t, mustSearch(t, x, q))
}

func TestApplyKeepsNothingOfItsArguments(t *testing.T) {
	x := New(Config{Dimensions: 2})
	vector, terms := []float32{1, 0}, []Term{{1, 1}}
	entries := []Entry{{Row: 1, Doc: 1, Vector: vector, Terms: terms}}
	mustApply(t, x, nil, entries...)
	vector[0], terms[0], entries[0].Row = 0, Term{2, 9}, 5
	hits := mustSearch(t, x, Query{Vector: []float32{1, 0}, Terms: []Term{{1, 1}}})
	if len(hits) != 1 || hits[0].Row != 1 || !closeTo(*hits[0].Dense, 1) || *hits[0].Lexical == 0 {
		t.Errorf("hits %v", hits)
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	x := New(Config{Dimensions: 1})
	mustApply(t, x, nil, Entry{Row: 1, Vector: []float32{1}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Search(ctx, Query{Vector: []float32{1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
}

// TestReadersSeeAChangeWholeOrNotAtAll replaces all rows again and again while others search.
func TestReadersSeeAChangeWholeOrNotAtAll(t *testing.T) {
	const rows, versions, readers = 60, 200, 3
	x := New(Config{Dimensions: 1})
	version := func(n int64) (entries []Entry) {
		for i := range int64(rows) {
			entries = append(entries, Entry{Row: n*rows + i, Doc: n, Vector: []float32{1}, Terms: []Term{{1, 1}}})
		}
		return entries
	}
	mustApply(t, x, nil, version(0)...)
	var stop atomic.Bool
	var group sync.WaitGroup
	for range readers {
		group.Go(func() {
			for !stop.Load() {
				hits, err := x.Search(context.Background(), Query{Vector: []float32{1}, Terms: []Term{{1, 1}}, Limit: 2 * rows})
				if err != nil || len(hits) != rows || hits[0].Doc != hits[rows-1].Doc {
					t.Errorf("%d hits of documents %d to %d, %v; want %d of one", len(hits), hits[0].Doc, hits[len(hits)-1].Doc, err, rows)
					return
				}
			}
		})
	}
	for n := range int64(versions) {
		old := []int64{}
		for i := range int64(rows) {
			old = append(old, n*rows+i)
		}
		mustApply(t, x, old, version(n+1)...)
	}
	stop.Store(true)
	group.Wait()
}

// TestManyApplysLeaveFewViewsAndExactResults holds the merging: from single rows up to segments that are full.
func TestManyApplysLeaveFewViewsAndExactResults(t *testing.T) {
	config := Config{Dimensions: 16, K1: 1.2, B: .75}
	m := newMade(11, 16, 50, 500, 4)
	x, b := New(config), &brute{config, map[int64]Entry{}}
	next := int64(0)
	grow := func(applies, rows int) {
		for range applies {
			var add []Entry
			for range rows {
				add = append(add, m.entry(next, next/10))
				next += 1 + m.Int64N(2)
			}
			mustApply(t, x, nil, add...)
			b.apply(nil, add)
			if n := len(*x.views.Load()); n > 7*5+x.Len()/BlockRows+1 {
				t.Fatalf("%d views of %d rows", n, x.Len())
			}
		}
	}
	grow(1, maxSegmentRows+5)
	grow(300, 1)
	grow(30, 600)
	var remove []int64
	for row := int64(0); row < next; row += 3 {
		remove = append(remove, row)
	}
	mustApply(t, x, remove)
	b.apply(remove, nil)
	grow(100, 7)
	for _, v := range *x.views.Load() {
		if 4*(len(v.rows)-v.live) > len(v.rows) || len(v.rows) > maxSegmentRows {
			t.Errorf("a view has %d rows and %d of them live", len(v.rows), v.live)
		}
	}
	for range 5 {
		for _, q := range []Query{
			{Vector: m.near(), Limit: 10}, {Terms: m.terms(), Limit: 10}, {Vector: m.near(), Terms: m.terms(), Limit: 10},
		} {
			compareHits(t, mustSearch(t, x, q), b.search(q))
		}
	}
}
