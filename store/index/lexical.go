package index

import (
	"cmp"
	"math"
	"slices"
)

// queryTerm is a term of the query that occurs in the collection.
type queryTerm struct {
	id     uint32
	factor float64 // weight in the query × inverse document frequency × (k1+1)
}

// lexicalQuery is what BM25 needs of a query in one state of the index: a row's score is the sum over the terms of
// factor · count / (count + base + slope · length of the row).
type lexicalQuery struct {
	terms       []queryTerm
	base, slope float64
}

// newLexicalQuery weighs terms by Lucene's form of the inverse document frequency, log(1 + (N−n+½)/(n+½)), which is
// never negative. Terms come in descending order of factor.
func newLexicalQuery(c Config, views []view, terms []Term) *lexicalQuery {
	rows, length := 0, 0.0
	for i := range views {
		rows += views[i].live
		length += views[i].length
	}
	weights := map[uint32]float64{}
	for _, t := range terms {
		if t.Count > 0 && !math.IsInf(float64(t.Count), 1) {
			weights[t.ID] += float64(t.Count)
		}
	}
	q := &lexicalQuery{base: c.K1 * (1 - c.B)}
	if length > 0 {
		q.slope = c.K1 * c.B * float64(rows) / length
	}
	for id, weight := range weights {
		n := 0
		for i := range views {
			n += views[i].frequency(id)
		}
		if n > 0 {
			idf := math.Log1p((float64(rows-n) + .5) / (float64(n) + .5))
			q.terms = append(q.terms, queryTerm{id, weight * idf * (c.K1 + 1)})
		}
	}
	slices.SortFunc(q.terms, func(a, b queryTerm) int {
		return cmp.Or(cmp.Compare(b.factor, a.factor), cmp.Compare(a.id, b.id))
	})
	return q
}

// sums has a sum for each place of a segment; all are 0 between uses.
type sums [maxSegmentRows]float32

// addUp offers the rows of a view that have a term of the query to best.
func (s *search) addUp(best *top, number int, sum *sums) {
	v := &s.views[number]
	base, slope := float32(s.lexical.base), float32(s.lexical.slope)
	for _, t := range s.lexical.terms {
		from, to := v.postings(t.id)
		factor := float32(t.factor)
		posts, counts := v.posts[from:to], v.counts[from:to]
		for i, place := range posts {
			count := float32(counts[i])
			if counts[i] == odd {
				count = v.count(from + uint32(i))
			}
			sum[place&(maxSegmentRows-1)] += factor * count / (count + base + slope*v.lengths[place])
		}
	}
	allow := s.allowed(v)
	floor := best.floor
	for place, score := range sum[:len(v.rows)] {
		if score == 0 {
			continue
		}
		sum[place] = 0
		if score >= floor && allow(place) {
			best.offer(candidate{score, uint16(number), uint16(place), v.rows[place]})
			floor = best.floor
		}
	}
}

// bm25 is the exact score of a row.
func (s *search) bm25(c candidate) float64 {
	v := &s.views[c.view]
	norm := s.lexical.base + s.lexical.slope*float64(v.lengths[c.place])
	score := 0.0
	for _, t := range s.lexical.terms {
		from, to := v.postings(t.id)
		if i, found := slices.BinarySearch(v.posts[from:to], c.place); found {
			count := float64(v.count(from + uint32(i)))
			score += t.factor * count / (count + norm)
		}
	}
	return score
}
