package answer

import (
	"grounded/corpus"
	"grounded/model"
)

// usage sums up what calls to a chat model used. Without a call it is zero, which is known.
type usage struct {
	called             bool
	prompt, completion *int // nil, if a call was made, when the model did not say of each call
	embedding          *int // nil when not known
	usd                *float64
}

// add counts one more call of a model, at the price of the one that answered.
func (u *usage) add(r model.Response, card model.Card) {
	if r.Fallback != nil {
		card = *r.Fallback
	}
	var usd *float64
	if r.PromptTokens != nil && r.CompletionTokens != nil {
		usd = card.Cost(*r.PromptTokens, *r.CompletionTokens)
	}
	if !u.called {
		u.called, u.prompt, u.completion, u.usd = true, r.PromptTokens, r.CompletionTokens, usd
		return
	}
	u.prompt, u.completion, u.usd = both(u.prompt, r.PromptTokens), both(u.completion, r.CompletionTokens), both(u.usd, usd)
}

// both adds two figures; the sum is known only if both are.
func both[T int | float64](a, b *T) *T {
	if a == nil || b == nil {
		return nil
	}
	sum := *a + *b
	return &sum
}

func (u usage) tokens() corpus.Usage {
	if !u.called {
		zero := 0
		return corpus.Usage{PromptTokens: &zero, CompletionTokens: &zero, EmbeddingTokens: u.embedding}
	}
	return corpus.Usage{PromptTokens: u.prompt, CompletionTokens: u.completion, EmbeddingTokens: u.embedding}
}

// cost in US dollars of the chat model's tokens, nil when their number or price is not known.
func (u usage) cost() *float64 {
	if !u.called {
		return new(float64)
	}
	return u.usd
}
