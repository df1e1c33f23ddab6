package index

import (
	"context"
	"math"
	"slices"

	"grounded/store"
)

// Query asks for rows like a vector, or with the terms, or both.
type Query struct {
	Vector []float32 // empty: no dense search
	Terms  []Term    // Count is the term's weight; empty: no lexical search
	// Allow tells whether a document may be found; nil allows all. It is called at the same time from several
	// goroutines, and more than once for a document.
	Allow func(doc int64) bool
	Limit int // of hits; 0 means 10
	// Candidates of each kind that are looked at before fusion; 0 means 10 × Limit, at least 100.
	Candidates int
	Fusion     store.Fusion // how both scores become one; not used when there is one only
}

// Hit is a row that was found.
type Hit struct {
	Row, Doc int64
	Score    float64
	Dense    *float64 // cosine similarity; nil if there was no dense search
	Lexical  *float64 // BM25, 0 if no term of the query is in it; nil if there was no lexical search
}

// Search returns the best hits, best first; equal scores are in order of Row. Lexical search finds only rows with
// a term of the query. A vector of other dimensions, or one that is not finite, is corpus.ErrInvalid.
func (x *Index) Search(ctx context.Context, q Query) ([]Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	limit := q.Limit
	if limit <= 0 {
		limit = 10
	}
	candidates := max(limit, q.Candidates)
	if q.Candidates <= 0 {
		candidates = max(100, 10*limit)
	}
	dense := len(q.Vector) > 0
	if dense {
		if err := x.check(q.Vector); err != nil {
			return nil, err
		}
	}
	lexical := len(q.Terms) > 0
	n, total := float64(len(x.rows)), 0.0
	df := map[uint32]float64{}
	for _, e := range x.rows {
		for _, t := range e.Terms {
			df[t.ID]++
			total += float64(t.Count)
		}
	}
	var hits []Hit
	for _, e := range x.rows {
		if q.Allow != nil && !q.Allow(e.Doc) {
			continue
		}
		h := Hit{Row: e.Row, Doc: e.Doc, Dense: new(float64), Lexical: new(float64)}
		length := 0.0
		for i, v := range e.Vector {
			if dense {
				*h.Dense += float64(v) * float64(q.Vector[i])
			}
		}
		for _, t := range e.Terms {
			length += float64(t.Count)
		}
		for _, w := range q.Terms {
			for _, t := range e.Terms {
				if t.ID == w.ID {
					tf := float64(t.Count)
					idf := math.Log(1 + (n-df[t.ID]+.5)/(df[t.ID]+.5))
					*h.Lexical += float64(w.Count) * idf * tf * (x.config.K1 + 1) / (tf + x.config.K1*(1-x.config.B+x.config.B*length*n/total))
				}
			}
		}
		hits = append(hits, h)
	}
	byDense := slices.Clone(hits)
	slices.SortFunc(byDense, func(a, b Hit) int { return order(*a.Dense, *b.Dense, a, b) })
	byLexical := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return *h.Lexical <= 0 })
	slices.SortFunc(byLexical, func(a, b Hit) int { return order(*a.Lexical, *b.Lexical, a, b) })
	switch {
	case dense && lexical:
		hits = fuse(byDense[:min(candidates, len(byDense))], byLexical[:min(candidates, len(byLexical))], q.Fusion)
	case dense:
		hits = byDense
		for i := range hits {
			hits[i].Score, hits[i].Lexical = *hits[i].Dense, nil
		}
	case lexical:
		hits = byLexical
		for i := range hits {
			hits[i].Score, hits[i].Dense = *hits[i].Lexical, nil
		}
	default:
		return nil, nil
	}
	return hits[:min(limit, len(hits))], nil
}

func order(a, b float64, x, y Hit) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	case x.Row < y.Row:
		return -1
	}
	return 1
}
