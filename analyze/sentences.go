package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a piece of a text: text[Start:End]. Both are offsets in bytes.
type Span struct{ Start, End int }

// Sentences splits a text of any language. The spans are in order, don't overlap, have no white space at
// their ends, and leave out nothing but white space.
//
// A sentence ends at a stop (with the closing quotes, brackets and reference marks like [1] behind it) that
// is not part of an abbreviation, an initial, a number or a list marker; at an empty line; and at a line break
// that is not the wrapping of a line: one before a list item, table row or heading, or after a line that had
// room for the next word.
func Sentences(text string) []Span {
	var spans []Span
	s := sentenceScanner{text: text}
	for s.pos < len(text) {
		if end := s.next(); end > s.start {
			spans = append(spans, Span{s.start, end})
		}
	}
	return spans
}

type sentenceScanner struct {
	text       string
	start, pos int // of the sentence being read, and how far it is read
	lines      lineScanner
}

// next reads one sentence and returns its end without trailing white space.
func (s *sentenceScanner) next() int {
	s.pos += len(s.text[s.pos:]) - len(strings.TrimLeftFunc(s.text[s.pos:], unicode.IsSpace))
	s.start = s.pos
	end := s.pos // of what is not white space
	for s.pos < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.pos:])
		switch {
		case isLineBreak(r):
			if s.lines.isBreak(s.text, s.pos) {
				s.pos += size
				return end
			}
			s.pos += size
		case isStop(r):
			stop := s.pos
			s.pos += size
			ends := s.endsSentence(stop, r)
			end = s.pos
			if ends {
				return end
			}
		default:
			s.pos += size
			if !unicode.IsSpace(r) {
				end = s.pos
			}
		}
	}
	return end
}

// endsSentence decides on the stop r at the offset stop, just read. It reads on over what belongs to it:
// further stops, closing quotes and brackets, reference marks.
func (s *sentenceScanner) endsSentence(stop int, r rune) bool {
	count, strong := 1, r != '.'
	for s.pos < len(s.text) {
		n, size := utf8.DecodeRuneInString(s.text[s.pos:])
		if !isStop(n) {
			break
		}
		count++
		strong = strong || n != '.'
		r = n
		s.pos += size
	}
	s.pos += closersLength(s.text[s.pos:])
	rest := s.text[s.pos:]
	if mark := referenceLength(rest); mark > 0 {
		s.pos += mark
		rest = s.text[s.pos:]
	}
	if rest == "" {
		return true
	}
	following, _ := utf8.DecodeRuneInString(rest)
	if isWideStop(r) {
		return true
	}
	if r == '．' || r == '…' && isWide(following) {
		return !unicode.IsDigit(following)
	}
	if !unicode.IsSpace(following) {
		return isWide(following) && strong
	}
	next := strings.TrimLeftFunc(rest, unicode.IsSpace)
	following, _ = utf8.DecodeRuneInString(next)
	if unicode.IsLower(following) {
		return false
	}
	if strong || count > 1 {
		return true
	}
	return !joinsNext(s.text[s.start:stop], next)
}

// joinsNext reports whether the full stop between the two belongs to an abbreviation, initial, ordinal or
// list marker at the end of before. before has no leading, next no leading white space.
func joinsNext(before, next string) bool {
	word := lastWord(before)
	if word == "" {
		return false
	}
	if strings.Trim(before, "([ \t") == word && isListMarker(word) {
		return true
	}
	nextDigit := next != "" && next[0] >= '0' && next[0] <= '9'
	nextWord := firstWord(next)
	if isNumber(word) { // German and other ordinals: "am 3. Oktober"
		return len(word) <= 2 && months[strings.ToLower(nextWord)]
	}
	if r, size := utf8.DecodeRuneInString(word); size == len(word) && unicode.IsLetter(r) {
		return r != 'I' && !sentenceStarters[nextWord] // an initial, a letter of "z. B.", or "p. 5"
	}
	switch lower := strings.ToLower(word); {
	case titles[lower]:
		return true
	case beforeNumber[lower]:
		return nextDigit || isRoman(nextWord)
	}
	return strings.Contains(word, ".") && !sentenceStarters[nextWord] // U.S, e.g, z.B
}

// lastWord returns what stands after the last white space or opening bracket, at most 24 bytes of it.
func lastWord(s string) string {
	from := max(0, len(s)-24)
	for from > 0 && from < len(s) && !utf8.RuneStart(s[from]) {
		from++
	}
	i := strings.LastIndexFunc(s[from:], func(r rune) bool { return unicode.IsSpace(r) || isOpener(r) || isWide(r) })
	if i < 0 {
		return s[from:]
	}
	_, size := utf8.DecodeRuneInString(s[from+i:])
	return s[from+i+size:]
}

// firstWord returns the letters and digits that s begins with, after opening quotes and brackets.
func firstWord(s string) string {
	s = s[:min(len(s), 64)]
	s = strings.TrimLeftFunc(s, isOpener)
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		return s[:i]
	}
	return s
}

// closersLength returns how many bytes of closing quotes and brackets s begins with. The mark “ closes in
// German, where white space follows, and opens in other languages.
func closersLength(s string) int {
	rest := strings.TrimLeftFunc(s, isCloser)
	if after, ok := strings.CutPrefix(rest, "“"); ok && strings.IndexFunc(after, unicode.IsSpace) == 0 {
		rest = after
	}
	return len(s) - len(rest)
}

// referenceLength returns how many bytes of reference marks, like "[1]", " [2, 3]" or "[1][4]", s begins with.
func referenceLength(s string) int {
	n := 0
	for {
		rest := strings.TrimLeft(s[n:], " ")
		if !strings.HasPrefix(rest, "[") {
			return n
		}
		size := strings.IndexFunc(rest[1:], func(r rune) bool { return !(r >= '0' && r <= '9' || r == ',' || r == ' ') })
		if size < 1 || rest[1+size] != ']' {
			return n
		}
		n = len(s) - len(rest) + size + 2
	}
}

func isStop(r rune) bool {
	return r == '.' || r == '!' || r == '?' || r == '…' || r == '．' || r == '‼' || r == '⁇' || r == '⁈' || r == '⁉' || isWideStop(r)
}

// isWideStop holds for the stops that end a sentence whatever follows.
func isWideStop(r rune) bool {
	switch r {
	case '。', '！', '？', '｡', '؟', '۔', '।', '॥', '։', '።', '፧', '၊', '။', '។', '៕':
		return true
	}
	return false
}

func isCloser(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Pe, unicode.Pf)
}

func isOpener(r rune) bool {
	return r == '"' || r == '\'' || unicode.In(r, unicode.Ps, unicode.Pi)
}

func isNumber(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

func isRoman(s string) bool { return s != "" && strings.Trim(s, "IVXLCM") == "" }

// isListMarker holds for what stands before the dot of a list item: a number, numbers of a section, a letter
// or a small Roman number.
func isListMarker(s string) bool {
	if len(s) > 8 {
		return false
	}
	if r, size := utf8.DecodeRuneInString(s); size == len(s) && unicode.IsLetter(r) {
		return true
	}
	return strings.Trim(s, "0123456789.") == "" || strings.Trim(s, "ivx") == "" || isRoman(s)
}
