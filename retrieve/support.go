package retrieve

import (
	"cmp"
	"slices"

	"grounded/corpus"
	"grounded/store"
)

// neighbourShare is how much of the score of the chunk beside it a chunk gets.
const neighbourShare = .3

// place is where a chunk stands.
type place struct {
	document corpus.DocumentID
	ordinal  int
}

// support adds to each hit's score a share of that of the better hit right before or behind it in its document,
// and puts them in the order of the sums. What a document says of a matter runs over several chunks; one that
// merely uses the same words stands alone. Scores count from the lowest hit's, as a neighbour that was not found
// adds nothing.
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
		before, behind := scores[place{c.DocumentID, c.Ordinal - 1}], scores[place{c.DocumentID, c.Ordinal + 1}]
		hits[i].Score += neighbourShare * max(before, behind)
	}
	slices.SortStableFunc(hits, func(a, b store.Hit) int { return cmp.Compare(b.Score, a.Score) })
}
