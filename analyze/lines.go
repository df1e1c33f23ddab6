package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineScanner tells line breaks that end a sentence from those that only wrap a line.
type lineScanner struct {
	blockEnd int // up to where width holds
	width    int // of the longest line of the block between empty lines, in code points, wide ones double
}

// isBreak decides on the line break at the offset at. Calls must be in ascending order.
func (l *lineScanner) isBreak(text string, at int) bool {
	_, size := utf8.DecodeRuneInString(text[at:])
	if text[at] == '\r' && strings.HasPrefix(text[at+1:], "\n") {
		size = 2
	}
	if text[at] == '\f' || strings.HasPrefix(text[at:], "\u2029") {
		return true
	}
	next := nextLine(text[at+size:])
	content := strings.TrimSpace(next)
	if content == "" || startsItem(content) {
		return true
	}
	line := previousLine(text[:at])
	if line == "" || isHeading(line) || strings.HasPrefix(line, "|") {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(line)
	first, _ := utf8.DecodeRuneInString(content)
	if unicode.IsLower(first) || last == ',' || last == '，' || last == '、' || isDash(last) {
		return false
	}
	if at >= l.blockEnd {
		l.measure(text, at-len(line))
	}
	word := content
	if i := strings.IndexFunc(content, func(r rune) bool { return unicode.IsSpace(r) || isWide(r) }); i > 0 {
		word = content[:i]
	} else if isWide(first) {
		word = content[:utf8.RuneLen(first)]
	}
	// Lines of proportional type vary; a fifth of the width is what a ragged margin leaves.
	return (columns(line)+1+columns(word))*5 <= l.width*4
}

// measure finds the width of the block that the line at from is in.
func (l *lineScanner) measure(text string, from int) {
	l.width, l.blockEnd = 0, max(from, 0)
	for l.blockEnd < len(text) {
		line := nextLine(text[l.blockEnd:])
		if strings.TrimSpace(line) == "" && l.width > 0 {
			return
		}
		l.width = max(l.width, columns(strings.TrimSpace(line)))
		l.blockEnd += len(line)
		if l.blockEnd < len(text) {
			_, size := utf8.DecodeRuneInString(text[l.blockEnd:])
			l.blockEnd += size
		}
	}
}

func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\f' || r == '\v' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// nextLine returns what s begins with up to a line break.
func nextLine(s string) string {
	if i := strings.IndexFunc(s, isLineBreak); i >= 0 {
		return s[:i]
	}
	return s
}

// previousLine returns what s ends with after the last line break, without white space around it.
func previousLine(s string) string {
	if i := strings.LastIndexFunc(s, isLineBreak); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		s = s[i+size:]
	}
	return strings.TrimSpace(s)
}

// columns is the width of a line as a fixed-width type would set it.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if isWide(r) {
			n++
		}
	}
	return n
}

// isHeading holds for a Markdown heading.
func isHeading(line string) bool {
	rest := strings.TrimLeft(line, "#")
	return rest != line && strings.HasPrefix(rest, " ")
}

// startsItem reports whether a line begins a list item, a table row or a heading.
func startsItem(line string) bool {
	r, size := utf8.DecodeRuneInString(line)
	switch r {
	case '|', '•', '◦', '▪', '●', '○', '■', '□', '‣', '⁃', '·', '\uf0b7':
		return true
	case '-', '*', '+', '–', '—':
		return strings.HasPrefix(line[size:], " ") || strings.HasPrefix(line[size:], "\t")
	case '#':
		return isHeading(line)
	}
	marker := strings.TrimLeft(line, "(（")
	end := strings.IndexFunc(marker, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' })
	if end < 1 || end > 8 {
		return false
	}
	number := marker[:end]
	after, afterSize := utf8.DecodeRuneInString(marker[end:])
	if after == ')' || after == '）' || after == '、' {
		return isListMarker(number) && (after == '、' || afterSize == len(marker)-end || strings.HasPrefix(marker[end+afterSize:], " "))
	}
	// "1." and "2.3" begin items, "2024" and "a" do not.
	return unicode.IsSpace(after) && strings.Contains(number, ".") && isListMarker(strings.TrimRight(number, "."))
}

func isDash(r rune) bool { return unicode.Is(unicode.Pd, r) }

// isWide holds for characters of scripts that are written without spaces between words, and their punctuation.
func isWide(r rune) bool {
	return r >= 0x2e80 && (r <= 0x9fff || r >= 0xf900 && r <= 0xfaff || r >= 0xff00 && r <= 0xff60 ||
		r >= 0x20000 && r <= 0x3ffff) && !unicode.Is(unicode.Hangul, r)
}
