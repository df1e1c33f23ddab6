package index

import (
	"context"
	"math"
	"testing"

	"grounded/store"
)

// TestSearchAgreesWithBruteForceAfterAnyChanges interleaves changes and searches of every kind.
func TestSearchAgreesWithBruteForceAfterAnyChanges(t *testing.T) {
	for _, dimensions := range []int{1, 7, 64} {
		config := Config{Dimensions: dimensions, K1: 1.2, B: .75}
		m := newMade(uint64(dimensions), dimensions, 5, 400, 40)
		x, b := New(config), &brute{config, map[int64]Entry{}}
		for step := range 60 {
			var remove []int64
			var add []Entry
			for range m.IntN(20) {
				remove = append(remove, m.Int64N(1500))
			}
			for range m.IntN(60) {
				row := m.Int64N(1500)
				e := m.entry(row, row/8)
				if m.IntN(9) == 0 {
					e.Terms = append(e.Terms, Term{e.Terms[0].ID, 2.5}, Term{3, float32(m.IntN(2000))}, Term{4, -1})
				}
				add = append(add, e)
			}
			if step%20 == 19 {
				add = nil
				for row := range m.Int64N(1500) {
					remove = append(remove, row)
				}
			}
			if err := x.Apply(remove, add); err != nil {
				t.Fatal(err)
			}
			b.apply(remove, add)
			if x.Len() != len(b.rows) {
				t.Fatalf("step %d: %d rows, want %d", step, x.Len(), len(b.rows))
			}
			for _, q := range queries(m) {
				got, err := x.Search(context.Background(), q)
				if err != nil {
					t.Fatal(err)
				}
				compareHits(t, got, b.search(q))
			}
		}
	}
}

// queries returns one of every kind.
func queries(m *made) []Query {
	vector, terms := m.near(), m.terms()[:8]
	terms = append(terms, Term{1 << 30, 1}, Term{terms[0].ID, .5}, Term{terms[1].ID, -3})
	odd := func(doc int64) bool { return doc%2 == 1 }
	blend := store.Fusion{DenseWeight: .4}
	rrf := store.Fusion{Method: store.FusionRRF}
	return []Query{
		{Vector: vector, Limit: 10},
		{Terms: terms, Limit: 10},
		{Vector: vector, Terms: terms, Limit: 10},
		{Vector: vector, Terms: terms, Limit: 5, Candidates: 20, Fusion: rrf, Allow: odd},
		{Vector: vector, Terms: terms, Limit: 7, Candidates: 3, Fusion: blend},
		{Vector: vector, Limit: 3000, Allow: odd},
		{Terms: terms, Limit: 3000, Allow: odd},
		{Vector: vector, Terms: terms[8:9], Limit: 4},
	}
}

// compareHits wants equal scores at every rank, and equal rows unless their scores are equal but for rounding.
func compareHits(t *testing.T, got, want []Hit) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d hits, want %d", len(got), len(want))
	}
	for i, h := range got {
		if w := want[i]; !closeTo(h.Score, w.Score) || !closePointer(h.Dense, w.Dense) && h.Row == w.Row || !closePointer(h.Lexical, w.Lexical) && h.Row == w.Row {
			t.Fatalf("hit %d is %v, want %v", i, show(h), show(w))
		}
		if i > 0 && (got[i-1].Score < h.Score || got[i-1].Score == h.Score && got[i-1].Row >= h.Row) {
			t.Fatalf("hit %d: %v does not come after %v", i, show(h), show(got[i-1]))
		}
		if h.Row != want[i].Row && !closeTo(rowScore(want, h.Row), h.Score) && i < len(got)-1 {
			t.Fatalf("hit %d is row %d, want %d, with score %v", i, h.Row, want[i].Row, h.Score)
		}
	}
}

func rowScore(hits []Hit, row int64) float64 {
	for _, h := range hits {
		if h.Row == row {
			return h.Score
		}
	}
	return hits[len(hits)-1].Score
}

func closeTo(a, b float64) bool { return math.Abs(a-b) <= 1e-5 }

func closePointer(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return closeTo(*a, *b)
}

func show(h Hit) []any {
	shown := []any{h.Row, h.Score}
	for _, p := range []*float64{h.Dense, h.Lexical} {
		if p != nil {
			shown = append(shown, *p)
		} else {
			shown = append(shown, nil)
		}
	}
	return shown
}

// TestSkippingPostingsLosesNoHit uses counts so large that terms give nearly all they can, in several segments, so
// that a bound that is a little too low loses rows.
func TestSkippingPostingsLosesNoHit(t *testing.T) {
	config := Config{K1: 1.2, B: .75}
	m := newMade(3, 0, 0, 20, 3)
	for range 40 {
		x, b := New(config), &brute{config, map[int64]Entry{}}
		for block := range int64(6) {
			var add []Entry
			for i := range 200 >> block {
				e := Entry{Row: block<<10 + int64(i)}
				for _, id := range m.Perm(20)[:1+m.IntN(6)] {
					e.Terms = append(e.Terms, Term{uint32(id * id / 20), float32(1 + 240*m.IntN(2))})
				}
				add = append(add, e)
			}
			mustApply(t, x, nil, add...)
			b.apply(nil, add)
		}
		for limit := range 12 {
			q := Query{Limit: 1 + limit}
			for range 7 {
				q.Terms = append(q.Terms, Term{uint32(m.IntN(20)), 1})
			}
			compareHits(t, mustSearch(t, x, q), b.search(q))
		}
	}
}
