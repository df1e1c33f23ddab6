package retrieve

import (
	"strings"
	"unicode"

	"grounded/store"
)

// distinct returns the first limit hits whose words are not all, in the same order, in one before it: what other
// documents or other versions repeat word for word would only take the place of something else. Texts that differ
// in a number or a name are both kept.
func distinct(hits []store.Hit, limit int) []store.Hit {
	var kept []store.Hit
	var texts []string
	for _, h := range hits {
		if len(kept) == limit {
			break
		}
		text := onlyWords(h.Chunk.Text)
		if !contained(text, texts) {
			kept, texts = append(kept, h), append(texts, text)
		}
	}
	return kept
}

func contained(text string, in []string) bool {
	for _, t := range in {
		if strings.Contains(t, text) {
			return true
		}
	}
	return false
}

// onlyWords is a text in lower case, each run of anything but letters and digits one space, with spaces around.
func onlyWords(text string) string {
	var b strings.Builder
	b.WriteByte(' ')
	gap := true
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			b.WriteRune(unicode.ToLower(r))
			gap = false
		} else if !gap {
			b.WriteByte(' ')
			gap = true
		}
	}
	if !gap {
		b.WriteByte(' ')
	}
	return b.String()
}
