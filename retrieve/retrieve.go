package retrieve

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/model"
	"grounded/store"
)

// Mode is what passages are found by.
type Mode = string

// The modes of search.
const (
	ModeHybrid  Mode = "hybrid"  // by meaning and by words
	ModeDense   Mode = "dense"   // by meaning: the vectors' cosine similarity
	ModeLexical Mode = "lexical" // by words: BM25
)

// Config is what a Retriever works with.
type Config struct {
	Store store.Store
	// Embedder makes the questions' vectors. It must be the one that made the collection's. Nil leaves
	// ModeLexical only.
	Embedder model.Embedder
	// Reranker orders the best candidates anew; nil leaves them as they are.
	Reranker model.Reranker
	// RerankDepth is how many candidates the reranker sees, if more than the passages asked for; 0 means 50.
	RerankDepth int
	Fusion      store.Fusion // of ModeHybrid
}

// Request is one question.
type Request struct {
	corpus.Scope
	Question string
	TopK     int  // passages, 1 to 1000; 0 means 10
	Mode     Mode // ModeHybrid if empty
	Filter   corpus.Filter
	// Known is the collection as it was read a moment ago, for this request; nil reads it.
	Known *corpus.Collection
}

// Result is what was found for it, best first, at most TopK.
type Result struct {
	Passages []corpus.Passage
	// EmbeddingTokens were used; nil when the model did not say, or told it of several questions at once.
	EmbeddingTokens *int
}

// Retriever answers requests. It is safe for concurrent use.
type Retriever struct {
	Config
}

// New makes a Retriever. The error is corpus.ErrInvalid.
func New(c Config) (*Retriever, error) {
	if c.Store == nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make retriever: there is no store")
	}
	if c.RerankDepth <= 0 {
		c.RerankDepth = defaultRerankDepth
	}
	return &Retriever{c}, nil
}

// Retrieve finds passages. Errors are corpus.ErrInvalid for a request that makes no sense, corpus.ErrLimit for a question of more
// than 32,000 characters, corpus.ErrNotFound for a collection that is not there, corpus.ErrConflict when its vectors are of another model, and those of
// the store and the models.
func (r *Retriever) Retrieve(ctx context.Context, request Request) (Result, error) {
	results, err := r.RetrieveAll(ctx, []Request{request})
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// RetrieveAll answers several requests, in order, with one call for their vectors. It fails as a whole.
func (r *Retriever) RetrieveAll(ctx context.Context, requests []Request) ([]Result, error) {
	queries := make([]query, len(requests))
	for i, request := range requests {
		var err error
		if queries[i], err = newQuery(request); err != nil {
			return nil, err
		}
	}
	if err := r.analyse(ctx, queries); err != nil {
		return nil, err
	}
	tokens, err := r.embed(ctx, queries)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(queries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, q := range queries {
		group.Go(func() (err error) {
			results[i].Passages, err = r.search(ctx, q)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(results) == 1 {
		results[0].EmbeddingTokens = tokens
	}
	return results, nil
}
