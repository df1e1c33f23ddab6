package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isWordRune holds for what words are made of, marks apart.
func isWordRune(r rune) bool {
	return r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') ||
		r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// isJoiner holds for what joins the parts of a compound when no white space is around it.
func isJoiner(s string) bool {
	switch s {
	case "-", "\u2010", "\u2011", "/", "\\", "_", ".", ":", "@", "+", "&", "#", "'", "’", "\u00ad":
		return true
	}
	return false
}

// gramSize is the length of the n-grams that a script without spaces between words is counted by, or 0 for
// characters of other scripts.
func gramSize(r rune) int {
	switch {
	case r < 0x0e00:
		return 0
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul), r == 'ー', r == '々':
		return 2
	case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && !unicode.IsPunct(r) && !unicode.IsDigit(r):
		return 3
	}
	return 0
}

// isPlain holds for the ordinary word: lower case, perhaps but for the first letter, or digits.
func isPlain(word string) bool {
	for i, r := range word {
		if !isWordRune(r) || i > 0 && unicode.IsUpper(r) {
			return false
		}
	}
	return true
}

// splitCase takes camelCase apart: camel, Case; XMLParser: XML, Parser. Words in capitals stay whole.
func splitCase(word string) []string {
	var parts []string
	runes := []rune(word)
	start := 0
	for i := 1; i < len(runes); i++ {
		afterLower := unicode.IsUpper(runes[i]) && unicode.IsLower(runes[i-1])
		beforeLower := i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsUpper(runes[i]) && unicode.IsLower(runes[i+1])
		// The s of PDFs and URLs begins no word.
		if afterLower || beforeLower && i+2 < len(runes) {
			parts = append(parts, string(runes[start:i]))
			start = i
		}
	}
	return append(parts, string(runes[start:]))
}

// number unifies ways to write a number: 2,000 is 2000, in languages with a decimal comma 2.000 is, and 3,5
// there is 3.5. Digits with points that make no number, like 10.0.0.1, are kept.
func (t *termCounter) number(word string) (string, bool) {
	if strings.Trim(word, "0123456789.,") != "" || strings.Trim(word, ".,") == "" {
		return "", false
	}
	groups, decimal := ",", "."
	if t.lang.decimalComma {
		groups, decimal = ".", ","
	}
	whole, fraction, _ := strings.Cut(word, decimal)
	parts := strings.Split(whole, groups)
	grouped := len(parts[0]) <= 3
	for _, p := range parts[1:] {
		grouped = grouped && len(p) == 3
	}
	switch {
	case len(parts) > 1 && grouped:
		whole = strings.Join(parts, "")
	case len(parts) == 2 && fraction == "": // the other convention: 3,5 in English, 3.5 in German
		whole, fraction = parts[0], parts[1]
	case len(parts) > 1:
		return word, true
	}
	if strings.ContainsAny(fraction, ".,") {
		return word, true
	}
	if fraction != "" {
		return whole + "." + fraction, true
	}
	return whole, true
}

// spellings are two ways to write one word that the stemmers would tell apart.
var spellings = strings.NewReplacer("ß", "ss", "ё", "е", "i̇", "i")

// fold unifies case. Text is NFKC already.
func fold(word string) string {
	word = strings.ToLower(word)
	if isASCII(word) {
		return word
	}
	return spellings.Replace(word)
}

var letters = strings.NewReplacer("ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ı", "i",
	"ς", "σ", "ـ", "")

// stripAccents takes the accents off Latin, Greek and Cyrillic letters, and the points off Arabic and Hebrew.
func stripAccents(word string) string {
	if isASCII(word) {
		return word
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(word) {
		if r >= 0x300 && r <= 0x36f || r >= 0x591 && r <= 0x5c7 || r >= 0x64b && r <= 0x655 || unicode.Is(unicode.Cf, r) {
			continue
		}
		b.WriteRune(r)
	}
	return letters.Replace(norm.NFC.String(b.String()))
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func truncate(word string, runes int) string {
	if len(word) <= runes {
		return word
	}
	n := 0
	for i := range word {
		if n == runes {
			return word[:i]
		}
		n++
	}
	return word
}
