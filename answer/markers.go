package answer

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// marker is a reference to passages in an answer's text: [1], [1, 2], [1-3], 【1】, ［１］, 【1†source】, [^1],
// [Passage 1].
type marker struct {
	start, end int   // bytes in the answer's text
	numbers    []int // in the order written
}

var (
	markerForm = regexp.MustCompile(`[\[［【〔]\s*\^?(?i:passages?|sources?|documents?|段落|来源|文档)?\s*#?` +
		`([0-9０-９]{1,3}(?:\s*[,，、;；&–—~-]\s*[0-9０-９]{1,3})*)\s*(?:†[^】\]]*)?[\]］】〕]`)
	numberForm = regexp.MustCompile(`([0-9]+)\s*[–—~-]\s*([0-9]+)|[0-9]+`)
)

// longestRange keeps "[1-999]" from becoming a list.
const longestRange = 50

// parseMarkers finds the markers of a text in order.
func parseMarkers(text string) []marker {
	var markers []marker
	for _, m := range markerForm.FindAllStringSubmatchIndex(text, -1) {
		found := marker{start: m[0], end: m[1]}
		list := strings.Map(narrowDigit, text[m[2]:m[3]])
		for _, n := range numberForm.FindAllStringSubmatch(list, -1) {
			if n[1] == "" {
				number, _ := strconv.Atoi(n[0])
				found.numbers = append(found.numbers, number)
				continue
			}
			first, _ := strconv.Atoi(n[1])
			last, _ := strconv.Atoi(n[2])
			if last < first || last-first > longestRange {
				found.numbers = append(found.numbers, first, last)
				continue
			}
			for i := first; i <= last; i++ {
				found.numbers = append(found.numbers, i)
			}
		}
		markers = append(markers, found)
	}
	return markers
}

func narrowDigit(r rune) rune {
	if r >= '０' && r <= '９' {
		return '0' + r - '０'
	}
	return r
}

// unmark removes the markers from a text, with the white space before them, and returns for each the offset in
// what remains where it stood.
func unmark(text string, markers []marker) (bare string, at []int) {
	var b strings.Builder
	last := 0
	for _, m := range markers {
		before := strings.TrimRightFunc(text[last:m.start], func(r rune) bool { return r != '\n' && unicode.IsSpace(r) })
		b.WriteString(before)
		at = append(at, b.Len())
		last = m.end
	}
	b.WriteString(text[last:])
	return b.String(), at
}

// startsLine reports whether nothing but white space and list signs stands between the offset and the
// beginning of its line, and something stands behind it.
func startsLine(text string, at int) bool {
	before := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	rest, _, _ := strings.Cut(text[at:], "\n")
	r, _ := utf8.DecodeRuneInString(strings.TrimSpace(rest))
	return strings.Trim(before, " \t-*•") == "" && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
