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
}

// add counts one more call.
func (u *usage) add(r model.Response) {
	if !u.called {
		u.called, u.prompt, u.completion = true, r.PromptTokens, r.CompletionTokens
		return
	}
	u.prompt, u.completion = both(u.prompt, r.PromptTokens), both(u.completion, r.CompletionTokens)
}

// both adds two counts; the sum is known only if both are.
func both(a, b *int) *int {
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
func (u usage) cost(card model.Card) *float64 {
	t := u.tokens()
	if t.PromptTokens == nil || t.CompletionTokens == nil {
		return nil
	}
	return card.Cost(*t.PromptTokens, *t.CompletionTokens)
}
