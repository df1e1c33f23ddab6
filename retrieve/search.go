package retrieve

import (
	"cmp"
	"context"
	"math"
	"slices"

	"grounded/corpus"
	"grounded/store"
)

const (
	// minDepth hits are looked at even for few passages: support and reranking choose among them.
	minDepth           = 200
	defaultRerankDepth = 50
)

// search finds the passages of a query that is analysed and embedded.
func (r *Retriever) search(ctx context.Context, q query) ([]corpus.Passage, error) {
	depth := max(minDepth, 2*q.TopK)
	hits, err := r.Store.Search(ctx, store.Query{
		Scope: q.Scope, Vector: q.vector, Terms: q.terms, Filter: q.Filter,
		Limit: depth, Candidates: depth, Fusion: r.Fusion,
	})
	if err != nil {
		return nil, err
	}
	support(hits)
	if r.Reranker == nil {
		found := passages(distinct(hits, q.TopK))
		return found, r.complete(ctx, q, found)
	}
	hits = distinct(hits, max(q.TopK, r.RerankDepth))
	scores, err := r.rerank(ctx, q.Question, hits)
	if err != nil {
		return nil, err
	}
	found := passages(hits)
	for i := range found {
		found[i].Score, found[i].Scores.Rerank = scores[i], &scores[i]
	}
	slices.SortStableFunc(found, func(a, b corpus.Passage) int { return cmp.Compare(b.Score, a.Score) })
	for i := range found {
		found[i].Rank = i + 1
	}
	found = found[:min(q.TopK, len(found))]
	return found, r.complete(ctx, q, found)
}

// complete fills in the scores that the store did not tell.
func (r *Retriever) complete(ctx context.Context, q query, found []corpus.Passage) error {
	scorer, ok := r.Store.(store.Scorer)
	if !ok || len(found) == 0 || found[0].Scores.Dense != nil || found[0].Scores.Lexical != nil {
		return nil
	}
	ids := make([]corpus.ChunkID, len(found))
	for i, p := range found {
		ids[i] = p.ChunkID
	}
	scores, err := scorer.Score(ctx, store.Query{Scope: q.Scope, Vector: q.vector, Terms: q.terms}, ids...)
	if err != nil {
		return err
	}
	for i, p := range found { // none for what was replaced meanwhile
		found[i].Scores.Dense, found[i].Scores.Lexical = scores[p.ChunkID].Dense, scores[p.ChunkID].Lexical
	}
	return nil
}

// rerank returns a finite score for each hit.
func (r *Retriever) rerank(ctx context.Context, question string, hits []store.Hit) ([]float64, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	texts := make([]string, len(hits))
	for i, h := range hits {
		texts[i] = h.Chunk.Input()
	}
	scores, err := r.Reranker.Rerank(ctx, question, texts)
	if err != nil {
		return nil, err
	}
	if len(scores) != len(texts) {
		return nil, corpus.Errorf(corpus.ErrUnavailable, "rerank: %d scores came for %d texts", len(scores), len(texts))
	}
	for _, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, corpus.Errorf(corpus.ErrUnavailable, "rerank: a score is not a finite number")
		}
	}
	return scores, nil
}

// passages numbers the hits from 1.
func passages(hits []store.Hit) []corpus.Passage {
	found := make([]corpus.Passage, len(hits))
	for i, h := range hits {
		found[i] = corpus.Passage{
			Rank: i + 1, ChunkID: h.Chunk.ID, DocumentID: h.Chunk.DocumentID,
			Document: h.Path, Title: corpus.Text(h.Title),
			PageStart: h.Chunk.PageStart, PageEnd: h.Chunk.PageEnd,
			Heading: corpus.Text(h.Chunk.HeadingPath()), Text: h.Chunk.Text,
			Score: h.Score, Scores: corpus.Scores{Dense: h.Dense, Lexical: h.Lexical},
			Chunk: h.Chunk,
		}
	}
	return found
}
