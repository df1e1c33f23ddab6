// Package model reaches language models: the catalog of what there is (YAML), and adapters that embed, chat
// and rerank over langchaingo with retries and limits. model/local supervises models that run on this machine.
package model

import (
	"context"
	"time"

	"grounded/corpus"
)

// Kind is what a text is to an embedder; many models want a prefix that depends on it.
type Kind string

// The kinds of text that are embedded.
const (
	Query   Kind = "query"
	Passage Kind = "passage"
)

// Embeddings are the vectors of a list of texts, in order, of unit length.
type Embeddings struct {
	Vectors [][]float32
	Tokens  *int // that were used; nil when the server did not say
}

// Embedder makes vectors of texts. It is safe for concurrent use.
type Embedder interface {
	// Embed returns one vector a text. A text over MaxTokens is split and its parts' vectors averaged by
	// length; nothing is cut. Errors are corpus.ErrUnavailable after the last retry, corpus.ErrInvalid,
	// corpus.ErrForbidden for a wrong key, corpus.ErrLimit for an exhausted quota.
	Embed(ctx context.Context, kind Kind, texts []string) (Embeddings, error)
	// Embedding tells the model, its dimensions and its prefixes. It may ask the model for its dimensions.
	Embedding(ctx context.Context) (corpus.Embedding, error)
	// CountTokens counts as the model does, or estimates from above when its tokenizer is not to be had.
	CountTokens(text string) int
	// MaxTokens is the longest text that the model takes as one.
	MaxTokens() int
}

// Message is a turn of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user or assistant
	Content string `json:"content"`
}

// Request asks a chat model. Zero values leave a setting to the model.
type Request struct {
	Messages    []Message
	Pictures    []Picture // shown with the last message, which is the user's; for a model with the task vision
	MaxTokens   int
	Temperature *float64
	TopP        *float64
	Stop        []string
	Seed        *int
}

// Delta is a piece of a streamed answer.
type Delta struct {
	Text  string
	Model string // that writes it, if it is not the one that was asked: see Response.Fallback
}

// Response is a whole answer.
type Response struct {
	Text             string
	FinishReason     string // stop, length, or what the model says
	PromptTokens     *int   // nil when the server did not say
	CompletionTokens *int
	FirstToken       time.Duration // from the request to the first text; 0 when it was not streamed
	Total            time.Duration
	Fallback         *Card // the model that answered in the place of the one that was asked; nil if none did
}

// Chat is a chat model. It is safe for concurrent use.
type Chat interface {
	// Complete answers. With stream it is called for each piece; an error from it ends the call.
	Complete(ctx context.Context, r Request, stream func(Delta) error) (Response, error)
	// CountTokens counts as the model does, or estimates from above when its tokenizer is not to be had.
	CountTokens(ctx context.Context, text string) (int, error)
	// Card is the model's entry in the catalog.
	Card() Card
}

// Reranker scores texts by how well each answers a query; higher is better.
type Reranker interface {
	Rerank(ctx context.Context, query string, texts []string) ([]float64, error)
}
