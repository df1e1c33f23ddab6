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
		{nil, "few-shot", "prompting with examples"},
		{nil, "grounded", "retrieval"},
		{tuned, "plain", "fine-tuned"},
		{tuned, "grounded", "fine-tuned, retrieval"},
		{&model.Lineage{Base: "base", Adapter: "a.gguf"}, "oracle", "fine-tuned, the right passages given"},
		{own, "few-shot", "trained elsewhere, prompting with examples"},
	} {
		if got := way(model.Card{Lineage: c.lineage}, c.arm); got != c.want {
			t.Errorf("%+v %s is %q, want %q", c.lineage, c.arm, got, c.want)
		}
	}
}
