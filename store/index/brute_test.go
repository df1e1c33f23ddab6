package index

import (
	"cmp"
	"math"
	"slices"

	"grounded/store"
)

// brute is the index as one would define it.
type brute struct {
	config Config
	rows   map[int64]Entry
}

func (b *brute) apply(remove []int64, add []Entry) {
	for _, row := range remove {
		delete(b.rows, row)
	}
	for _, e := range add {
		b.rows[e.Row] = e
	}
}

func (b *brute) search(q Query) []Hit {
	df, total := map[uint32]float64{}, 0.0
	counts := map[int64]map[uint32]float64{}
	for row, e := range b.rows {
		counts[row] = map[uint32]float64{}
		for _, t := range e.Terms {
			if t.Count > 0 {
				counts[row][t.ID] += float64(t.Count)
				total += float64(t.Count)
			}
		}
		for id := range counts[row] {
			df[id]++
		}
	}
	n := float64(len(b.rows))
	dense, lexical := len(q.Vector) > 0, len(q.Terms) > 0
	var all []Hit
	for row, e := range b.rows {
		if q.Allow != nil && !q.Allow(e.Doc) {
			continue
		}
		h := Hit{Row: row, Doc: e.Doc}
		if dense {
			h.Dense = new(float64)
			for i, f := range e.Vector {
				*h.Dense += float64(f) * float64(q.Vector[i])
			}
		}
		if lexical {
			h.Lexical = new(float64)
			length := 0.0
			for _, c := range counts[row] {
				length += c
			}
			for _, t := range q.Terms {
				if tf := counts[row][t.ID]; tf > 0 && t.Count > 0 {
					idf := math.Log(1 + (n-df[t.ID]+.5)/(df[t.ID]+.5))
					*h.Lexical += float64(t.Count) * idf * tf * (b.config.K1 + 1) / (tf + b.config.K1*(1-b.config.B+b.config.B*length*n/total))
				}
			}
		}
		all = append(all, h)
	}
	byDense, byLexical := slices.Clone(all), slices.Clone(all)
	if dense {
		sortBy(byDense, func(h Hit) float64 { return *h.Dense })
	}
	if lexical {
		byLexical = slices.DeleteFunc(byLexical, func(h Hit) bool { return *h.Lexical == 0 })
		sortBy(byLexical, func(h Hit) float64 { return *h.Lexical })
	}
	var hits []Hit
	switch {
	case dense && lexical:
		c := max(q.Limit, q.Candidates)
		if q.Candidates == 0 {
			c = max(100, 10*q.Limit)
		}
		hits = bruteFuse(byDense[:min(c, len(byDense))], byLexical[:min(c, len(byLexical))], q.Fusion)
	case dense:
		hits = byDense
		for i := range hits {
			hits[i].Score = *hits[i].Dense
		}
	case lexical:
		hits = byLexical
		for i := range hits {
			hits[i].Score = *hits[i].Lexical
		}
	}
	return hits[:min(q.Limit, len(hits))]
}

func bruteFuse(byDense, byLexical []Hit, f store.Fusion) []Hit {
	union := map[int64]Hit{}
	rank := map[int64]float64{}
	for _, list := range [][]Hit{byDense, byLexical} {
		for i, h := range list {
			union[h.Row] = h
			rank[h.Row] += 1 / (61 + float64(i))
		}
	}
	lowD, highD, lowL, highL := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, h := range union {
		lowD, highD, lowL, highL = min(lowD, *h.Dense), max(highD, *h.Dense), min(lowL, *h.Lexical), max(highL, *h.Lexical)
	}
	var hits []Hit
	for _, h := range union {
		h.Score = rank[h.Row]
		if f.Method != store.FusionRRF {
			weight := cmp.Or(f.DenseWeight, .7)
			h.Score = weight*scaled(*h.Dense, lowD, highD) + (1-weight)*scaled(*h.Lexical, lowL, highL)
		}
		hits = append(hits, h)
	}
	sortBy(hits, func(h Hit) float64 { return h.Score })
	return hits
}

func scaled(x, low, high float64) float64 {
	if high == low {
		if high > 0 {
			return 1
		}
		return 0
	}
	return (x - low) / (high - low)
}

func sortBy(hits []Hit, score func(Hit) float64) {
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(score(b), score(a)), cmp.Compare(a.Row, b.Row)) })
}
