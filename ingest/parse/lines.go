package parse

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bullet begins a list item of plain text: a dash or dot, a number or a letter with a full stop or bracket.
var bullet = regexp.MustCompile(`^(\s*)([-*•‣◦▪▫■□●○–·§\x{f0b7}\x{f0a7}]|o|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])\s+(\S.*)$`)

// listItem splits a line that begins like a list item. Numbers and letters stay in the text, dots do not. Level
// follows the indent.
func listItem(line string) (level int, text string, ok bool) {
	m := bullet.FindStringSubmatch(line)
	if m == nil {
		return 0, "", false
	}
	level = min(1+width(m[1])/4, 6)
	text = strings.TrimSpace(m[3])
	if c, _ := utf8.DecodeLastRuneInString(m[2]); c == '.' || c == ')' {
		text = m[2] + " " + text
	}
	return level, text, true
}

// width of a text on paper, in Latin characters: those of Chinese, Japanese and Korean count two, a tab four.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r == '\t':
			n += 4
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// wide reports whether the character belongs to a script whose lines break between any two characters.
func wide(r rune) bool {
	return r >= 0x2e80 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef)
}

// joinLines joins a line with the one that it was wrapped from: without a space between characters that need
// none, and without the hyphen of a word that was broken, as breaks tells of the word before and after it.
func joinLines(a, b string, breaks func(head, tail string) bool) string {
	if a == "" || b == "" {
		return a + b
	}
	last, size := utf8.DecodeLastRuneInString(a)
	next, _ := utf8.DecodeRuneInString(b)
	switch {
	case last == '\u00ad':
		return a[:len(a)-size] + b
	case (last == '-' || last == '\u2010') && canBreak(a[:len(a)-size], b):
		if breaks(lastWord(a[:len(a)-size]), firstWord(b)) {
			return a[:len(a)-size] + b
		}
		return a + b
	case last == '-' && endsWithSpace(a[:len(a)-size]): // a dash
		return a + " " + b
	case last == '-' || last == '\u2010' || wide(last) && wide(next):
		return a + b
	}
	return a + " " + b
}

// canBreak reports whether a hyphen between the two may have been put in by line breaking: letters before it, and
// a small letter after it.
func canBreak(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	word := lastWord(before)
	// A word that has a hyphen elsewhere is a compound: "state-of-the-" / "art".
	return unicode.IsLetter(last) && unicode.IsLower(next) && !strings.ContainsAny(word, "-\u2010/@") && utf8.RuneCountInString(word) > 1
}

// alwaysBreaks takes every hyphen for one of line breaking.
func alwaysBreaks(string, string) bool { return true }

func endsWithSpace(s string) bool { return s == "" || strings.HasSuffix(s, " ") }

func lastWord(s string) string { return s[strings.LastIndexFunc(s, unicode.IsSpace)+1:] }

func firstWord(s string) string {
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return s[:i]
	}
	return s
}
