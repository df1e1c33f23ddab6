package model

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// estimator estimates a text's tokens from above, for tokenizers with a vocabulary of 100,000 pieces or more.
// It was fitted to XLM-R's: letters that read like words make a token every few letters, by script; letters that
// don't, digits and signs make nearly one each. Where the vocabulary is to be had, unigram counts exactly.
type estimator struct {
	words memo[float64]
}

func (e *estimator) count(text string) int {
	total := 0.0
	for word := range strings.FieldsSeq(norm.NFKC.String(text)) {
		total += e.words.get(word, estimateWord)
	}
	return int(total) + 1
}

// estimateWord estimates a word, that is, what stands between two spaces.
func estimateWord(word string) float64 {
	runes := []rune(word)
	total := 0.0
	for i := 0; i < len(runes); {
		class, to := classOf(runes[i]), i+1
		for to < len(runes) && classOf(runes[to]) == class {
			to++
		}
		run := runes[i:to]
		switch class {
		case letters:
			total += estimateLetters(run, i > 0)
		case digits:
			total += 1 + 0.6*float64(len(run)-1)
		case ideographs:
			total += 0.35 + 0.8*float64(len(run))
		case syllables:
			total += 0.45 + 0.62*float64(len(run))
		default:
			total += signs(run)
		}
		i = to
	}
	return total
}

type runeClass int

const (
	letters    runeClass = iota // of alphabets, with their marks
	digits                      // 0 to 9 and their like
	ideographs                  // Han
	syllables                   // kana and Hangul
	others                      // punctuation and symbols
)

func classOf(r rune) runeClass {
	switch {
	case r < 0x80:
		switch {
		case r >= '0' && r <= '9':
			return digits
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			return letters
		}
		return others
	case unicode.Is(unicode.Han, r):
		return ideographs
	case unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return syllables
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letters
	case unicode.IsDigit(r):
		return digits
	}
	return others
}

// signs estimates a run of punctuation: one each, and less for one that is repeated, as in a line.
func signs(run []rune) float64 {
	total := 0.0
	for i, r := range run {
		if i > 1 && r == run[i-1] && r == run[i-2] {
			total += 0.8
			continue
		}
		total++
	}
	return total
}

// estimateLetters estimates a run of letters of an alphabet. Inner runs, as in x4y or snake_case, begin without a
// space and are cut finer.
func estimateLetters(run []rune, inner bool) float64 {
	total := 0.0
	for i := 0; i < len(run); {
		to := i + 1
		for to < len(run) && !(unicode.IsLower(run[to-1]) && unicode.IsUpper(run[to])) { // camelCase
			to++
		}
		total += estimatePart(run[i:to], inner || i > 0)
		i = to
	}
	return total
}

func estimatePart(part []rune, inner bool) float64 {
	n := float64(len(part))
	first := part[0]
	switch {
	case !pronounceable(part):
		return 1 + n/1.25
	case len(part) > 1 && unicode.IsUpper(part[1]):
		return 0.7 + n/2
	case unicode.Is(unicode.Latin, first):
		if n <= 3 && !inner {
			return 1.02
		}
		base := 0.55
		switch {
		case inner:
			base = 0.95
		case unicode.IsUpper(first):
			base = 0.8
		}
		return base + n/6.2
	case unicode.In(first, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return 0.9 + n/3.1
	case unicode.In(first, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew):
		return 0.7 + n/4.2
	}
	return 0.8 + n/3
}

// pronounceable reports whether Latin letters could be said: no long run without a vowel, none of the same letter, and
// few of the letters that are rare everywhere.
func pronounceable(part []rune) bool {
	if !unicode.Is(unicode.Latin, part[0]) || len(part) < 2 {
		return true
	}
	vowels, rare, without, longest := 0, 0, 0, 0
	for i, r := range part {
		r = unicode.ToLower(r)
		if isVowel(r) {
			vowels++
			without = 0
		} else {
			without++
			longest = max(longest, without)
		}
		switch r {
		case 'q', 'x', 'j', 'z', 'w', 'k', 'v':
			rare++
		}
		if i > 1 && r == unicode.ToLower(part[i-1]) && r == unicode.ToLower(part[i-2]) {
			return false
		}
	}
	return vowels*6 >= len(part) && vowels > 0 && longest <= 5 && (rare*3 <= len(part) || len(part) < 5)
}

func isVowel(r rune) bool {
	switch r {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		return true
	}
	return r >= 0x80 && strings.ContainsRune("äöüáéíóúàèìòùâêîôûåøæœãõëïı", r)
}
