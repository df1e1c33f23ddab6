package eval_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/stat"
	"grounded/model"
)

func cited(document string, page int, sentence string, verified bool) corpus.Citation {
	return corpus.Citation{Document: document, Page: &page, Sentence: sentence, Verified: verified}
}

func TestItemsAreScoredByWhatIsStored(t *testing.T) {
	question := dataset.Question{ID: "q", Question: "How many days?", Answers: []string{"30 days"}, Answerable: true,
		Evidence: []dataset.Evidence{{Document: "a.pdf", Page: 2}, {Document: "b.pdf", Page: 1}}}
	unpaged := question
	unpaged.Evidence = []dataset.Evidence{{Document: "a.pdf"}}
	unanswerable := dataset.Question{ID: "u", Question: "Who?"}
	unknown := dataset.Question{ID: "n", Question: "Why?", Answerable: true}
	passages := []corpus.Passage{passage("a.pdf", 1, 2), passage("c.pdf", 1, 1)}
	const none = -1
	for name, c := range map[string]struct {
		question dataset.Question
		answer   corpus.Answer
		want     map[string]float64
	}{
		"cited": {question, corpus.Answer{Text: "You have 30 [1] days [1].", Passages: passages, Unsupported: []string{"More."},
			Citations: []corpus.Citation{cited("a.pdf", 1, "You have 30 days.", true), cited("c.pdf", 1, "You have 30 days.", false)}},
			map[string]float64{eval.Exact: 0, eval.F1: 2 * (2. / 4) * 1 / (2./4 + 1), eval.Contains: 1, eval.Right: 1, eval.Abstained: 0,
				eval.CitesDocuments: 1. / 2, eval.DocumentsCited: 1. / 2, eval.CitesPages: 0, eval.PagesCited: 0, eval.Faithful: 1. / 2, eval.EvidenceGiven: 1. / 2, eval.CostUSD: none}},
		"nothing cited": {unpaged, corpus.Answer{Text: "30 days", Passages: passages},
			map[string]float64{eval.Exact: 1, eval.CitesDocuments: none, eval.DocumentsCited: 0, eval.PagesCited: none, eval.Faithful: none, eval.EvidenceGiven: 1}},
		"plain": {question, corpus.Answer{Text: "It is 25 [sic] days"},
			map[string]float64{eval.Exact: 0, eval.Right: 0, eval.Contains: 0, eval.CitesDocuments: none, eval.EvidenceGiven: none, eval.F1: 2 * (1. / 5) * (1. / 2) / (1./5 + 1./2)}},
		"declined": {question, corpus.Answer{Text: "I don't know about 30 days.", Abstained: true, Passages: passages},
			map[string]float64{eval.F1: 0, eval.Contains: 0, eval.Right: 0, eval.Abstained: 1, eval.DocumentsCited: none, eval.EvidenceGiven: 1. / 2}},
		"declined rightly": {unanswerable, corpus.Answer{Text: "I don't know.", Abstained: true, Passages: passages},
			map[string]float64{eval.Exact: 1, eval.F1: 1, eval.Right: 1, eval.DocumentsCited: none}},
		"made up":            {unanswerable, corpus.Answer{Text: "It was Ann.", Passages: passages}, map[string]float64{eval.Exact: 0, eval.F1: 0, eval.Right: 0}},
		"no accepted answer": {unknown, corpus.Answer{Text: "Because."}, map[string]float64{eval.Exact: none, eval.F1: none, eval.Right: none, eval.Abstained: 0}},
	} {
		got := eval.Score(eval.Item{Question: c.question, Answer: &c.answer})
		for score, want := range c.want {
			v, there := got[score]
			if there != (want != none) || there && math.Abs(v-want) > 1e-9 {
				t.Errorf("%s: %s is %v (known: %t), want %v", name, score, v, there, want)
			}
		}
	}
	if s := eval.Score(eval.Item{Question: question, Error: "busy"}); len(s) != 0 {
		t.Errorf("a failed item has scores %v", s)
	}
}

// made are items of a model and arm, right at the questions for which it says so.
func made(modelID, arm string, n int, right func(i int) bool) (items []eval.Item) {
	for i, q := range numbered(n) {
		text, cost, ms := "no", .001, 100.
		if arm == "grounded" {
			cost, ms = .003, 300
		}
		if right(i) {
			text = "yes"
		}
		a := corpus.Answer{Text: text, CostUSD: &cost, Timings: corpus.Timings{TotalMS: &ms}}
		if arm != "plain" {
			a.Passages = []corpus.Passage{passage("a.pdf", 3, 3)}
		}
		items = append(items, eval.Item{Model: modelID, Arm: arm, Question: q, Answer: &a})
	}
	return items
}

func header(n int, arms []string, models ...string) eval.Header {
	h := eval.Header{Settings: eval.Settings{Questions: n}, Arms: arms}
	for _, m := range models {
		h.Models = append(h.Models, model.Card{ID: m})
	}
	return h
}

func TestTheReportTellsWhatTheDocumentsChanged(t *testing.T) {
	items := made("m", "plain", 40, func(i int) bool { return i < 10 })
	items = append(items, made("m", "grounded", 40, func(i int) bool { return i >= 2 && i < 32 })...)
	items = append(items, made("m", "oracle", 40, func(i int) bool { return i < 36 })...)
	items = append(items, made("m", "distractor", 40, func(i int) bool { return i < 8 })...)
	for i := range items {
		items[i].Question.Evidence = []dataset.Evidence{{Document: "a.pdf", Page: 3}}
	}
	r, err := eval.NewReport(header(40, []string{"plain", "grounded", "oracle", "distractor"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g := r.Grounding[0]
	is := func(name string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if g.Wins != 22 || g.Ties != 16 || g.Losses != 2 || len(g.Harmed) != 2 || len(g.Rescued) != 22 || g.DeclinedRightly != nil {
		t.Errorf("grounding is %+v", g)
	}
	is("harm rate", g.HarmRate, 2./10)
	is("rescue rate", g.RescueRate, 22./30)
	is("distance to oracle", g.ToOracle, 6./40)
	is("damage by distractors", g.Distracted, 2./40)
	is("declined answerable", g.DeclinedWrongly, 0)
	is("added cost", g.AddedUSD, .002)
	is("added time", g.AddedMS, 200)
	is("cost of one more", g.PerRightMore, .002*40/20)
	if h := g.Harmed[0]; h.ID != "1" || h.Plain != "yes" || h.Grounded != "no" || h.Misled[0].Place != "a.pdf#3" || !h.Evidence {
		t.Errorf("harmed is %+v", h)
	}
	c := r.Comparisons[0]
	if c.Arm != "grounded" || c.Beside != "plain" || c.Verdict != stat.Better || math.Abs(*c.Difference-.5) > 1e-9 || math.Abs(*c.McNemar-stat.McNemar(22, 2)) > 1e-12 {
		t.Errorf("comparison is %+v", c)
	}
	if r.Columns[0].PerRight == nil || math.Abs(*r.Columns[0].PerRight-.004) > 1e-9 {
		t.Errorf("cost per right answer is %v", r.Columns[0].PerRight)
	}
}

func TestQuestionsWithoutEvidenceAreNoDocuments(t *testing.T) {
	for withEvidence, want := range map[int]string{0: eval.UnitQuestion, 19: eval.UnitQuestion, 20: eval.UnitDocument} {
		items := append(made("m", "plain", 60, func(i int) bool { return i%2 == 0 }), made("m", "grounded", 60, func(i int) bool { return i%3 == 0 })...)
		for i := range items {
			if i%60 < withEvidence {
				items[i].Question.Evidence = []dataset.Evidence{{Document: fmt.Sprint(i % 60)}}
			}
		}
		r, err := eval.NewReport(header(60, []string{"plain", "grounded"}, "m"), items, eval.ReportConfig{})
		if err != nil || r.Unit != want || r.Comparisons[0].Clusters != 60 {
			t.Errorf("%d documents: by %s in %d clusters, want %s, %v", withEvidence, r.Unit, r.Comparisons[0].Clusters, want, err)
		}
	}
}

// Questions without accepted answers cost something and have no score; an unknown cost of theirs changes nothing.
func TestWhatOneMoreRightAnswerCostsIsKnownBesideUnscoredQuestions(t *testing.T) {
	items := append(made("m", "plain", 40, func(i int) bool { return i < 10 }), made("m", "grounded", 40, func(i int) bool { return i < 30 })...)
	for i := range items {
		if n := i % 40; n >= 35 {
			items[i].Question.Answers = nil
			if n == 39 {
				items[i].Answer.CostUSD = nil
			}
		}
	}
	r, err := eval.NewReport(header(40, []string{"plain", "grounded"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Grounding[0]; g.Pairs != 35 || g.PerRightMore == nil || math.Abs(*g.PerRightMore-.002*35/20) > 1e-12 {
		t.Errorf("grounding is %+v", g)
	}
	items[40].Answer.CostUSD = nil
	if r, err = eval.NewReport(header(40, []string{"plain", "grounded"}, "m"), items, eval.ReportConfig{}); err != nil || r.Grounding[0].PerRightMore != nil {
		t.Errorf("with an unknown cost it is %v, %v", r.Grounding[0].PerRightMore, err)
	}
}

func TestTwoCopiesOfAModelAreNotToldApart(t *testing.T) {
	items := append(made("m", "plain", 60, func(i int) bool { return i%2 == 0 }), made("copy", "plain", 60, func(i int) bool { return i%2 == 0 })...)
	r, err := eval.NewReport(header(60, []string{"plain"}, "m", "copy"), items, eval.ReportConfig{})
	if err != nil || len(r.Comparisons) != 1 || r.Comparisons[0].Verdict != stat.NoDifferenceShown {
		t.Errorf("comparisons are %+v, %v", r.Comparisons, err)
	}
	r, err = eval.NewReport(header(8, []string{"plain", "grounded"}, "m"),
		append(made("m", "plain", 8, func(int) bool { return false }), made("m", "grounded", 8, func(int) bool { return true })...), eval.ReportConfig{})
	if err != nil || r.Comparisons[0].Verdict != stat.TooFewQuestions {
		t.Errorf("of eight questions: %+v, %v", r.Comparisons, err)
	}
	if _, err := eval.NewReport(header(1, nil), nil, eval.ReportConfig{Metric: "magic"}); err == nil {
		t.Error("a score that there is not is reported")
	}
}

func TestItemsThatWereNotAskedAreMissing(t *testing.T) {
	items := append(made("m", "plain", 10, func(int) bool { return true }), made("m", "grounded", 4, func(int) bool { return true })...)
	r, err := eval.NewReport(header(12, []string{"plain", "grounded"}, "m"), items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if p, g := r.Columns[0], r.Columns[1]; p.Missing != 2 || p.Items != 12 || g.Missing != 8 || g.Items != 12 || g.Scores[eval.F1].Scored != 4 {
		t.Errorf("columns are %+v and %+v", p, g)
	}
}

// BenchmarkScore10000 scores and compares 10,000 stored items.
func BenchmarkScore10000(b *testing.B) {
	var items []eval.Item
	for _, arm := range []string{"plain", "few-shot", "grounded", "oracle", "distractor"} {
		for _, m := range []string{"a", "b"} {
			items = append(items, made(m, arm, 1000, func(i int) bool { return i%3 == 0 })...)
		}
	}
	for i := range items {
		a := items[i].Answer
		a.Text += fmt.Sprintf(" and so on with %d words that are not in the accepted answer, as models like to have them", i)
	}
	h := header(1000, []string{"plain", "few-shot", "grounded", "oracle", "distractor"}, "a", "b")
	for b.Loop() {
		start := time.Now()
		if _, err := eval.NewReport(h, items, eval.ReportConfig{}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/10000-items")
	}
}
