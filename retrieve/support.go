package retrieve

import (
	"cmp"
	"slices"

	"grounded/corpus"
	"grounded/store"
)

const (
	// reach is how many places away a chunk still supports another.
	reach = 3
	// decay is what each of those places leaves of its score.
	decay = .5
	// beforeShare is what a chunk before another counts for beside one behind it: where a matter begins is the place
	// to read from.
	beforeShare = .5
)

// place is where a chunk stands.
type place struct {
	document corpus.DocumentID
	ordinal  int
}

// support adds to each hit's score shares of those of the hits near it in its document, and puts them in the order
// of the sums. What a document says of a matter runs over several chunks; one that merely uses the same words stands
// alone. Scores count from the lowest hit's, as a neighbour that was not found adds nothing.
func support(hits []store.Hit) {
	if len(hits) == 0 {
		return
	}
	lowest := hits[0].Score
	for _, h := range hits {
		lowest = min(lowest, h.Score)
	}
	scores := make(map[place]float64, len(hits))
	for _, h := range hits {
		scores[place{h.Chunk.DocumentID, h.Chunk.Ordinal}] = h.Score - lowest
	}
	for i := range hits {
		c := hits[i].Chunk
		share := 1.0
		for away := 1; away <= reach; away++ {
			share *= decay
			before, behind := scores[place{c.DocumentID, c.Ordinal - away}], scores[place{c.DocumentID, c.Ordinal + away}]
			hits[i].Score += share * max(beforeShare*before, behind)
		}
	}
	slices.SortStableFunc(hits, func(a, b store.Hit) int { return cmp.Compare(b.Score, a.Score) })
}
