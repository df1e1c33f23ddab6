package model

import (
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer"

	"grounded/corpus"
)

// Tokenizers that a card may name. llama-server's own is asked by Chat.CountTokens; where it can't be asked, and for
// any other, the count is estimated from above.
const (
	tokenizerCL100K   = string(tokenizer.Cl100kBase)
	tokenizerO200K    = string(tokenizer.O200kBase)
	tokenizerXLMR     = "xlm-r"
	tokenizerServer   = "llama-server"
	tokenizerEstimate = "estimate"
)

// counter returns what counts a card's tokens. What it needs is read at the first count.
func counter(card Card, lookup func(string) (string, bool)) (func(string) int, error) {
	estimate := new(estimator).count
	switch card.Tokenizer {
	case tokenizerCL100K, tokenizerO200K:
		codec := sync.OnceValues(func() (tokenizer.Codec, error) { return tokenizer.Get(tokenizer.Encoding(card.Tokenizer)) })
		return func(text string) int {
			c, err := codec()
			if err == nil {
				if n, err := c.Count(text); err == nil {
					return n
				}
			}
			return estimate(text) // text that is not UTF-8
		}, nil
	case tokenizerXLMR:
		venv, _ := FindVenv(lookup)
		exact := sync.OnceValue(func() *unigram {
			if card.Vocabulary == "" {
				return nil
			}
			u, err := readUnigram(strings.ReplaceAll(card.Vocabulary, "{venv}", venv))
			if err != nil {
				return nil // not installed, or another version: estimated
			}
			return u
		})
		return func(text string) int {
			if u := exact(); u != nil {
				return u.count(text)
			}
			return estimate(text)
		}, nil
	case "", tokenizerServer, tokenizerEstimate:
		return estimate, nil
	}
	return nil, corpus.Errorf(corpus.ErrInvalid, "model %q: unknown tokenizer %q", card.ID, card.Tokenizer)
}

// Counter counts tokens as a card's model does, or estimates them from above, without asking its server.
func Counter(card Card, cfg Config) (func(text string) int, error) {
	return counter(card, withDefaults(cfg, card, 0).LookupEnv)
}
