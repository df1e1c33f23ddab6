package eval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/stat"
	"grounded/retrieve"
)

// ranks finds the evidence of question "n?" at the rank that the mode has for it, among passages of other documents.
type ranks func(mode string, n int) int

func (r ranks) RetrieveAll(_ context.Context, requests []retrieve.Request) ([]retrieve.Result, error) {
	var results []retrieve.Result
	for _, q := range requests {
		n := 0
		if _, err := fmt.Sscan(q.Question[:len(q.Question)-1], &n); err != nil {
			return nil, err
		}
		var found []corpus.Passage
		for rank := 1; rank <= q.TopK; rank++ {
			p := passage("other.pdf", rank, rank)
			if rank == r(q.Mode, n) {
				p = passage(documentOf(n), 1, 1)
			}
			found = append(found, p)
		}
		results = append(results, retrieve.Result{Passages: found})
	}
	return results, nil
}

func documentOf(n int) string { return fmt.Sprintf("%d.pdf", n%60) }

func tune(t *testing.T, r ranks, c eval.TuneConfig) eval.Tuned {
	t.Helper()
	c.Open = func(context.Context, eval.Setting) (eval.BatchRetriever, error) { return r, nil }
	c.Current = eval.Setting{Mode: "hybrid"}
	c.Others = []eval.Setting{{Mode: "dense"}, {Mode: "lexical"}}
	questions := numbered(120)
	for i := range questions {
		questions[i].Evidence = []dataset.Evidence{{Document: documentOf(i + 1), Page: 1}}
	}
	tuned, err := eval.Tune(t.Context(), c, questions)
	if err != nil {
		t.Fatal(err)
	}
	if tuned.Chosen != 60 || tuned.Tested != 60 || tuned.Level != eval.ByPage || tuned.Unit != eval.UnitDocument {
		t.Errorf("halves are %d and %d questions, by %s and %s", tuned.Chosen, tuned.Tested, tuned.Level, tuned.Unit)
	}
	return tuned
}

func TestTuningFindsWhatIsBetterOnOtherDocumentsToo(t *testing.T) {
	tuned := tune(t, func(mode string, n int) int {
		return map[string]int{"hybrid": 3, "dense": 1 + n%2, "lexical": 9}[mode]
	}, eval.TuneConfig{TopK: 10, TopKs: []int{2, 5, 20}})
	if tuned.Best.Mode != "dense" || !tuned.Better || tuned.Gain.Verdict != stat.Better || *tuned.Gain.Difference < .1 || *tuned.Before.Mean != .5 {
		t.Errorf("tuned is %+v", tuned)
	}
	if tuned.BestTopK != 2 || !tuned.Deeper || len(tuned.TopKTries) != 4 || tuned.Trials[2].Mode != "lexical" {
		t.Errorf("top-k is %+v", tuned)
	}
	tuned = tune(t, func(string, int) int { return 12 }, eval.TuneConfig{TopK: 10, TopKs: []int{5, 20}})
	if tuned.Better || tuned.Best.Mode != "hybrid" || tuned.BestTopK != 20 || !tuned.Deeper {
		t.Errorf("of equals the current setting stays, and more passages help: %+v", tuned)
	}
}

// TestTuningDoesNotBelieveChance gives each mode ranks that have nothing to do with it.
func TestTuningDoesNotBelieveChance(t *testing.T) {
	better := 0
	for seed := range 8 {
		tuned := tune(t, func(mode string, n int) int { return 1 + (n*2654435761+len(mode)*40503+seed*9176)>>7%5 }, eval.TuneConfig{TopK: 5})
		if tuned.Better {
			better++
		}
		if !slices.ContainsFunc(tuned.Trials, func(trial eval.Trial) bool { return trial.Mode == "hybrid" }) {
			t.Error("the current setting was not tried")
		}
	}
	if better > 1 {
		t.Errorf("%d of 8 times a setting is called better", better)
	}
}

func TestOneDocumentCanNotBeDivided(t *testing.T) {
	questions := numbered(30)
	for i := range questions {
		questions[i].Evidence = []dataset.Evidence{{Document: "a.pdf"}}
	}
	if _, err := eval.Tune(t.Context(), eval.TuneConfig{}, questions); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("error is %v", err)
	}
}

func TestFewQuestionsChangeNothing(t *testing.T) {
	questions := numbered(8)
	for i := range questions {
		questions[i].Evidence = []dataset.Evidence{{Document: documentOf(i + 1), Page: 1}}
	}
	first := ranks(func(string, int) int { return 1 })
	tuned, err := eval.Tune(t.Context(), eval.TuneConfig{
		Open:    func(context.Context, eval.Setting) (eval.BatchRetriever, error) { return first, nil },
		Current: eval.Setting{Mode: "hybrid"}, TopK: 10, TopKs: []int{5},
	}, questions)
	if err != nil {
		t.Fatal(err)
	}
	if tuned.BestTopK != 5 || tuned.TopKGain.Verdict != stat.TooFewQuestions || tuned.Deeper || tuned.Better {
		t.Errorf("tuned is %+v", tuned)
	}
}
