package qdrant

import (
	"context"
	"fmt"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
	"grounded/store"
)

// Score implements store.Scorer, with one call.
func (s *Store) Score(ctx context.Context, q store.Query, ids ...corpus.ChunkID) (map[corpus.ChunkID]store.Scores, error) {
	doing := "score passages of " + q.Collection
	if len(ids) == 0 {
		return nil, nil
	}
	r, err := s.find(ctx, q.Collection)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	uuids := make([]string, len(ids))
	for i, id := range ids {
		uuids[i] = chunkUUID(id)
	}
	filter, err := r.filter(q.Access, nil)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	filter.Must = append(filter.Must, qdrant.NewMatchKeywords(fieldChunkUUID, uuids...))
	limit, exact := uint64(4*len(ids)), true
	dense, lexical := vectorDense, vectorSparse
	var queries []*qdrant.QueryPoints
	ask := func(query *qdrant.Query, using *string, params *qdrant.SearchParams) {
		queries = append(queries, &qdrant.QueryPoints{
			CollectionName: r.physical, Query: query, Using: using, Filter: filter, Limit: &limit, Params: params, WithPayload: only(fieldChunk),
		})
	}
	if len(q.Vector) > 0 {
		ask(qdrant.NewQueryDense(q.Vector), &dense, &qdrant.SearchParams{Exact: &exact})
	}
	if indices, weights := queryTerms(q.Terms); len(indices) > 0 {
		ask(qdrant.NewQuerySparse(indices, weights), &lexical, nil)
	}
	if len(queries) == 0 {
		return nil, nil
	}
	var results []*qdrant.BatchResult
	err = s.call(ctx, func(ctx context.Context) (err error) {
		results, err = s.client().QueryBatch(ctx, &qdrant.QueryBatchPoints{CollectionName: r.physical, QueryPoints: queries, ReadConsistency: s.read})
		return err
	})
	if err != nil {
		return nil, s.fail(doing, err)
	}
	if len(results) != len(queries) {
		return nil, s.fail(doing, fmt.Errorf("%d results for %d queries", len(results), len(queries)))
	}
	scores := make(map[corpus.ChunkID]store.Scores, len(ids))
	for i, result := range results {
		isDense := i == 0 && len(q.Vector) > 0
		for _, p := range result.GetResult() {
			id, x := corpus.ChunkID(p.GetPayload()[fieldChunk].GetStringValue()), float64(p.GetScore())
			of := scores[id]
			if isDense {
				of.Dense = &x
			} else {
				of.Lexical = &x
			}
			scores[id] = of
		}
	}
	if len(q.Terms) > 0 {
		for id, of := range scores {
			if zero := 0.; of.Lexical == nil { // it has none of the terms
				of.Lexical = &zero
				scores[id] = of
			}
		}
	}
	return scores, nil
}
