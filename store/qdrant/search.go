package qdrant

import (
	"context"
	"sort"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/store"
)

const (
	// triesMoved bounds how often a search is repeated because documents were switched over meanwhile.
	triesMoved = 4
	// triesFewer bounds how often it is repeated because hits had to be left out.
	triesFewer = 4
)

const (
	// maxSeen bounds what is remembered: about 30 MB.
	maxSeen = 200_000
	// seenLasts bounds how long it is believed.
	seenLasts = time.Minute
)

// Search implements store.Store.
func (s *Store) Search(ctx context.Context, q store.Query) ([]store.Hit, error) {
	doing := "search " + q.Collection
	if !finite(q.Vector) {
		return nil, s.fail(doing, corpus.Errorf(corpus.ErrInvalid, "the query's vector is not finite"))
	}
	if q.Limit <= 0 {
		q.Limit = 10
	}
	if q.Candidates <= 0 {
		q.Candidates = max(100, 10*q.Limit)
	}
	r, points, err := s.beside(ctx, q.Collection, func(ctx context.Context, r record) ([]*qdrant.ScoredPoint, error) {
		return s.query(ctx, r, q, q.Limit)
	})
	if err != nil {
		return nil, s.fail(doing, err)
	}
	hits, err := s.settle(ctx, r, q, points)
	return hits, s.fail(doing, err)
}

// beside runs a read with what is remembered of a collection while it looks whether that is still so, and again with
// what is so if not.
func (s *Store) beside(ctx context.Context, name string, read func(context.Context, record) ([]*qdrant.ScoredPoint, error)) (record, []*qdrant.ScoredPoint, error) {
	remembered, known := s.records.get(name)
	if !known {
		r, err := s.find(ctx, name)
		if err != nil {
			return record{}, nil, err
		}
		points, err := read(ctx, r)
		return r, points, err
	}
	var points []*qdrant.ScoredPoint
	var now record
	var readErr error
	both, inner := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		now, err = s.find(inner, name)
		return err
	})
	both.Go(func() error {
		points, readErr = read(inner, remembered) // may fail only because the collection is gone
		return nil
	})
	if err := both.Wait(); err != nil {
		return record{}, nil, err
	}
	if now.key != remembered.key || now.physical != remembered.physical {
		points, readErr = read(ctx, now)
	}
	return now, points, readErr
}

// settle makes hits of points, of documents as they are in the manifest.
func (s *Store) settle(ctx context.Context, r record, q store.Query, points []*qdrant.ScoredPoint) ([]store.Hit, error) {
	moved, fewer, limit := 0, 0, q.Limit
	for {
		live, again, err := s.believe(ctx, r, points)
		if err != nil {
			return nil, err
		}
		missing := len(points) - len(live)
		switch {
		case again && moved < triesMoved:
			moved++
		case missing > 0 && len(points) >= limit && len(live) < q.Limit && fewer < triesFewer:
			fewer++
			limit += 2*missing + q.Limit
		default:
			live = live[:min(len(live), q.Limit)]
			return toHits(live, q), nil
		}
		if points, err = s.query(ctx, r, q, limit); err != nil {
			return nil, err
		}
	}
}

// query asks the server for the best limit points, whatever their version.
func (s *Store) query(ctx context.Context, r record, q store.Query, limit int) ([]*qdrant.ScoredPoint, error) {
	request, err := s.request(r, q, limit)
	if err != nil || request == nil {
		return nil, err
	}
	var points []*qdrant.ScoredPoint
	err = s.call(ctx, func(ctx context.Context) (err error) {
		points, err = s.client().Query(ctx, request)
		return err
	})
	return points, err
}

// request is a query in the server's terms; nil if it asks for nothing.
func (s *Store) request(r record, q store.Query, limit int) (*qdrant.QueryPoints, error) {
	if len(q.Vector) > 0 && len(q.Vector) != r.embedding.Dimensions {
		return nil, corpus.Errorf(corpus.ErrInvalid, "the query's vector has %d dimensions, the collection has %d", len(q.Vector), r.embedding.Dimensions)
	}
	filter, err := r.filter(q.Access, q.Filter)
	if err != nil {
		return nil, err
	}
	number := func(n int) *uint64 { u := uint64(n); return &u }
	request := &qdrant.QueryPoints{CollectionName: r.physical, Limit: number(limit), WithPayload: only(chunkFields...), ReadConsistency: s.read}
	indices, weights := queryTerms(q.Terms)
	dense, lexical := vectorDense, vectorSparse
	switch {
	case len(q.Vector) == 0 && len(indices) == 0:
		return nil, nil
	case len(indices) == 0:
		request.Query, request.Using, request.Filter, request.Params = qdrant.NewQueryDense(q.Vector), &dense, filter, s.searchParams()
		return request, nil
	case len(q.Vector) == 0:
		request.Query, request.Using, request.Filter = qdrant.NewQuerySparse(indices, weights), &lexical, filter
		return request, nil
	}
	if request.Query, err = fusion(q.Fusion); err != nil {
		return nil, err
	}
	candidates := number(max(q.Candidates, limit))
	request.Prefetch = []*qdrant.PrefetchQuery{
		{Query: qdrant.NewQueryDense(q.Vector), Using: &dense, Filter: filter, Limit: candidates, Params: s.searchParams()},
		{Query: qdrant.NewQuerySparse(indices, weights), Using: &lexical, Filter: filter, Limit: candidates},
	}
	return request, nil
}

func (s *Store) searchParams() *qdrant.SearchParams {
	ef := uint64(s.config.HNSWSearch)
	p := &qdrant.SearchParams{HnswEf: &ef}
	if s.config.Quantisation != "" {
		yes := true
		p.Quantization = &qdrant.QuantizationSearchParams{Rescore: &yes, Oversampling: &s.config.Oversampling}
	}
	return p
}

// fusion is what the server makes of both rankings: of their scores, each normalised by its distribution, which
// measured best, or of their ranks, which can be weighed.
func fusion(f store.Fusion) (*qdrant.Query, error) {
	weighed := f.DenseWeight != 0
	switch {
	case f.Method == store.FusionBlend && weighed && f.DenseWeight != .5:
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "Qdrant blends both scores with equal weights only"),
			"use rrf (retrieve.fusion), whose weights are free, or leave retrieve.dense_weight out")
	case f.Method == store.FusionBlend, f.Method == "" && !weighed:
		return qdrant.NewQueryFusion(qdrant.Fusion_DBSF), nil
	case !weighed:
		return qdrant.NewQueryFusion(qdrant.Fusion_RRF), nil
	}
	w := float32(min(max(f.DenseWeight, 0), 1))
	return qdrant.NewQueryRRF(&qdrant.Rrf{Weights: []float32{w, 1 - w}}), nil
}

// toHits gives those of a single kind their score as that of its kind.
func toHits(points []*qdrant.ScoredPoint, q store.Query) []store.Hit {
	hits := make([]store.Hit, len(points))
	for i, p := range points {
		score := float64(p.GetScore())
		hits[i] = store.Hit{
			Chunk: readChunk(p.GetPayload()), Path: p.GetPayload()[fieldPath].GetStringValue(), Title: p.GetPayload()[fieldTitle].GetStringValue(), Score: score,
		}
		switch {
		case len(q.Terms) == 0:
			hits[i].Dense = &score
		case len(q.Vector) == 0:
			hits[i].Lexical = &score
		}
	}
	return hits
}

// Chunks implements store.Store.
func (s *Store) Chunks(ctx context.Context, scope corpus.Scope, ids ...corpus.ChunkID) ([]corpus.Chunk, error) {
	doing := "read chunks of " + scope.Collection
	r, err := s.find(ctx, scope.Collection)
	if err != nil || len(ids) == 0 {
		return nil, s.fail(doing, err)
	}
	uuids := make([]string, len(ids))
	for i, id := range ids {
		uuids[i] = chunkUUID(id)
	}
	filter, err := r.filter(scope.Access, nil)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	filter.Must = append(filter.Must, qdrant.NewMatchKeywords(fieldChunkUUID, uuids...))
	for try := 0; ; try++ {
		var points []*qdrant.ScoredPoint
		err := s.scroll(ctx, r.physical, filter, only(chunkFields...), nil, func(p *qdrant.RetrievedPoint) error {
			points = append(points, &qdrant.ScoredPoint{Payload: p.GetPayload()})
			return nil
		})
		if err != nil {
			return nil, s.fail(doing, err)
		}
		live, again, err := s.believe(ctx, r, points)
		if err != nil {
			return nil, s.fail(doing, err)
		}
		if again && try < triesMoved {
			continue
		}
		place := make(map[corpus.ChunkID]int, len(ids))
		for i, id := range ids {
			place[id] = i
		}
		chunks := make([]corpus.Chunk, 0, len(live))
		for _, p := range live {
			chunks = append(chunks, readChunk(p.GetPayload()))
		}
		sort.SliceStable(chunks, func(i, j int) bool { return place[chunks[i].ID] < place[chunks[j].ID] })
		return chunks, nil
	}
}
