package eval

import (
	"context"
	"slices"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/metric"
	"grounded/retrieve"
)

const (
	goldPassages = 3   // most for a piece of evidence
	goldDepth    = 200 // passages of a gold document that are looked through
)

// errNoPassages fails an item of the oracle.
var errNoPassages = corpus.Errorf(corpus.ErrNotFound, "no passage of the collection holds the evidence; is it ingested, and is its page right?")

// oracle finds the passages that hold the evidence: those of its document, on its page, with its quote first, as near
// to the question as they are.
func oracle(ctx context.Context, r answer.Retriever, request answer.Request, q dataset.Question) ([]corpus.Passage, error) {
	var all []corpus.Passage
	for _, e := range q.Evidence {
		found, err := r.Retrieve(ctx, retrieve.Request{
			Scope: request.Scope, Question: q.Question, TopK: goldDepth, Mode: request.Mode,
			Filter: corpus.Filter{{Key: "document", Op: corpus.OpEqual, Values: []any{e.Document}}},
		})
		if err != nil {
			return nil, err
		}
		var quoted, others []corpus.Passage
		for _, p := range found.Passages {
			switch {
			case !OnEvidence(p, e):
			case e.Quote != "" && dataset.Holds(p.Text, e.Quote):
				quoted = append(quoted, p)
			default:
				others = append(others, p)
			}
		}
		best := append(quoted, others...)
		for _, p := range best[:min(goldPassages, len(best))] {
			if !slices.ContainsFunc(all, func(o corpus.Passage) bool { return o.ChunkID == p.ChunkID }) {
				all = append(all, p)
			}
		}
	}
	if len(all) == 0 {
		return nil, errNoPassages
	}
	return ranked(all), nil
}

// distractor finds the nearest passages that are on no evidence and hold no accepted answer.
func distractor(ctx context.Context, r answer.Retriever, request answer.Request, q dataset.Question) ([]corpus.Passage, error) {
	wanted := request.TopK
	if wanted <= 0 {
		wanted = 10
	}
	found, err := r.Retrieve(ctx, retrieve.Request{
		Scope: request.Scope, Question: q.Question, TopK: min(1000, 5*wanted+50), Mode: request.Mode, Filter: request.Filter,
	})
	if err != nil {
		return nil, err
	}
	accepted := metric.NewAnswers(q.Question, q.Answers)
	var wrong []corpus.Passage
	for _, p := range found.Passages {
		right := slices.ContainsFunc(q.Evidence, func(e dataset.Evidence) bool {
			return OnEvidence(p, e) || e.Quote != "" && dataset.Holds(p.Text, e.Quote)
		})
		if !right && accepted.Contains(p.Text) == 0 && len(wrong) < wanted {
			wrong = append(wrong, p)
		}
	}
	if len(wrong) == 0 {
		return nil, corpus.Errorf(corpus.ErrNotFound, "every passage that is found holds the evidence or an answer")
	}
	return ranked(wrong), nil
}

// HasEvidence reports whether a passage is of the question's evidence, by page where the evidence names one.
func HasEvidence(p corpus.Passage, q dataset.Question) bool {
	return slices.ContainsFunc(q.Evidence, func(e dataset.Evidence) bool { return OnEvidence(p, e) })
}

// OnEvidence reports whether a passage is of the evidence's document and, where it names one, on its page.
func OnEvidence(p corpus.Passage, e dataset.Evidence) bool {
	return p.Document == e.Document && (e.Page == 0 || p.PageStart <= e.Page && e.Page <= p.PageEnd)
}

func ranked(passages []corpus.Passage) []corpus.Passage {
	for i := range passages {
		passages[i].Rank = i + 1
	}
	return passages
}
