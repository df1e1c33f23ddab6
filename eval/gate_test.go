package eval_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
)

func TestTheGateFailsOnWhatGotWorse(t *testing.T) {
	arms := []string{"plain", "grounded"}
	half := func(i int) bool { return i%2 == 0 }
	before := append(made("m", "plain", 60, half), made("m", "grounded", 60, half)...)
	for name, c := range map[string]struct {
		now    []eval.Item
		limits eval.GateLimits
		failed [2]bool // plain, grounded
	}{
		"the same":            {before, eval.GateLimits{}, [2]bool{}},
		"much worse":          {append(made("m", "plain", 60, half), made("m", "grounded", 60, func(int) bool { return false })...), eval.GateLimits{}, [2]bool{false, true}},
		"allowed to":          {append(made("m", "plain", 60, half), made("m", "grounded", 60, func(int) bool { return false })...), eval.GateLimits{MaxDrop: .6}, [2]bool{}},
		"one answer":          {append(made("m", "plain", 60, half), made("m", "grounded", 60, func(i int) bool { return half(i) && i > 0 })...), eval.GateLimits{}, [2]bool{}},
		"an arm is gone":      {made("m", "plain", 60, half), eval.GateLimits{}, [2]bool{false, true}},
		"answers are missing": {append(made("m", "plain", 60, half), made("m", "grounded", 50, half)...), eval.GateLimits{}, [2]bool{false, true}},
		"some may be missing": {append(made("m", "plain", 60, half), made("m", "grounded", 50, half)...), eval.GateLimits{MaxFailed: .2}, [2]bool{}},
		"better":              {append(made("m", "plain", 60, half), made("m", "grounded", 60, func(int) bool { return true })...), eval.GateLimits{}, [2]bool{}},
	} {
		lines, err := eval.Gate(header(60, arms, "m"), before, header(60, arms, "m"), c.now, eval.ReportConfig{}, c.limits)
		if err != nil || len(lines) != 2 {
			t.Errorf("%s: %d lines, %v", name, len(lines), err)
			continue
		}
		for i, l := range lines {
			if l.Failed != c.failed[i] || l.Failed && l.Why == "" {
				t.Errorf("%s: %s failed: %t, want %t: %+v", name, l.Arm, l.Failed, c.failed[i], l)
			}
		}
	}
	other := made("m", "plain", 3, half)
	for i := range other {
		other[i].Question.ID = "other " + other[i].Question.ID
	}
	if _, err := eval.Gate(header(60, arms, "m"), before, header(3, arms, "m"), other, eval.ReportConfig{}, eval.GateLimits{}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("runs of other questions: %v", err)
	}
}

func TestTheThresholdThatTellsUnanswerableQuestionsIsRecommended(t *testing.T) {
	items := made("m", "grounded", 60, func(i int) bool { return i < 25 })
	for i := range items {
		dense := .9 - float64(i)/1000
		if i >= 30 {
			items[i].Question.Answerable, items[i].Question.Answers = false, nil
			dense -= .2
		}
		items[i].Answer.Passages[0].Scores.Dense = &dense
		items[i].Calls = []eval.Call{{}}
	}
	r, err := eval.NewReport(header(60, []string{"grounded"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	k := eval.Calibrate(r.Columns[0])
	if k.Below == nil || *k.Below < .7 || *k.Below > .872 {
		t.Fatalf("recommended is %+v", k)
	}
	if len(k.Curve) != 60 || k.Curve[24].Risk != 0 || k.Curve[59].Coverage != 1 || k.Curve[59].Risk != 35./60 {
		t.Errorf("curve is %+v", k.Curve)
	}
	if at := k.At; at == nil || at.Threshold < *k.Below || at.Coverage != .5 || at.Risk != 5./30 || !strings.Contains(k.Advice, "abstain_below: 0.871") {
		t.Errorf("at %+v: %s", at, k.Advice)
	}
	if len(r.Calibration) != 1 || r.Calibration[0].Model != "m" {
		t.Errorf("the report has %+v", r.Calibration)
	}
	few, err := eval.NewReport(header(30, []string{"grounded"}, "m"), items[:30], eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if k := eval.Calibrate(few.Columns[0]); k.Below != nil || k.Advice == "" {
		t.Errorf("without unanswerable questions %+v is recommended", k)
	}
}

func TestAThresholdThatErrsOnceIsNotSaidToBeRightAlways(t *testing.T) {
	items := made("m", "grounded", 600, func(i int) bool { return i < 300 })
	for i := range items {
		dense := .9
		if i >= 300 {
			items[i].Question.Answerable, items[i].Question.Answers = false, nil
			if i > 300 {
				dense = .7
			}
		}
		items[i].Answer.Passages[0].Scores.Dense = &dense
		items[i].Calls = []eval.Call{{}}
	}
	r, err := eval.NewReport(header(600, []string{"grounded"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if k := eval.Calibrate(r.Columns[0]); !strings.Contains(k.Advice, "It tells 99.8% of") {
		t.Error(k.Advice)
	}
}

func TestAThresholdDeclinesNoQuestionThatItIsTakenFrom(t *testing.T) {
	items := made("m", "grounded", 60, func(i int) bool { return i < 30 })
	for i := range items {
		dense := .8768
		if i >= 30 {
			items[i].Question.Answerable, items[i].Question.Answers = false, nil
			dense = .7
		}
		items[i].Answer.Passages[0].Scores.Dense = &dense
		items[i].Calls = []eval.Call{{}}
	}
	r, err := eval.NewReport(header(60, []string{"grounded"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if k := eval.Calibrate(r.Columns[0]); k.Below == nil || *k.Below != .876 || k.At.Coverage != .5 {
		t.Errorf("recommended is %+v", k)
	}
	score := 2.
	items[0].Answer.Passages[0].Scores.Rerank = &score
	if r, err = eval.NewReport(header(60, []string{"grounded"}, "m"), items, eval.ReportConfig{}); err != nil {
		t.Fatal(err)
	}
	if k := eval.Calibrate(r.Columns[0]); k.Below != nil || !strings.Contains(k.Advice, "reranked") {
		t.Errorf("of reranked passages recommended is %+v", k)
	}
}

func TestRunsBesideEachOtherHaveTheirOwnArms(t *testing.T) {
	yes := func(int) bool { return true }
	headers := []eval.Header{header(30, []string{"plain", "grounded"}, "m"), header(30, []string{"plain"}, "m")}
	items := [][]eval.Item{append(made("m", "plain", 30, yes), made("m", "grounded", 30, yes)...), made("m", "plain", 30, yes)}
	h, all, baseline, err := eval.Merge([]string{"before", "after"}, headers, items)
	if err != nil {
		t.Fatal(err)
	}
	r, err := eval.NewReport(h, all, eval.ReportConfig{Baseline: baseline})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Columns) != 3 || len(r.Header.Merged) != 2 || r.Header.Merged[0].Name != "before" || len(r.Header.Merged[1].Arms) != 1 {
		t.Errorf("columns %+v of %+v", r.Columns, r.Header.Merged)
	}
}

func TestNothingIsCalledBetterForTakingMore(t *testing.T) {
	for _, name := range eval.ScoreNames() {
		_, err := eval.NewReport(eval.Header{}, nil, eval.ReportConfig{Metric: name})
		takes := slices.Contains([]string{eval.Abstained, eval.PromptTokens, eval.CompletionTokens, eval.CostUSD, eval.FirstTokenMS, eval.TotalMS}, name)
		if errors.Is(err, corpus.ErrInvalid) != takes {
			t.Errorf("by %s: %v", name, err)
		}
	}
}

func TestTheSameIDOfAnotherQuestionIsNotCompared(t *testing.T) {
	items := func(text string) []eval.Item {
		return []eval.Item{{Model: "m", Question: dataset.Question{ID: "q1", Question: text}}}
	}
	headers := []eval.Header{{}, {}}
	if _, _, _, err := eval.Merge([]string{"a", "b"}, headers, [][]eval.Item{items("Why?"), items("How?")}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("other words: %v", err)
	}
	if _, _, _, err := eval.Merge([]string{"a", "b"}, headers, [][]eval.Item{items("Why?"), items("Why?")}); err != nil {
		t.Errorf("the same words: %v", err)
	}
}
