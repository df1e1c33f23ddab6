package main

import (
	"slices"
	"testing"

	"grounded/eval"
	"grounded/model"
)

func TestAdviceWarnsOfCandidatesThatRetire(t *testing.T) {
	a := eval.Advice{Candidates: []eval.Candidate{{Model: "going"}, {Model: "gone"}, {Model: "old"}}}
	got := retirements(a, []model.Finding{
		{Model: "going", Kind: "retiring", Text: "Until May."}, {Model: "gone", Kind: "retired", Text: "Since March."},
		{Model: "old", Kind: "old", Text: "Its price is old."}, {Model: "other", Kind: "retiring", Text: "Until May."},
	})
	if want := []string{"going: Until May.", "gone: Since March."}; !slices.Equal(got, want) {
		t.Errorf("notes are %q, want %q", got, want)
	}
}
