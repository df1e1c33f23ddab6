package index

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// queryTerm is a term of the query that occurs in the collection.
type queryTerm struct {
	id uint32
	// factor is weight in the query × inverse document frequency × (k1+1): what the term adds to a row's score at
	// most.
	factor float64
	lists  []list // of each view
}

// list is where a term's postings are in a view.
type list struct{ from, to uint32 }

// lexicalQuery is what BM25 needs of a query in one state of the index: a row's score is the sum over the terms of
// factor · count / (count + base + slope · length of the row).
type lexicalQuery struct {
	terms       []queryTerm // in descending order of factor
	rest        []float32   // what the terms from each on add at most
	base, slope float64
}

// newLexicalQuery weighs terms by Lucene's form of the inverse document frequency, log(1 + (N−n+½)/(n+½)), which is
// never negative.
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
		t := queryTerm{id: id, lists: make([]list, len(views))}
		n := 0
		for i := range views {
			from, to := views[i].postings(id)
			t.lists[i] = list{from, to}
			n += views[i].frequency(from, to)
		}
		if n > 0 {
			idf := math.Log1p((float64(rows-n) + .5) / (float64(n) + .5))
			t.factor = weight * idf * (c.K1 + 1)
			q.terms = append(q.terms, t)
		}
	}
	slices.SortFunc(q.terms, func(a, b queryTerm) int {
		return cmp.Or(cmp.Compare(b.factor, a.factor), cmp.Compare(a.id, b.id))
	})
	q.rest = make([]float32, len(q.terms)+1)
	sum := 0.0
	for i := len(q.terms) - 1; i >= 0; i-- {
		sum += q.terms[i].factor
		q.rest[i] = float32(sum * 1.0001) // more than rounding can add
	}
	return q
}

// lexicalSpare is how many rows more than asked for are kept for exact scoring: sums of float32 can only confuse rows
// of nearly equal score.
const lexicalSpare = 8

// sums has a sum for each place of a segment; all are 0 between uses.
type sums [maxSegmentRows]float32

var freeSums = sync.Pool{New: func() any { return new(sums) }}

// addUp offers the rows of a view that have a term of the query to best. It is MaxScore, a term at a time: once
// the terms that are left cannot lift a row over best's floor by themselves, only rows that have got near it are
// looked up in their postings.
func (s *search) addUp(best *top, number int, sum *sums) {
	v := &s.views[number]
	q := s.lexical
	done := 0
	for ; done < len(q.terms) && q.rest[done] >= best.floor; done++ {
		s.addTerm(v, &q.terms[done], number, sum)
	}
	allow := s.allowed(v)
	base, slope := float32(q.base), float32(q.slope)
	for place, score := range sum[:len(v.rows)] {
		if score == 0 {
			continue
		}
		sum[place] = 0
		if score+q.rest[done] < best.floor || !allow(place) {
			continue
		}
		for i := done; i < len(q.terms) && score+q.rest[i] >= best.floor; i++ {
			if p, found := v.posting(q.terms[i].lists[number], uint16(place)); found {
				count := v.count(p)
				score += float32(q.terms[i].factor) * count / (count + base + slope*v.lengths[place])
			}
		}
		if score >= best.floor {
			best.offer(candidate{score, uint16(number), uint16(place), v.rows[place]})
		}
	}
}

// addTerm adds what a term gives to the sums of a view's rows.
func (s *search) addTerm(v *view, t *queryTerm, number int, sum *sums) {
	base, slope, factor := float32(s.lexical.base), float32(s.lexical.slope), float32(t.factor)
	l := t.lists[number]
	counts := v.counts[l.from:l.to]
	for i, place := range v.posts[l.from:l.to] {
		count := float32(counts[i])
		if counts[i] == odd {
			count = v.count(l.from + uint32(i))
		}
		sum[place%maxSegmentRows] += factor * count / (count + base + slope*v.lengths[place])
	}
}

// bm25 is the exact score of a row.
func (s *search) bm25(c candidate) float64 {
	v := &s.views[c.view]
	norm := s.lexical.base + s.lexical.slope*float64(v.lengths[c.place])
	score := 0.0
	for i := range s.lexical.terms {
		t := &s.lexical.terms[i]
		if p, found := v.posting(t.lists[c.view], c.place); found {
			count := float64(v.count(p))
			score += t.factor * count / (count + norm)
		}
	}
	return score
}
