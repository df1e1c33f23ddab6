package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
)

const (
	maxTermRunes     = 64 // longer terms are cut: a query is cut alike, so they are still found
	maxCompoundParts = 8  // of a compound that is also kept whole
	maxLanguages     = 5  // that a query is analysed for
)

// Terms returns the distinct terms of a passage with their counts, in order of first occurrence. language is
// an ISO 639-1 code; with one that has no stemmer or stop words here, or "", words are kept as they are.
//
// Words are segmented by Unicode's rules (UAX #29), compatibility forms and case unified, stop words left out,
// the rest stemmed and stripped of accents. A compound (e-mail, node_modules, HR-2024/17, camelCase) counts in
// parts and as a whole without what joins it. Scripts without spaces between words count by bigrams or
// trigrams of characters. A term has at most 64 code points.
func Terms(text, language string) []corpus.Term {
	return terms(text, language, nil)
}

// QueryTerms returns the terms of a query against passages in these languages, most frequent first: a short
// query's own language cannot be told reliably, so it is analysed as each of them (at most 5). A term that
// several analyses share counts once. The stop words of the language that it has most of are left out of all: in
// passages of another they would be rare words, and weigh as such.
func QueryTerms(text string, spoken []string) []corpus.Term {
	if len(spoken) == 0 {
		spoken = []string{Language(text)}
	}
	spoken = spoken[:min(len(spoken), maxLanguages)]
	asked := stopWordsIn(text, spoken)
	var found []corpus.Term
	at := map[string]int{}
	for _, language := range spoken {
		for _, term := range terms(text, language, asked) {
			if i, seen := at[term.Text]; seen {
				found[i].Count = max(found[i].Count, term.Count)
				continue
			}
			at[term.Text] = len(found)
			found = append(found, term)
		}
	}
	return found
}

func terms(text, language string, alsoStop map[string]bool) []corpus.Term {
	guess := len(text)/12 + 8 // distinct terms
	t := termCounter{
		lang: languages[language], alsoStop: alsoStop, index: make(map[string]int, guess), terms: make([]corpus.Term, 0, guess),
	}
	t.read(text)
	return t.terms
}

// stopWordsIn returns the stop words of the language that most words of the text are stop words of; none where
// two languages have as many.
func stopWordsIn(text string, among []string) (most map[string]bool) {
	best := 0
	for _, code := range among {
		stop, n := languages[code].stop, 0
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			if stop[fold(word)] {
				n++
			}
		}
		switch {
		case n > best:
			best, most = n, stop
		case n == best:
			most = nil
		}
	}
	return most
}

type termCounter struct {
	lang     language
	alsoStop map[string]bool // stop words besides the language's
	shouting bool            // most words are in capitals, so that capitals tell nothing
	terms    []corpus.Term
	index    map[string]int // of a term in terms

	compound []string // words joined without white space, as written
	joined   bool     // a joiner stands behind the last of them
	run      []rune   // characters of a script without spaces
	size     int      // of the n-grams that the run is counted by
}

func (t *termCounter) read(text string) {
	text = norm.NFKC.String(strings.ToValidUTF8(text, " "))
	t.shouting = isShouting(text)
	for it := words.FromString(text); it.Next(); {
		word := it.Value()
		r, size := utf8.DecodeRuneInString(word)
		switch {
		case gramSize(r) > 0:
			t.endCompound()
			for _, c := range word {
				t.readGram(c)
			}
		case isWordRune(r) || size < len(word) && strings.IndexFunc(word, isWordRune) >= 0:
			t.endRun()
			if !t.joined {
				t.endCompound()
			}
			t.compound = append(t.compound, word)
			t.joined = false
		case isJoiner(word) && len(t.compound) > 0 && !t.joined:
			t.joined = true
		default:
			t.endRun()
			t.endCompound()
		}
	}
	t.endRun()
	t.endCompound()
}

func (t *termCounter) add(term string) {
	if term == "" {
		return
	}
	if i, seen := t.index[term]; seen {
		t.terms[i].Count++
		return
	}
	t.index[term] = len(t.terms)
	t.terms = append(t.terms, corpus.Term{Text: term, Count: 1})
}

// endCompound counts the words joined so far, each and all in one.
func (t *termCounter) endCompound() {
	joined := t.compound
	t.compound, t.joined = t.compound[:0], false
	switch {
	case len(joined) == 0:
		return
	case len(joined) == 1 && isPlain(joined[0]):
		t.addWord(joined[0])
		return
	}
	var parts []string
	whole := true
	for _, word := range joined {
		p, keeps := t.split(word)
		parts = append(parts, p...)
		whole = whole && keeps
	}
	if len(parts) == 1 {
		t.addWord(parts[0])
		return
	}
	for _, part := range parts {
		// Single letters of U.S.A or a/b say nothing by themselves.
		if utf8.RuneCountInString(part) > 1 || part[0] >= '0' && part[0] <= '9' {
			t.addWord(part)
		}
	}
	if whole && len(parts) > 1 && len(parts) <= maxCompoundParts {
		t.addWhole(strings.Join(parts, ""))
	}
}

// split takes a word apart at points, underscores, apostrophes and changes of case. whole is whether the word
// in one piece is worth keeping: not with elided articles (l'homme) and endings (it's).
func (t *termCounter) split(word string) (parts []string, whole bool) {
	if isPlain(word) {
		return []string{word}, true
	}
	if number, ok := t.number(word); ok {
		return []string{number}, true
	}
	word = strings.ReplaceAll(word, "’", "'")
	if before, after, ok := strings.Cut(word, "'"); ok {
		lower := fold(after)
		switch {
		case t.isStop(fold(word)):
			return nil, false
		case endings[lower]:
			parts, _ = t.split(before)
			return parts, false
		case t.isStop(fold(before)):
			parts, _ = t.split(after)
			return parts, false
		}
	}
	for _, piece := range strings.FieldsFunc(word, func(r rune) bool { return !isWordRune(r) && !unicode.IsMark(r) }) {
		parts = append(parts, splitCase(piece)...)
	}
	return parts, true
}

func (t *termCounter) isStop(word string) bool { return t.lang.stop[word] || t.alsoStop[word] }

// addWord counts a word that is not a stop word.
func (t *termCounter) addWord(word string) {
	if singular, ok := strings.CutSuffix(word, "s"); ok && len(singular) > 1 && t.isAcronym(singular) {
		word = singular // the stemmers don't know the plural of PDF
	}
	lower := fold(word)
	if t.isStop(lower) && !t.isAcronym(word) {
		return
	}
	t.add(t.stem(lower))
}

func (t *termCounter) addWhole(word string) {
	if utf8.RuneCountInString(word) <= maxTermRunes {
		t.add(t.stem(fold(word)))
	}
}

// stem reduces a case-folded word to the form that is counted.
func (t *termCounter) stem(word string) string {
	word = truncate(word, maxTermRunes)
	if t.lang.stem != nil && strings.IndexFunc(word, unicode.IsDigit) < 0 {
		word = t.lang.stem(word)
	}
	return stripAccents(word)
}

// isAcronym holds for IT, US or WHO in a text that is not all in capitals.
func (t *termCounter) isAcronym(word string) bool {
	return !t.shouting && len(word) > 1 && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsUpper(r) }) < 0
}

// readGram takes one character of a script without spaces.
func (t *termCounter) readGram(r rune) {
	if unicode.Is(unicode.Cf, r) {
		return
	}
	size := gramSize(r)
	if size == 0 && unicode.IsMark(r) {
		size = t.size
	}
	if size != t.size {
		t.endRun()
		t.size = size
	}
	if size > 0 {
		t.run = append(t.run, r)
	}
}

func (t *termCounter) endRun() {
	if len(t.run) > 0 && len(t.run) < t.size {
		t.add(string(t.run))
	}
	for i := range t.run {
		if t.size == 2 {
			t.add(string(t.run[i]))
		}
		if i+t.size <= len(t.run) {
			t.add(string(t.run[i : i+t.size]))
		}
	}
	t.run, t.size = t.run[:0], 0
}

// isShouting reports whether most words of a text of several have capitals only.
func isShouting(text string) bool {
	shouted, said := 0, 0
	upper, lower := false, false
	end := func() {
		if lower {
			said++
		} else if upper {
			shouted++
		}
		upper, lower = false, false
	}
	for _, r := range text {
		switch {
		case unicode.IsLower(r):
			lower = true
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsSpace(r):
			end()
		}
	}
	end()
	return shouted > 1 && shouted > said
}
