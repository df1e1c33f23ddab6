package eval_test

import (
	"context"
	"math"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/retrieve"
)

// found answers each question with its list of passages.
type found map[string][]corpus.Passage

func (f found) RetrieveAll(_ context.Context, requests []retrieve.Request) (results []retrieve.Result, err error) {
	for _, r := range requests {
		results = append(results, retrieve.Result{Passages: f[r.Question]})
	}
	return results, nil
}

func passage(document string, first, last int) corpus.Passage {
	return corpus.Passage{Document: document, PageStart: first, PageEnd: last}
}

func TestRetrievalIsScoredByDocumentAndByPage(t *testing.T) {
	questions := []dataset.Question{
		{ID: "1", Question: "one", Answerable: true, Evidence: []dataset.Evidence{{Document: "a", Page: 2}, {Document: "a", Page: 5}}},
		{ID: "2", Question: "two", Answerable: true, Evidence: []dataset.Evidence{{Document: "b"}}},
		{ID: "3", Question: "three"},
	}
	r := found{
		"one": {passage("c", 1, 1), passage("a", 1, 2), passage("a", 2, 2)}, // pages c1, a1, a2; documents c, a
		"two": {passage("b", 1, 1)},
	}
	report, err := eval.MeasureRetrieval(t.Context(), eval.RetrievalConfig{Retriever: r, AtOnce: 1}, questions)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]eval.LevelMean{}
	for _, s := range report.Scores {
		if s.K == 5 {
			got[s.Level+" "+s.Metric] = s
		}
	}
	for name, want := range map[string]struct {
		mean   float64
		scored int
	}{
		"document recall":    {1, 2},
		"document precision": {.2, 2},
		"document mrr":       {(1./2 + 1) / 2, 2},
		"document ndcg":      {(1/math.Log2(3) + 1) / 2, 2},
		"page recall":        {1. / 2, 1}, // the second question's page is not known
		"page mrr":           {1. / 3, 1},
		"page ndcg":          {(1. / 2) / (1 + 1/math.Log2(3)), 1},
	} {
		m := got[name]
		if m.Scored != want.scored || m.Items != 3 || m.Mean.Mean == nil || math.Abs(*m.Mean.Mean-want.mean) > 1e-9 {
			t.Errorf("%s: %+v, want %v of %d", name, m, want.mean, want.scored)
		}
	}
	if _, err := eval.MeasureRetrieval(t.Context(), eval.RetrievalConfig{Retriever: r}, questions[2:]); corpus.HintOf(err) == "" {
		t.Errorf("without evidence the error is %v", err)
	}
}
