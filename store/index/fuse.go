package index

import (
	"cmp"
	"math"
	"slices"

	"grounded/store"
)

// rankConstant is k of reciprocal rank fusion, as Cormack, Clarke and Büttcher chose it (SIGIR 2009).
const rankConstant = 60

// defaultDenseWeight is what store.Fusion promises.
const defaultDenseWeight = .7

// fuse makes one ranking of both, each in order of its score. Candidates of one kind only are given their score of
// the other too.
func (s *search) fuse(byDense, byLexical []found, f store.Fusion) []Hit {
	all := slices.Clone(byDense)
	at := make(map[int64]int, len(byDense)+len(byLexical))
	ranks := make([]float64, len(byDense), len(byDense)+len(byLexical))
	for i, c := range byDense {
		at[c.row] = i
		ranks[i] = 1 / float64(rankConstant+i+1)
	}
	for i, c := range byLexical {
		rank := 1 / float64(rankConstant+i+1)
		if j, both := at[c.row]; both {
			all[j].lexical = c.lexical
			ranks[j] += rank
			continue
		}
		c.dense = s.cosine(c.candidate)
		all, ranks = append(all, c), append(ranks, rank)
		at[c.row] = len(all) - 1
	}
	lexical := make(map[int64]bool, len(byLexical))
	for _, c := range byLexical {
		lexical[c.row] = true
	}
	for i := range byDense {
		if !lexical[all[i].row] {
			all[i].lexical = s.bm25(all[i].candidate)
		}
	}
	score := func(c *found) float64 { return ranks[at[c.row]] }
	if f.Method != store.FusionRRF {
		score = blend(all, f.DenseWeight)
	}
	hits := s.hits(all, score)
	slices.SortFunc(hits, func(a, b Hit) int { return compareScores(a.Score, b.Score, a.Row, b.Row) })
	return hits
}

// blend returns the weighted sum of both scores, each scaled so that the candidates' lowest is 0 and their highest
// 1. Where all are equal each is 1, or 0 if that score is not positive.
func blend(all []found, denseWeight float64) func(*found) float64 {
	if denseWeight == 0 {
		denseWeight = defaultDenseWeight
	}
	denseWeight = min(max(denseWeight, 0), 1)
	dense := scaling(all, func(c *found) float64 { return c.dense })
	lexical := scaling(all, func(c *found) float64 { return c.lexical })
	return func(c *found) float64 {
		return denseWeight*dense(c.dense) + (1-denseWeight)*lexical(c.lexical)
	}
}

func scaling(all []found, of func(*found) float64) func(float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range all {
		low, high = min(low, of(&all[i])), max(high, of(&all[i]))
	}
	return func(x float64) float64 {
		switch {
		case high > low:
			return (x - low) / (high - low)
		case high > 0:
			return 1
		}
		return 0
	}
}

func compareCandidates(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.row, b.row))
}

// compareScores puts the higher score first, then the lower row.
func compareScores(a, b float64, rowA, rowB int64) int {
	return cmp.Or(cmp.Compare(b, a), cmp.Compare(rowA, rowB))
}
