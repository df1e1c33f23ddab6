package metric

import (
	"math"
	"slices"
)

// A ranking is a list of items (documents, or pages of documents), best first, none twice. Gains say what each
// relevant item is worth, above 0; what is not in them is not relevant. Without any relevant item no ranking can be
// judged: ok is false. All agree with trec_eval, as pytrec_eval runs it, on rankings without ties.

// Recall is the share of the relevant items that are among the first k: |relevant ∩ top k| / |relevant|
// (trec_eval's recall_k).
func Recall(ranking []string, gains map[string]float64, k int) (score float64, ok bool) {
	if len(gains) == 0 {
		return 0, false
	}
	return float64(relevant(ranking, gains, k)) / float64(len(gains)), true
}

// Precision is the share of the first k places that hold a relevant item: |relevant ∩ top k| / k. Places that are
// empty, since less was found, count as wrong (trec_eval's P_k).
func Precision(ranking []string, gains map[string]float64, k int) (score float64, ok bool) {
	if len(gains) == 0 || k <= 0 {
		return 0, false
	}
	return float64(relevant(ranking, gains, k)) / float64(k), true
}

// ReciprocalRank is 1 / the rank of the first relevant item among the first k, 0 if none is; its mean is MRR@k
// (trec_eval's recip_rank, cut at k).
func ReciprocalRank(ranking []string, gains map[string]float64, k int) (score float64, ok bool) {
	if len(gains) == 0 {
		return 0, false
	}
	for i, item := range ranking[:min(k, len(ranking))] {
		if gains[item] > 0 {
			return 1 / float64(i+1), true
		}
	}
	return 0, true
}

// NDCG is the discounted cumulative gain of the first k over that of the best ranking there can be:
// DCG = Σ gain(i) / log₂(i+1), i from 1 (Järvelin and Kekäläinen, 2002; trec_eval's ndcg_cut_k).
func NDCG(ranking []string, gains map[string]float64, k int) (score float64, ok bool) {
	if len(gains) == 0 {
		return 0, false
	}
	var best []float64
	for _, g := range gains {
		best = append(best, g)
	}
	slices.SortFunc(best, func(a, b float64) int {
		if a > b {
			return -1
		}
		return 1
	})
	ideal, found := 0.0, 0.0
	for i, g := range best[:min(k, len(best))] {
		ideal += g / math.Log2(float64(i+2))
	}
	for i, item := range ranking[:min(k, len(ranking))] {
		found += gains[item] / math.Log2(float64(i+2))
	}
	return found / ideal, true
}

func relevant(ranking []string, gains map[string]float64, k int) (n int) {
	for _, item := range ranking[:min(k, len(ranking))] {
		if gains[item] > 0 {
			n++
		}
	}
	return n
}

// Overlap compares what an answer cites with what is relevant: precision is the share of the cited that is relevant,
// nil when nothing is cited; recall the share of the relevant that is cited. Both are nil when nothing is known to be
// relevant.
func Overlap(cited, relevant map[string]bool) (precision, recall *float64) {
	if len(relevant) == 0 {
		return nil, nil
	}
	shared := 0.0
	for item := range cited {
		if relevant[item] {
			shared++
		}
	}
	if len(cited) > 0 {
		share := shared / float64(len(cited))
		precision = &share
	}
	share := shared / float64(len(relevant))
	return precision, &share
}
