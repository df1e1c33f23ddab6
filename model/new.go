package model

import (
	"context"

	"grounded/corpus"
)

// NewEmbedder connects to an embedding model. It makes no request; a key that is missing is ErrForbidden.
func NewEmbedder(ctx context.Context, card Card, cfg Config) (Embedder, error) {
	return nil, corpus.Errorf(corpus.ErrUnsupported, "provider %q has no embeddings here", card.Provider)
}

// NewChat connects to a chat model. It makes no request; a key that is missing is ErrForbidden.
func NewChat(ctx context.Context, card Card, cfg Config) (Chat, error) {
	return nil, corpus.Errorf(corpus.ErrUnsupported, "provider %q has no chat here", card.Provider)
}

// NewReranker connects to a reranker. It makes no request; a key that is missing is ErrForbidden.
func NewReranker(ctx context.Context, card Card, cfg Config) (Reranker, error) {
	return nil, corpus.Errorf(corpus.ErrUnsupported, "provider %q has no reranking here", card.Provider)
}
