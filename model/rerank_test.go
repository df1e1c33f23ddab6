package model

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
)

func rerankCard(base, form string) Card {
	return Card{ID: "rr", Provider: "openai", BaseURL: base, Model: "m", Tasks: []Task{TaskRerank}, RerankForm: form, BatchTexts: 3}
}

func TestRerankReadsEachForm(t *testing.T) {
	for _, c := range []struct{ name, form, body, field string }{
		{"cohere", "", `{"results":[{"index":2,"relevance_score":0.9},{"index":0,"relevance_score":0.5},{"index":1,"relevance_score":-1}]}`, "documents"},
		{"tei", "tei", `[{"index":2,"score":0.9},{"index":0,"score":0.5},{"index":1,"score":-1}]`, "texts"},
	} {
		s := serve(t, reply(200, c.body))
		r, err := NewReranker(t.Context(), rerankCard(s.URL, c.form), quick())
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Rerank(t.Context(), "q", []string{"a", "b", "c"})
		if err != nil || !slices.Equal(got, []float64{0.5, -1, 0.9}) {
			t.Errorf("%s: scores are %v, %v", c.name, got, err)
		}
		if r := s.request(t, 0); r.path != "/rerank" || len(r.body[c.field].([]any)) != 3 || r.body["query"] != "q" {
			t.Errorf("%s: request is %+v", c.name, r)
		}
	}
}

func TestABadRerankReplyIsRefused(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"results":[{"index":0,"relevance_score":1}]}`, "1 scores for 2 texts"},
		{`{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":1}]}`, "indexes"},
		{`{"results":[{"index":0,"relevance_score":1},{"index":7,"relevance_score":1}]}`, "indexes"},
		{`{"results":[{"index":0,"relevance_score":1},{"index":1}]}`, "no score for text 1"},
		{`{"results":"x"}`, "cannot be read"},
		{`{}`, "0 scores for 2 texts"},
	} {
		s := serve(t, reply(200, c.body))
		r, err := NewReranker(t.Context(), rerankCard(s.URL, ""), quick())
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Rerank(t.Context(), "q", []string{"a", "b"})
		if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v", c.body, err)
		}
	}
}

func TestRerankAsksInBatchesOfWhatTheServerTakes(t *testing.T) {
	s := serve(t, reply(200, `{"results":[{"index":0,"relevance_score":1},{"index":1,"relevance_score":2},{"index":2,"relevance_score":3}]}`))
	r, err := NewReranker(t.Context(), rerankCard(s.URL, ""), quick())
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Rerank(t.Context(), "q", []string{"a", "b", "c", "d", "e", "f"})
	if err != nil || !slices.Equal(got, []float64{1, 2, 3, 1, 2, 3}) || s.count() != 2 {
		t.Errorf("scores are %v, %v after %d requests", got, err, s.count())
	}
	if got, err := r.Rerank(t.Context(), "q", nil); err != nil || len(got) != 0 {
		t.Errorf("no texts give %v, %v", got, err)
	}
}
