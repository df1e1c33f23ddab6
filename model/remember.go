package model

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"
)

// longestRemembered is the most bytes of a query that is kept.
const longestRemembered = 2000

// rememberer keeps the vectors of the queries that were asked last.
type rememberer struct {
	Embedder
	vectors *lru.Cache[string, []float32]
}

// RememberQueries embeds the same query once, as long as it is among the last n: many people ask the same. A query that is
// remembered uses no tokens.
func RememberQueries(e Embedder, n int) (Embedder, error) {
	vectors, err := lru.New[string, []float32](n)
	if err != nil {
		return nil, err
	}
	return &rememberer{e, vectors}, nil
}

func (r *rememberer) Embed(ctx context.Context, kind Kind, texts []string) (Embeddings, error) {
	if kind != Query || len(texts) != 1 || len(texts[0]) > longestRemembered {
		return r.Embedder.Embed(ctx, kind, texts)
	}
	if vector, ok := r.vectors.Get(texts[0]); ok {
		return Embeddings{Vectors: [][]float32{vector}, Tokens: new(int)}, nil
	}
	made, err := r.Embedder.Embed(ctx, kind, texts)
	if err == nil {
		r.vectors.Add(texts[0], made.Vectors[0])
	}
	return made, err
}
