package index

import (
	"slices"

	"grounded/store"
)

func fuse(dense, lexical []Hit, f store.Fusion) []Hit {
	union := map[int64]Hit{}
	for i, h := range dense {
		h.Score = 1 / (60 + float64(i+1))
		union[h.Row] = h
	}
	for i, h := range lexical {
		h.Score = union[h.Row].Score + 1/(60+float64(i+1))
		union[h.Row] = h
	}
	var hits []Hit
	for _, h := range union {
		hits = append(hits, h)
	}
	if f.Method != store.FusionRRF && len(hits) > 0 {
		weight := f.DenseWeight
		if weight == 0 {
			weight = .7
		}
		loD, hiD, loL, hiL := *hits[0].Dense, *hits[0].Dense, *hits[0].Lexical, *hits[0].Lexical
		for _, h := range hits {
			loD, hiD, loL, hiL = min(loD, *h.Dense), max(hiD, *h.Dense), min(loL, *h.Lexical), max(hiL, *h.Lexical)
		}
		for i, h := range hits {
			hits[i].Score = 0
			if hiD > loD {
				hits[i].Score += weight * (*h.Dense - loD) / (hiD - loD)
			}
			if hiL > loL {
				hits[i].Score += (1 - weight) * (*h.Lexical - loL) / (hiL - loL)
			}
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int { return order(a.Score, b.Score, a, b) })
	return hits
}
