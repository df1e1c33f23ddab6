package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitText returns the text as it is, or in pieces of at most limit tokens that joined are the text. It halves at
// the best place near the middle: the end of a paragraph, a line, a sentence, a word, else between two characters.
func splitText(text string, limit int, count func(string) int) []string {
	if count(text) <= limit || utf8.RuneCountInString(text) < 2 {
		return []string{text}
	}
	at := splitPoint(text)
	return append(splitText(text[:at], limit, count), splitText(text[at:], limit, count)...)
}

// splitPoint is a byte offset within the text, in its middle half if there is a character's edge in it.
func splitPoint(text string) int {
	_, best := utf8.DecodeRuneInString(text)
	bestRank, middle := -1, len(text)/2
	previous, beforeLast := rune(0), rune(0)
	for at, r := range text {
		if at > 3*len(text)/4 {
			break
		}
		if at > 0 && at >= len(text)/4 {
			rank := edgeRank(beforeLast, previous)
			if rank > bestRank || rank == bestRank && distance(at, middle) < distance(best, middle) {
				best, bestRank = at, rank
			}
		}
		beforeLast, previous = previous, r
	}
	return best
}

// edgeRank says how good it is to cut after these two characters: after a paragraph 4, a line 3, a sentence 2, a
// word 1.
func edgeRank(beforeLast, last rune) int {
	switch {
	case last == '\n' && beforeLast == '\n':
		return 4
	case last == '\n':
		return 3
	case strings.ContainsRune("。！？｡．", last), unicode.IsSpace(last) && strings.ContainsRune(".!?…؟।", beforeLast):
		return 2
	case unicode.IsSpace(last):
		return 1
	}
	return 0
}

func distance(a, b int) int {
	if a < b {
		return b - a
	}
	return a - b
}
