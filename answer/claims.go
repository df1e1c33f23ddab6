package answer

import (
	"regexp"
	"strings"
	"unicode"

	"grounded/analyze"
)

// claim is a sentence of an answer that says something which the passages must support.
type claim struct {
	text    string // without its markers
	numbers []int  // that the model cited behind it, each once
}

// claims splits an answer into the sentences that must be supported, each with its markers. A marker belongs to
// the sentence before it, but to the one behind it when it begins a line. Headings, lead-ins to a list,
// questions, courtesies and refusals claim nothing.
func claims(text string) []claim {
	markers := parseMarkers(text)
	bare, at := unmark(text, markers)
	spans := analyze.Sentences(bare)
	numbers := make([][]int, len(spans))
	for i, m := range markers {
		if owner := ownerOf(bare, spans, at[i]); owner >= 0 {
			numbers[owner] = append(numbers[owner], m.numbers...)
		}
	}
	var found []claim
	for i, span := range spans {
		sentence := bareSentence(bare[span.Start:span.End])
		if claimless(sentence) {
			continue
		}
		found = append(found, claim{sentence, distinct(numbers[i])})
	}
	return found
}

func ownerOf(bare string, spans []analyze.Span, at int) int {
	behind := startsLine(bare, at)
	owner := -1
	for i, span := range spans {
		if behind && span.End > at {
			return i
		}
		if span.Start < at || i == 0 {
			owner = i
		}
	}
	return owner
}

func distinct(numbers []int) []int {
	var once []int
	seen := map[int]bool{}
	for _, n := range numbers {
		if !seen[n] {
			seen[n] = true
			once = append(once, n)
		}
	}
	return once
}

var listSign = regexp.MustCompile(`^(?:[-*•+]\s+|\(?\d{1,2}[.)]\s+)+`)

// bareSentence takes off what is layout: list signs and emphasis.
func bareSentence(s string) string {
	s = listSign.ReplaceAllString(strings.TrimSpace(s), "")
	return strings.TrimSpace(strings.NewReplacer("**", "", "__", "", "`", "").Replace(s))
}

// courtesies are whole sentences, or how sentences begin, that claim nothing about the documents.
var courtesies = regexp.MustCompile(`(?i)^(?:` + strings.Join([]string{
	`(?:hello|hi|hey|dear|hallo|bonjour|hola|ciao|您好|你好)\b.{0,30}$`,
	`(?:yes|no|sure|certainly|of course|ja|nein|natürlich|gerne?|oui|non|bien sûr|sí|claro|no|是的?|不是?|否|当然)[.!,。！，]*$`,
	`(?:i hope|let me know|feel free|please (?:let|feel|note that i)|if you (?:have|need) (?:any|more|further)|is there anything)`,
	`(?:here (?:is|are)|here's|below (?:is|are)|the (?:answer|following)(?: is| are)?:?$|according to the passages?[:,]?$|based on the passages?[:,]?$)`,
	`(?:thank you|thanks|danke|merci|gracias|谢谢|希望)`,
	`(?:sources?|references?|quellen?|fuentes?|来源)[\s:：,，;.]*$`,
}, "|") + `)`)

// claimless reports whether a sentence says nothing that could be supported.
func claimless(s string) bool {
	switch {
	case strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0,
		strings.HasPrefix(s, "#"),
		strings.HasSuffix(s, ":"), strings.HasSuffix(s, "："),
		strings.HasSuffix(s, "?"), strings.HasSuffix(s, "？"):
		return true
	}
	return courtesies.MatchString(s) || refuses(s)
}
