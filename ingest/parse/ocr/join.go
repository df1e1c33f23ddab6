package ocr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// join joins words by spaces, but characters of scripts without spaces, which tesseract takes for words, by none.
func join(words []string) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			before, _ := utf8.DecodeLastRuneInString(words[i-1])
			after, _ := utf8.DecodeRuneInString(word)
			if !wide(before) && !wide(after) {
				b.WriteByte(' ')
			}
		}
		b.WriteString(word)
	}
	return b.String()
}

// wide reports whether the character belongs to a script that is written without spaces, or is one of its signs.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}
