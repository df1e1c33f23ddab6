package eval

import "grounded/retrieve"

// Space is what Tune searches: modes, and in hybrid mode fusions and weights, by lengths of chunks.
type Space struct {
	Modes       []string
	Weights     []float64 // of the dense score
	ChunkTokens []int     // besides the collection's own
}

// DefaultModes are tried when nothing else is said, with DefaultWeights and DefaultTopKs.
func DefaultModes() []string {
	return []string{retrieve.ModeHybrid, retrieve.ModeDense, retrieve.ModeLexical}
}

// DefaultWeights are weights of the dense score.
func DefaultWeights() []float64 { return []float64{.3, .5, .6, .7, .8, .9} }

// DefaultTopKs are numbers of passages.
func DefaultTopKs() []int { return []int{5, 10, 15, 20} }

// Settings lists what is tried: each mode, and hybrid by each fusion and weight, with each length of chunks. weighed is the
// fusion that has weights.
func (s Space) Settings(weighed string) (list []Setting) {
	for _, chunks := range append([]int{0}, s.ChunkTokens...) {
		for _, mode := range s.Modes {
			list = append(list, Setting{Mode: mode, ChunkTokens: chunks})
			if mode != retrieve.ModeHybrid {
				continue
			}
			list = append(list, Setting{Mode: mode, Fusion: "rrf", ChunkTokens: chunks})
			for _, w := range s.Weights {
				list = append(list, Setting{Mode: mode, Fusion: weighed, DenseWeight: w, ChunkTokens: chunks})
			}
		}
	}
	return list
}
