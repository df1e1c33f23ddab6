package metric

import (
	"strings"
	"sync"
	"unicode"

	"github.com/longbridgeapp/opencc"
)

// cmrcPunctuation is what the scorer of CMRC 2018 leaves out.
const cmrcPunctuation = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"

// unspaced reports whether a text has characters of a script that is written without spaces between words.
func unspaced(text string) bool { return strings.ContainsFunc(text, isUnspaced) }

func isUnspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// bare is a text in lower case without CMRC's punctuation, full-width letters and digits narrowed and traditional
// characters simplified, so that an answer may be in either script. Of narrow and simplified texts CMRC's scores
// remain.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(cmrcPunctuation, r):
			return -1
		case r >= '０' && r <= '９' || r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ':
			r -= '０' - '0'
		}
		return unicode.ToLower(simplified(r))
	}, strings.TrimSpace(text))
}

const (
	firstIdeograph = 0x3400
	lastIdeograph  = 0x9fff
)

// simplified is the simplified form of a traditional character (OpenCC's t2s); any other is itself.
func simplified(r rune) rune {
	if r < firstIdeograph || r > lastIdeograph {
		return r
	}
	return simplifiedForms()[r-firstIdeograph]
}

// simplifiedForms is made once, since OpenCC searches a text for phrases, which a score of characters has no use for.
var simplifiedForms = sync.OnceValue(func() []rune {
	var lines strings.Builder
	for r := rune(firstIdeograph); r <= lastIdeograph; r++ {
		lines.WriteRune(r)
		lines.WriteByte('\n')
	}
	converter, err := opencc.New("t2s")
	if err != nil {
		panic(err) // its dictionaries are in the program
	}
	converted, err := converter.Convert(lines.String())
	if err != nil {
		panic(err)
	}
	var forms []rune
	for line := range strings.Lines(converted) {
		forms = append(forms, []rune(line)[0])
	}
	return forms
})

// segment cuts a text as CMRC's scorer does: each character of an unspaced script by itself, all else into words,
// with the punctuation around them by itself.
func segment(text string) (segments []string) {
	word := func(part string) {
		words := strings.Fields(part)
		for i, w := range words {
			w, point := strings.CutSuffix(w, ".")
			segments = append(segments, peel(w)...)
			switch {
			case point && (i == len(words)-1 || w == ""):
				segments = append(segments, ".")
			case point:
				segments[len(segments)-1] += "."
			}
		}
	}
	text = bare(text)
	start := 0
	for i, r := range text {
		if isUnspaced(r) {
			word(text[start:i])
			segments = append(segments, string(r))
			start = i + len(string(r))
		}
	}
	word(text[start:])
	return segments
}

// peel takes punctuation apart from a word as the Penn Treebank does, English suffixes like 's too, but leaves points
// and what is inside of numbers (2,000) alone.
func peel(word string) (parts []string) {
	runes := []rune(word)
	start := 0
	for i, r := range runes {
		last := i == len(runes)-1
		alone := strings.ContainsRune(`;@#$%&?!"()[]{}<>–—`, r) || r == ',' && (last || !unicode.IsDigit(runes[i+1]))
		if !alone {
			continue
		}
		if start < i {
			parts = append(parts, string(runes[start:i]))
		}
		parts = append(parts, string(r))
		start = i + 1
	}
	rest := string(runes[start:])
	for _, suffix := range []string{"'s", "'m", "'d", "'ll", "'re", "'ve", "n't"} {
		if stem, ok := strings.CutSuffix(rest, suffix); ok && stem != "" {
			return append(parts, stem, suffix)
		}
	}
	if rest != "" {
		parts = append(parts, rest)
	}
	return parts
}
