package answer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/analyze"
)

// content is what a text says as far as words tell: what is compared between a sentence and what supports it.
type content struct {
	terms   map[string]float64 // content terms and their weights; numbers are not among them
	numbers map[string]bool    // in plain notation: 1000, 4.5; and letters that number things: the B of Plan B
	negated map[string]bool    // terms that a negation reaches
	denies  bool               // there is a negation
}

const (
	termWeight = 1.0
	nameWeight = 1.5 // of a word with a capital inside of a sentence: a name more often than not
)

var (
	wordForm = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+(?:['’.,\x{00a0}\x{202f}][\p{L}\p{M}\p{N}]+)*|[,;:.!?，。；：！？()]`)
	digits   = regexp.MustCompile(`\d+(?:[.,'’\x{00a0}\x{202f}]\d+)*`)
)

// negationReach is how many content terms behind a negation it takes in, or before it when none follow in its
// clause ("die Firma zahlt das nicht").
const negationReach = 2

// contentOf reads a text with the rules of a language (ISO 639-1, or "").
func contentOf(text, language string) content {
	c := content{terms: map[string]float64{}, numbers: map[string]bool{}, negated: map[string]bool{}}
	var clause []string // content terms since the last punctuation, numbers left out
	reach := 0          // terms that a negation still takes in
	open := false       // a negation has found none yet
	closeClause := func() {
		if open {
			for _, term := range clause[max(0, len(clause)-negationReach):] {
				c.negated[term] = true
			}
		}
		clause, reach, open = clause[:0], 0, false
	}
	take := func(terms []string, weight float64) {
		for _, term := range terms {
			c.terms[term] = max(c.terms[term], weight)
			if reach > 0 {
				c.negated[term] = true
				open = false
			}
			clause = append(clause, term)
		}
		if len(terms) > 0 && reach > 0 {
			reach--
		}
	}
	words := wordForm.FindAllString(text, -1)
	for i, word := range words {
		first, _ := utf8.DecodeRuneInString(word)
		switch {
		case isLabel(words[:i], word):
			c.numbers[word] = true
		case unicode.IsPunct(first):
			closeClause()
		case hasIdeograph(word):
			for _, n := range digits.FindAllString(word, -1) {
				c.numbers[plainNumber(n)] = true
			}
			word = digits.ReplaceAllString(word, " ")
			for _, n := range ideographNumbers(word) {
				c.numbers[n] = true
			}
			for j, part := range splitIdeographs(word) {
				if j > 0 {
					c.denies, open, reach = true, true, ideographReach
				}
				for _, term := range termsOf(part, language) {
					take([]string{term}, termWeight)
				}
			}
		case unicode.IsDigit(first):
			for _, n := range digits.FindAllString(word, -1) {
				c.numbers[plainNumber(n)] = true
			}
		case numberWords[strings.ToLower(word)] != "":
			c.numbers[numberWords[strings.ToLower(word)]] = true
		case isNegation(word, language):
			c.denies, open, reach = true, true, negationReach
		default:
			weight := termWeight
			if i > 0 && language != "de" && unicode.IsUpper(first) {
				weight = nameWeight
			}
			take(termsOf(word, language), weight)
		}
	}
	closeClause()
	return c
}

// isLabel holds for a capital letter by itself behind another word, as in "Plan B" and "type C"; not for "I".
func isLabel(before []string, word string) bool {
	first, size := utf8.DecodeRuneInString(word)
	if size != len(word) || !unicode.IsUpper(first) || first == 'I' || len(before) == 0 {
		return false
	}
	last, _ := utf8.DecodeRuneInString(before[len(before)-1])
	return unicode.IsLetter(last)
}

// termsOf leaves single characters of scripts without spaces out where there are pairs of them.
func termsOf(text, language string) []string {
	var list []string
	pairs := hasIdeograph(text) && utf8.RuneCountInString(text) > 1
	for _, t := range analyze.Terms(text, language) {
		if !pairs || utf8.RuneCountInString(t.Text) > 1 {
			list = append(list, t.Text)
		}
	}
	return list
}

// plainNumber writes a number without thousands separators and with a point before decimals: both 1,000 and
// 1.000 are 1000, both 4.5 and 4,5 are 4.5.
func plainNumber(s string) string {
	s = strings.NewReplacer("'", ",", "’", ",", "\u00a0", ",", "\u202f", ",").Replace(s)
	at := strings.LastIndexAny(s, ".,")
	if at < 0 {
		return trimZeros(s)
	}
	whole := strings.NewReplacer(".", "", ",", "").Replace(s[:at])
	if len(s)-at-1 == 3 && whole != "0" {
		return trimZeros(whole + s[at+1:])
	}
	if fraction := strings.TrimRight(s[at+1:], "0"); fraction != "" {
		return trimZeros(whole) + "." + fraction
	}
	return trimZeros(whole)
}

func trimZeros(s string) string {
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return "0"
}
