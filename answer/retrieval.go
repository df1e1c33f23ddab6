package answer

import (
	"context"
	"time"

	"grounded/corpus"
	"grounded/retrieve"
)

// Retriever finds passages; a retrieve.Retriever does.
type Retriever interface {
	Retrieve(ctx context.Context, r retrieve.Request) (retrieve.Result, error)
}

// found is what was retrieved for a question, once, for any number of answers.
type found struct {
	searched  string // the question as it was searched: a follow-up is rewritten first
	passages  []corpus.Passage
	abstain   bool // nothing is good enough
	embedding *int // tokens
	took      time.Duration
	rewriting usage
}

// find retrieves and judges.
func (s *Service) find(ctx context.Context, r Request) (found, error) {
	start := time.Now()
	f := found{searched: r.Question}
	if len(r.History) > 0 {
		var err error
		if f.searched, f.rewriting, err = s.rewrite(ctx, r.Chat, r.History, r.Question); err != nil {
			return f, err
		}
	}
	result, err := s.retriever.Retrieve(ctx, retrieve.Request{
		Scope: r.Scope, Question: f.searched, TopK: r.TopK, Mode: r.Mode, Filter: r.Filter,
	})
	if err != nil {
		return f, err
	}
	f.passages, f.embedding = result.Passages, result.EmbeddingTokens
	f.abstain, err = s.tooFar(ctx, f.searched, f.passages)
	f.took = time.Since(start)
	return f, err
}
