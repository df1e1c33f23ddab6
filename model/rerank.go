package model

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
)

type reranker struct{ connection }

// NewReranker connects to a server that reranks: Cohere, Jina and llama-server share one form, TEI has its own. It
// makes no request; a key that is missing is ErrForbidden.
func NewReranker(ctx context.Context, card Card, cfg Config) (Reranker, error) {
	c, err := connect(card, cfg, 2*time.Minute)
	if err != nil {
		return nil, err
	}
	return &reranker{c}, nil
}

// Rerank returns a score a text, in their order. They are the model's own and compare only within a call.
func (r *reranker) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	most := r.card.BatchTexts
	if most == 0 {
		most = 100
	}
	scores := make([]float64, len(texts))
	group, groupCtx := errgroup.WithContext(ctx)
	for from := 0; from < len(texts); from += most {
		to := min(len(texts), from+most)
		group.Go(func() error { return r.request(groupCtx, query, texts[from:to], scores[from:to]) })
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("rerank %d texts with %s: %w", len(texts), r.card.ID, err)
	}
	return scores, nil
}

// rerankScore is a result in either form.
type rerankScore struct {
	Index          *int     `json:"index"`
	RelevanceScore *float64 `json:"relevance_score"`
	Score          *float64 `json:"score"`
}

func (r *reranker) request(ctx context.Context, query string, texts []string, into []float64) error {
	var fields map[string]any
	if r.card.RerankForm == "tei" {
		fields = map[string]any{"query": query, "texts": texts, "truncate": true}
	} else {
		fields = map[string]any{"model": r.card.Model, "query": query, "documents": texts, "top_n": len(texts)}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var reply json.RawMessage
	if err := r.post(ctx, "/rerank", body, &reply); err != nil {
		return err
	}
	results, err := rerankScores(reply)
	if err != nil {
		return err
	}
	if len(results) != len(texts) {
		return badRerank("the server gave %d scores for %d texts", len(results), len(texts))
	}
	seen := make([]bool, len(texts))
	for _, result := range results {
		score := result.RelevanceScore
		if score == nil {
			score = result.Score
		}
		if result.Index == nil || *result.Index < 0 || *result.Index >= len(texts) || seen[*result.Index] {
			return badRerank("the indexes of the server's scores are not those of the texts")
		}
		if score == nil || math.IsNaN(*score) || math.IsInf(*score, 0) {
			return badRerank("the server gave no score for text %d", *result.Index)
		}
		seen[*result.Index] = true
		into[*result.Index] = *score
	}
	return nil
}

// rerankScores reads {"results": […]}, {"data": […]} or a bare list.
func rerankScores(reply json.RawMessage) ([]rerankScore, error) {
	var list []rerankScore
	if json.Unmarshal(reply, &list) == nil {
		return list, nil
	}
	var wrapped struct {
		Results []rerankScore `json:"results"`
		Data    []rerankScore `json:"data"`
	}
	if err := json.Unmarshal(reply, &wrapped); err != nil {
		return nil, badRerank("the reply cannot be read: %w", err)
	}
	return append(wrapped.Results, wrapped.Data...), nil
}

func badRerank(format string, args ...any) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, format, args...),
		"the reranking server does not keep to its protocol: check base_url and rerank_form in its catalog entry")
}
