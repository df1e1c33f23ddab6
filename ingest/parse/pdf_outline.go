package parse

import (
	"strings"
	"unicode"

	"grounded/ingest/parse/pdftext"
)

// outlined is what the document's bookmarks say of a line.
type outlined struct {
	level  int  // of the heading that it belongs to, from 1; 0 if it belongs to none
	begins bool // it is the heading's first line
}

// maxHeadingLines is how many lines a heading may run over.
const maxHeadingLines = 4

// findBookmarks returns, for each page on which a bookmark's title stands, what is outlined of its lines.
func findBookmarks(bookmarks []pdftext.Bookmark, pages [][]pdftext.Line) map[int][]outlined {
	found := map[int][]outlined{}
	keys := map[int][]string{} // of the lines of a page
	for _, b := range bookmarks {
		title := headingKey(b.Title)
		if title == "" || b.Page >= len(pages) {
			continue
		}
		lines := pages[b.Page]
		if keys[b.Page] == nil {
			for _, l := range lines {
				keys[b.Page] = append(keys[b.Page], headingKey(l.Text()))
			}
		}
		first, n := findTitle(title, keys[b.Page], found[b.Page])
		if n == 0 {
			continue
		}
		if found[b.Page] == nil {
			found[b.Page] = make([]outlined, len(lines))
		}
		for i := first; i < first+n; i++ {
			found[b.Page][i] = outlined{level: min(b.Level, 6), begins: i == first}
		}
	}
	return found
}

// findTitle returns the first of the n lines, outlined by no bookmark yet, that together are the title, best without
// a number in front that the title lacks.
func findTitle(title string, lines []string, taken []outlined) (first, n int) {
	for i, line := range lines {
		free := lines[i:min(len(lines), i+maxHeadingLines)]
		for j := range free {
			if taken != nil && taken[i+j].level > 0 {
				free = free[:j]
				break
			}
		}
		if m := titleLength(title, free); m > 0 {
			return i, m
		}
		if bare := strings.TrimLeftFunc(line, unicode.IsDigit); n == 0 && bare != line && len(free) > 0 {
			if m := titleLength(title, append([]string{bare}, free[1:]...)); m > 0 {
				first, n = i, m
			}
		}
	}
	return first, n
}

// titleLength returns how many of the lines together are the title, or 0.
func titleLength(title string, lines []string) int {
	for i, line := range lines {
		rest, ok := strings.CutPrefix(title, line)
		if !ok || line == "" {
			return 0
		}
		if title = rest; title == "" {
			return i + 1
		}
	}
	return 0
}

// headingKey is a text by which headings are compared: its letters and digits in lower case.
func headingKey(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
