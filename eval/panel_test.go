package eval_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/stat"
	"grounded/model"
)

// stored is a run of one dataset, the newer the higher its number.
func stored(name string, number, n int, arms []string, items ...[]eval.Item) eval.Stored {
	s := eval.Stored{Name: name, Header: header(n, arms)}
	s.Header.Dataset, s.Header.DatasetHash, s.Header.Created = "q.jsonl", "abc", time.Unix(int64(number), 0)
	seen := map[string]bool{}
	for _, list := range items {
		s.Items = append(s.Items, list...)
		for _, i := range list {
			if !seen[i.Model] {
				seen[i.Model] = true
				s.Header.Models = append(s.Header.Models, model.Card{ID: i.Model, Access: map[bool]string{true: "open", false: "proprietary"}[strings.HasPrefix(i.Model, "open")], License: "MIT"})
			}
		}
	}
	return s
}

func always(yes bool) func(int) bool { return func(int) bool { return yes } }

func until(n int) func(int) bool { return func(i int) bool { return i < n } }

func TestThePanelPutsRunsOfTheSameQuestionsBesideEachOther(t *testing.T) {
	arms := []string{"plain", "grounded"}
	sample := stored("sample", 9, 10, arms, made("c", "plain", 10, always(true)))
	sample.Header.DatasetHash = "other"
	other := stored("other settings", 1, 40, arms, made("b", "plain", 40, until(20)))
	other.Header.TopK = 3
	runs := []eval.Stored{sample,
		stored("newer", 3, 40, arms, made("a", "plain", 40, until(10)), made("a", "grounded", 20, until(20))),
		stored("older", 2, 40, arms, made("a", "plain", 40, until(40)), made("a", "grounded", 40, until(30))),
		other}
	for _, name := range []string{"", "q", "q.jsonl", "abc"} {
		r, notes, err := eval.Panel(runs, name, eval.ReportConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if panel := strings.Join(r.Panel, ", "); panel != "newer, older, other settings" {
			t.Errorf("%q: the panel is of %s", name, panel)
		}
		got := map[string]float64{}
		for _, c := range r.Columns {
			got[c.Model+" "+c.Arm] = *c.Scores[eval.Right].Mean
		}
		if len(got) != 3 || got["a plain"] != .25 || got["a grounded"] != .75 || got["b plain"] != .5 {
			t.Errorf("%q: right is %v", name, got)
		}
		text := strings.Join(notes, "\n")
		if wantSample := name != "abc"; strings.Contains(text, "The run sample is left out") != wantSample || !strings.Contains(text, "newer and other settings have other settings (top_k)") {
			t.Errorf("%q: notes are %q", name, notes)
		}
	}
	if _, _, err := eval.Panel(runs, "unheard", eval.ReportConfig{}); !errors.Is(err, corpus.ErrNotFound) || !strings.Contains(corpus.HintOf(err), "q.jsonl") {
		t.Errorf("another dataset: %v, %s", err, corpus.HintOf(err))
	}
	if _, _, err := eval.Panel(nil, "", eval.ReportConfig{}); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("no run: %v", err)
	}
}

func TestWhatWasMeasuredOfAModelIsListedByRunAndArm(t *testing.T) {
	items := append(made("a", "plain", 40, until(10)), made("a", "grounded", 40, func(i int) bool { return i >= 2 && i < 32 })...)
	for i := range items {
		first, tokens := *items[i].Answer.Timings.TotalMS-50, 11
		items[i].Answer.Timings.FirstTokenMS, items[i].Answer.Usage.CompletionTokens = &first, &tokens
	}
	list, err := eval.Measure([]eval.Stored{stored("run", 1, 40, []string{"plain", "grounded"}, items, made("b", "plain", 40, always(true)))}, "a")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d, %v", len(list), err)
	}
	plain, grounded := list[0], list[1]
	if *plain.Right.Mean != .25 || *grounded.Right.Mean != .75 || plain.Right.Interval == nil || plain.HarmRate != nil || *grounded.HarmRate != .2 {
		t.Errorf("measured are %+v and %+v", plain, grounded)
	}
	// 10 tokens after the first in 50 ms.
	if math.Abs(*plain.TokensPerSecond-200) > 1e-6 || *plain.Total.P50 != 100 || *grounded.FirstToken.P99 != 250 {
		t.Errorf("speed is %v, total %v, first %v", *plain.TokensPerSecond, *plain.Total.P50, *grounded.FirstToken.P99)
	}
	if math.Abs(*grounded.PerQuestion-.003) > 1e-9 || math.Abs(*grounded.PerRight-.004) > 1e-9 {
		t.Errorf("costs are %v and %v", *grounded.PerQuestion, *grounded.PerRight)
	}
	// Citations are looked up when the answer is written.
	took := 40.
	for i := range items {
		if a := items[i].Answer; items[i].Arm == "grounded" {
			a.Passages = []corpus.Passage{{}}
		}
	}
	speed := func() *float64 {
		list, err := eval.Measure([]eval.Stored{stored("run", 1, 40, []string{"plain", "grounded"}, items)}, "a")
		if err != nil {
			t.Fatal(err)
		}
		return list[1].TokensPerSecond
	}
	if got := speed(); got != nil {
		t.Errorf("where the time of looking up is not known, speed is %v", *got)
	}
	for i := range items {
		items[i].Answer.Timings.CheckMS = &took
	}
	if got := speed(); got == nil || math.Abs(*got-1000) > 1e-6 {
		t.Errorf("10 tokens in 50 ms, 40 of them of looking up, is %v a second", got)
	}
	// Without a price, one that declines without a model is free, and says nothing of the others.
	for i := range items {
		if items[i].Answer.CostUSD = nil; i == 45 {
			items[i].Answer.CostUSD = new(float64)
		}
	}
	list, err = eval.Measure([]eval.Stored{stored("run", 1, 40, []string{"plain", "grounded"}, items)}, "a")
	if err != nil || list[1].PerQuestion != nil || list[1].PerRight != nil {
		t.Errorf("an unknown price is %v a question, %v", list[1].PerQuestion, err)
	}
	if list, err := eval.Measure(nil, "a"); err != nil || len(list) != 0 {
		t.Errorf("of no run: %v, %v", list, err)
	}
}

func TestOneUnknownPriceMakesTheCostOfAQuestionUnknown(t *testing.T) {
	partly := made("a", "grounded", 40, until(30))
	for i := range partly {
		none := 0.
		if partly[i].Answer.CostUSD = nil; i < 4 { // declined before a model was asked
			partly[i].Answer.CostUSD = &none
		}
	}
	run := stored("run", 1, 40, []string{"plain", "grounded"}, made("a", "plain", 40, until(10)), partly)
	list, err := eval.Measure([]eval.Stored{run}, "a")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d, %v", len(list), err)
	}
	if list[1].PerQuestion != nil || list[1].PerRight != nil || math.Abs(*list[0].PerQuestion-.001) > 1e-9 {
		t.Errorf("a question costs %v, a right answer %v; without documents %v", list[1].PerQuestion, list[1].PerRight, *list[0].PerQuestion)
	}
	r, _, err := eval.Panel([]eval.Stored{run}, "", eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Grounding[0]; g.AddedUSD != nil {
		t.Errorf("documents add $%g to a question", *g.AddedUSD)
	}
	a, err := eval.Advise(r, eval.Wanted{Weights: eval.Weights{Quality: 1}, Arms: []string{"grounded"}})
	if err != nil {
		t.Fatal(err)
	}
	if c := a.Candidates[0]; c.CostUSD != nil || strings.Contains(a.Reason, "free") {
		t.Errorf("cost is %v: %s", c.CostUSD, a.Reason)
	}
}

func TestAdviceNamesTheBestByTheWeightsOrSaysThatItCantTell(t *testing.T) {
	quality := eval.Weights{Quality: 1}
	panel := func(lists ...[]eval.Item) eval.Report {
		r, _, err := eval.Panel([]eval.Stored{stored("run", 1, 60, []string{"plain", "grounded"}, lists...)}, "", eval.ReportConfig{Metric: eval.Right})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	half := func(i int) bool { return i%2 == 0 }
	better := panel(made("open-a", "plain", 60, until(10)), made("b", "grounded", 60, until(50)), made("c", "plain", 60, until(5)))
	unpriced := made("c", "plain", 60, always(true))
	for i := range unpriced {
		unpriced[i].Answer.CostUSD = nil
	}
	for name, c := range map[string]struct {
		report eval.Report
		want   eval.Wanted
		chosen string // "" when the figures can't tell
		reason string
	}{
		"one is better":             {better, eval.Wanted{Weights: quality}, "b grounded", "better by these weights than each of the others; than the next, open-a plain"},
		"cost outweighs it":         {better, eval.Wanted{Weights: eval.Weights{Quality: 1, Cost: 8}}, "", "can't tell open-a plain"},
		"only an open one":          {better, eval.Wanted{Weights: quality, Access: "open"}, "open-a plain", "only one that meets"},
		"only a quick one":          {better, eval.Wanted{Weights: quality, MaxLatencyMS: 200}, "", "can't tell open-a plain (right 0.167, $0.001000 a question, P95 0.10 s) by these weights from c plain (too few questions; about "},
		"only a cheap one":          {better, eval.Wanted{Weights: quality, MaxCostUSD: .002, Arms: []string{"grounded"}}, "", "No measured model meets"},
		"two copies":                {panel(made("a", "plain", 60, half), made("b", "plain", 60, half)), eval.Wanted{Weights: quality}, "", "can't tell a plain"},
		"two for two reasons":       {panel(made("a", "plain", 60, half), made("b", "plain", 60, half), made("c", "plain", 60, until(29))), eval.Wanted{Weights: quality}, "", "from b plain (no difference shown), c plain (too few questions; about 467"},
		"too few":                   {panel(made("a", "plain", 8, always(true)), made("b", "plain", 8, always(false))), eval.Wanted{Weights: quality}, "", "No measured model"},
		"a price that is not known": {panel(made("a", "plain", 60, until(10)), unpriced), eval.Wanted{Weights: eval.Weights{Quality: 1, Cost: 1}}, "a plain", "only one"},
		"and does not matter":       {panel(made("a", "plain", 60, until(10)), unpriced), eval.Wanted{Weights: quality}, "c plain", "better"},
	} {
		a, err := eval.Advise(c.report, c.want)
		if err != nil {
			t.Fatal(err)
		}
		chosen := ""
		if a.Chosen != nil {
			chosen = a.Chosen.Model + " " + a.Chosen.Arm
		}
		if chosen != c.chosen || !strings.Contains(a.Reason, c.reason) {
			t.Errorf("%s: chose %q: %s", name, chosen, a.Reason)
		}
	}
	for _, w := range []eval.Weights{{}, {Quality: -1, Cost: 2}, {Quality: math.Inf(1)}, {Quality: math.NaN()}} {
		if _, err := eval.Advise(better, eval.Wanted{Weights: w}); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("weights %v: %v", w, err)
		}
	}
	for reason, w := range map[string]eval.Wanted{
		"nobody can choose the arm oracle": {Weights: quality, Arms: []string{"grounded", eval.ArmOracle}}, "choose the arm distractor": {Weights: quality, Arms: []string{eval.ArmDistractor}},
		"not -1": {Weights: quality, MaxCostUSD: -1}, "between 0 and 1, not -1": {Weights: quality, Rule: stat.Rule{Effect: -1}}, "between 0 and 1, not 2": {Weights: quality, Rule: stat.Rule{Effect: 2}},
		"not NaN": {Weights: quality, MaxCostUSD: math.NaN()},
	} {
		if _, err := eval.Advise(better, w); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	a, err := eval.Advise(panel(made("a", "plain", 60, until(10)), unpriced), eval.Wanted{Weights: eval.Weights{Quality: 1, Cost: 1}})
	if err != nil || len(a.Excluded) != 1 || !strings.Contains(a.Excluded[0].Why, "cost=0 leaves the cost out") {
		t.Errorf("without a price: %+v, %v", a.Excluded, err)
	}
}
