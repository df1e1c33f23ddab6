package finetune

import (
	"testing"

	"grounded/eval/dataset"
)

func TestNothingIsMadeOfWhatNobodyHasReviewed(t *testing.T) {
	draft := dataset.Question{ID: "a", Question: "Why?", Answers: []string{"Because."}, Answerable: true, Draft: true}
	examples, left, err := Make(t.Context(), Source{}, []dataset.Question{draft})
	if err != nil || len(examples) > 0 || len(left) != 1 || left[0].Question != "a" {
		t.Errorf("examples %v, left out %v, %v", examples, left, err)
	}
}
