package eval_test

import (
	"slices"
	"testing"

	"grounded/eval"
)

func TestASpaceHasEachModeAndHybridByEachFusion(t *testing.T) {
	got := eval.Space{Modes: []string{"dense", "hybrid"}, Weights: []float64{.5}, ChunkTokens: []int{150}}.Settings("blend")
	want := []eval.Setting{
		{Mode: "dense"}, {Mode: "hybrid"}, {Mode: "hybrid", Fusion: "rrf"}, {Mode: "hybrid", Fusion: "blend", DenseWeight: .5},
		{Mode: "dense", ChunkTokens: 150}, {Mode: "hybrid", ChunkTokens: 150}, {Mode: "hybrid", Fusion: "rrf", ChunkTokens: 150}, {Mode: "hybrid", Fusion: "blend", DenseWeight: .5, ChunkTokens: 150},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
