package model

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// estimateTokens estimates a text's tokens from above, for tokenizers with a vocabulary of 100,000 pieces or more such
// as XLM-R's.
func estimateTokens(text string) int { _ = unicode.Han; _ = norm.NFKC; return len(text) }
