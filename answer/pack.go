package answer

import (
	"context"
	"strings"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

const (
	unknownContext   = 4096 // tokens, for a model whose window the catalog does not tell
	defaultMaxTokens = 1024 // tokens of an answer, where the window has room
	messageTokens    = 8    // what a chat format adds to a message, from above
	// smallModel is the number of parameters below which a model gets the short prompt, no more of it than smallPrompt
	// tokens, and fewer tokens to answer: what it writes beyond them goes round in circles.
	smallModel  = 1_000_000_000
	smallPrompt = 640
	smallAnswer = 96
)

func isSmall(card model.Card) bool { return card.Parameters > 0 && card.Parameters < smallModel }

// budget is how the context of a model is divided, in tokens.
type budget struct{ prompt, answer int }

func budgetOf(card model.Card, maxTokens int) (budget, error) {
	window := card.Context
	if window <= 0 {
		window = unknownContext
	}
	b := budget{answer: maxTokens}
	if b.answer <= 0 {
		b.answer = min(defaultMaxTokens, window/4)
		if isSmall(card) {
			b.answer = min(smallAnswer, b.answer)
		}
	}
	if card.MaxOutput > 0 {
		b.answer = min(b.answer, card.MaxOutput)
	}
	b.prompt = window - b.answer
	if b.prompt <= 0 {
		return budget{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "answer: %d tokens of answer leave no room in the window of %s (%d tokens)", b.answer, card.ID, window),
			"ask for fewer tokens")
	}
	return b, nil
}

// packer fills a prompt up to its budget, by the model's own count of tokens.
type packer struct {
	prompts *prompts.Set
	name    string
	chat    model.Chat
	tokens  int // for the whole prompt
}

// pack renders as much as fits: of the history the last turns, in at most half of the budget; of the examples
// the first; of the passages the best. If not even one passage fits, the first is cut behind a sentence. It
// returns the messages and the passages that are in them, or corpus.ErrLimit when the question alone is too
// long.
func (p packer) pack(ctx context.Context, d prompts.Data) ([]model.Message, []corpus.Passage, error) {
	history, examples, passages := d.History, d.Examples, d.Passages
	d.History, d.Examples, d.Passages = nil, nil, nil
	fits, err := p.fits(ctx, d, p.tokens)
	if err != nil {
		return nil, nil, err
	}
	if !fits {
		return nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrLimit, "answer: the question is too long for the context of %s", p.chat.Card().ID),
			"ask a shorter question, or a model with a longer context")
	}
	turns, err := most(len(history), func(n int) (bool, error) {
		d.History = history[len(history)-n:]
		return p.fits(ctx, d, p.tokens/2)
	})
	if err != nil {
		return nil, nil, err
	}
	d.History = history[len(history)-turns:]
	shown, err := most(len(examples), func(n int) (bool, error) {
		d.Examples = examples[:n]
		return p.fits(ctx, d, p.tokens)
	})
	if err != nil {
		return nil, nil, err
	}
	d.Examples = examples[:shown]
	packed, err := most(len(passages), func(n int) (bool, error) {
		d.Passages = passages[:n]
		return p.fits(ctx, d, p.tokens)
	})
	if err != nil {
		return nil, nil, err
	}
	d.Passages = passages[:packed]
	kept := d.Passages
	if packed == 0 && len(passages) > 0 {
		if d.Passages, err = p.cut(ctx, d, passages[0]); err != nil {
			return nil, nil, err
		}
		kept = passages[:len(d.Passages)]
	}
	messages, err := p.render(d)
	return messages, kept, err
}

// cut returns the first sentences of a passage, as many as fit; none when none does.
func (p packer) cut(ctx context.Context, d prompts.Data, passage corpus.Passage) ([]corpus.Passage, error) {
	sentences := analyze.Sentences(passage.Text)
	cut := func(n int) []corpus.Passage {
		if n == 0 {
			return nil
		}
		short := passage
		short.Text = passage.Text[:sentences[n-1].End]
		return []corpus.Passage{short}
	}
	n, err := most(len(sentences), func(n int) (bool, error) {
		d.Passages = cut(n)
		return p.fits(ctx, d, p.tokens)
	})
	return cut(n), err
}

func (p packer) render(d prompts.Data) ([]model.Message, error) {
	rendered, err := p.prompts.Render(p.name, d)
	if err != nil {
		return nil, err
	}
	messages := make([]model.Message, len(rendered))
	for i, m := range rendered {
		messages[i] = model.Message{Role: m.Role, Content: m.Content}
	}
	return messages, nil
}

func (p packer) fits(ctx context.Context, d prompts.Data, tokens int) (bool, error) {
	messages, err := p.render(d)
	if err != nil {
		return false, err
	}
	var all strings.Builder
	for _, m := range messages {
		all.WriteString(m.Content + "\n")
	}
	count, err := p.chat.CountTokens(ctx, all.String())
	return count+messageTokens*(len(messages)+1) <= tokens, err
}

// most returns the largest n of 0 to limit for which fits holds, given that it holds for 0 and for all below
// one for which it holds. It tries limit first, which is the usual answer.
func most(limit int, fits func(n int) (bool, error)) (int, error) {
	if limit == 0 {
		return 0, nil
	}
	ok, err := fits(limit)
	if ok || err != nil {
		return limit, err
	}
	low, high := 0, limit
	for high-low > 1 {
		middle := (low + high) / 2
		ok, err := fits(middle)
		if err != nil {
			return 0, err
		}
		if ok {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}
