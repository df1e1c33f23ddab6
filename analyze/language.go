package analyze

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// Language returns the ISO 639-1 code of the language that most of the text is in, or "" when the text is too
// short or too mixed to tell. It looks at the first 4,000 bytes or so, so give it a sample.
func Language(text string) string {
	if len(text) > sampleBytes {
		text = strings.ToValidUTF8(text[:sampleBytes], "")
	}
	script := dominantScript(text)
	switch script {
	case "":
		return ""
	case "latin", "cyrillic", "arabic", "devanagari", "hebrew":
	default:
		return script
	}
	voted := byStopWords(text)
	if voted != "" && siblings[voted] == nil {
		return voted
	}
	info := whatlanggo.Detect(text)
	trigrams := info.Lang.Iso6391()
	switch {
	case voted == "" && !info.IsReliable():
		return ""
	case voted == "" || info.IsReliable() && siblings[voted][trigrams]:
		return trigrams
	}
	return voted
}

// stopWordOf has the languages that a word is a stop word of.
var stopWordOf = func() map[string][]string {
	of := map[string][]string{}
	for code, l := range languages {
		for word := range l.stop {
			if code != "nb" { // the same list as that of "no"
				of[word] = append(of[word], code)
			}
		}
	}
	return of
}()

// siblings share many stop words with a language but have none of their own here.
var siblings = map[string]map[string]bool{"pl": set("cs sk sl hr"), "ru": set("uk be bg mk sr")}

const sampleBytes = 4000

// scripts that one language, or by far the most text, is written in are named by its code.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"latin", unicode.Latin}, {"zh", unicode.Han}, {"kana", unicode.Hiragana}, {"kana", unicode.Katakana},
	{"ko", unicode.Hangul}, {"cyrillic", unicode.Cyrillic}, {"arabic", unicode.Arabic}, {"el", unicode.Greek},
	{"th", unicode.Thai}, {"hebrew", unicode.Hebrew}, {"devanagari", unicode.Devanagari}, {"ka", unicode.Georgian},
	{"hy", unicode.Armenian}, {"bn", unicode.Bengali}, {"ta", unicode.Tamil}, {"te", unicode.Telugu},
	{"km", unicode.Khmer}, {"lo", unicode.Lao}, {"my", unicode.Myanmar}, {"am", unicode.Ethiopic},
	{"gu", unicode.Gujarati}, {"pa", unicode.Gurmukhi}, {"kn", unicode.Kannada}, {"ml", unicode.Malayalam}, {"si", unicode.Sinhala},
}

// dominantScript returns the name of the script of most of the text, or "". A character of Chinese, Japanese
// or Korean counts for three letters: that is about what it says.
func dominantScript(text string) string {
	counts := map[string]int{}
	for _, r := range text {
		if r < 0x80 {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				counts["latin"]++
			}
			continue
		}
		for _, s := range scripts {
			if unicode.Is(s.table, r) {
				if gramSize(r) == 2 {
					counts[s.name] += 2
				}
				counts[s.name]++
				break
			}
		}
	}
	if kana := counts["kana"]; kana > 0 {
		delete(counts, "kana")
		// Japanese always mixes kana in; Chinese has none but in a name now and then.
		if kana*10 >= counts["zh"] {
			counts["ja"] = kana + counts["zh"]
			delete(counts, "zh")
		}
	}
	best := ""
	for name, n := range counts {
		if n > counts[best] || n == counts[best] && name < best {
			best = name
		}
	}
	return best
}

// byStopWords returns the language whose stop words are by far the most frequent in the text, or "".
func byStopWords(text string) string {
	hits := map[string]int{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		for _, code := range stopWordOf[fold(word)] {
			hits[code]++
		}
	}
	best, second := "", 0
	for code, n := range hits {
		if n > hits[best] || n == hits[best] && code < best {
			best = code
		}
	}
	for code, n := range hits {
		if code != best {
			second = max(second, n)
		}
	}
	if hits[best] < 3 || hits[best]*2 < second*3 {
		return ""
	}
	return best
}
