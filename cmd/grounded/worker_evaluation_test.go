package main

import (
	"testing"

	"grounded/config"
	"grounded/eval"
)

func TestBetterSettingsAreWrittenAsAConfigurationOfTheirOwn(t *testing.T) {
	for want, tuned := range map[string]eval.Tuned{
		"": {Best: eval.Setting{Mode: "dense"}, BestTopK: 5},
		"retrieve:\n  mode: hybrid\n  fusion: blend\n  dense_weight: 0.3\n": {Best: eval.Setting{Mode: "hybrid", Fusion: "blend", DenseWeight: .3}, Better: true},
		"retrieve:\n  top_k: 20\n": {Best: eval.Setting{Mode: "dense"}, BestTopK: 20, Deeper: true},
	} {
		got, err := tunedText(tuned)
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		if _, err := config.Parse([]byte(got), func(string) (string, bool) { return "", false }); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	}
}
