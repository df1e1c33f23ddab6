package eval

import (
	"testing"

	"grounded/model"
)

func TestAColumnSaysWhichWayItIs(t *testing.T) {
	tuned, own := &model.Lineage{Base: "base", Job: "ftjob-1"}, &model.Lineage{Base: "base"}
	for _, c := range []struct {
		lineage   *model.Lineage
		arm, want string
	}{
		{nil, "plain", "the model alone"},
		{nil, "few-shot", "examples in the prompt"},
		{nil, "grounded", "retrieval"},
		{tuned, "plain", "fine-tuned model"},
		{tuned, "grounded", "fine-tuned model, retrieval"},
		{&model.Lineage{Base: "base", Adapter: "a.gguf"}, "oracle", "fine-tuned model, the right passages given"},
		{own, "few-shot", "model trained elsewhere, examples in the prompt"},
	} {
		if got := way(model.Card{Lineage: c.lineage}, c.arm); got != c.want {
			t.Errorf("%+v %s is %q, want %q", c.lineage, c.arm, got, c.want)
		}
	}
}
