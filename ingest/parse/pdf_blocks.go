package parse

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/ingest/parse/pdftext"
)

// pdfStyle is how a document is set, as far as it tells headings from text. Sizes are in points.
type pdfStyle struct {
	body     float64   // size of most letters
	headings []float64 // larger sizes that short lines are set in, largest first
	bold     bool      // most of the text is bold, so that bold says nothing
	hyphens  hyphens
}

// measure finds the style of all pages together.
func measure(pages [][]pdftext.Line) pdfStyle {
	letters := map[float64]int{}
	large := map[float64]int{}
	all, bold := 0, 0
	for _, lines := range pages {
		for _, l := range lines {
			n := utf8.RuneCountInString(l.Text())
			letters[l.Size] += n
			all += n
			if l.Bold {
				bold += n
			}
		}
	}
	style := pdfStyle{bold: bold*2 > all, hyphens: readHyphens(pages)}
	for size, n := range letters {
		if n > letters[style.body] || n == letters[style.body] && size < style.body {
			style.body = size
		}
	}
	for _, lines := range pages {
		for _, l := range lines {
			if l.Size > style.body*1.12 && couldBeHeading(l.Text()) {
				large[math.Round(l.Size)]++
			}
		}
	}
	for size := range large {
		style.headings = append(style.headings, size)
	}
	slices.Sort(style.headings)
	slices.Reverse(style.headings)
	return style
}

// couldBeHeading reports whether a text is as short as a heading and does not end like a sentence.
func couldBeHeading(text string) bool {
	n := 0
	letters := 0
	for _, r := range text {
		n++
		if unicode.IsLetter(r) {
			letters++
		}
	}
	if n > 160 || letters < 2 || letters*3 < n {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	return !strings.ContainsRune(".,;。，；、", last) || numberedHeading.MatchString(text)
}

var numberedHeading = regexp.MustCompile(`^(?:\d+\.)+\d*\s+\p{Lu}[^.]{2,80}\.?$`)

// level of a line as a heading by its look; 0 if it looks like text.
func (s pdfStyle) level(l pdftext.Line) int {
	text := l.Text()
	if len(l.Cells) > 2 || !couldBeHeading(text) {
		return 0
	}
	if l.Size > s.body*1.12 {
		i := slices.IndexFunc(s.headings, func(size float64) bool { return math.Round(l.Size) >= size })
		if i < 0 {
			return 0
		}
		return min(i+1, 6)
	}
	if l.Bold && !s.bold && l.Size >= s.body*0.95 && len(l.Cells) == 1 {
		last, _ := utf8.DecodeLastRuneInString(text)
		if utf8.RuneCountInString(text) <= 90 && last != ':' {
			return min(len(s.headings)+1, 6)
		}
	}
	return 0
}

// blocks puts the lines of a page together. outline is what the bookmarks say of each line, if anything; below is
// the level of the last heading that they name, 0 before the first.
func (s pdfStyle) blocks(lines []pdftext.Line, outline []outlined, below int) (blocks []Block, last int) {
	b := pdfBuilder{style: s, lines: lines, below: below}
	if outline == nil {
		outline = make([]outlined, len(lines))
	}
	for i := 0; i < len(lines); {
		if n := tableRows(lines[i:]); n > 1 && !slices.ContainsFunc(outline[i:i+n], func(o outlined) bool { return o.level > 0 }) {
			b.table(lines[i : i+n])
			i += n
			continue
		}
		b.line(lines[i], outline[i])
		i++
	}
	return titleLines(b.done, min(max(len(s.headings)+2, b.below+1), 6)), b.below
}

// titleLines makes headings of the given level of short lines that stand alone above a long paragraph and are no
// sentence.
func titleLines(blocks []Block, level int) []Block {
	for i := 0; i+1 < len(blocks); i++ {
		b, next := &blocks[i], blocks[i+1]
		if b.Kind == Paragraph && next.Kind == Paragraph && width(next.Text) > 120 && width(b.Text) <= 60 &&
			(i == 0 || !unfinished(blocks[i-1].Text) || blocks[i-1].Kind != Paragraph) && looksLikeTitle(b.Text) {
			b.Kind, b.Level = Heading, level
		}
	}
	return blocks
}

// looksLikeTitle reports whether a short text begins with a capital, has no digits that make it a date or an
// address, and does not end like a sentence.
func looksLikeTitle(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return couldBeHeading(text) && (unicode.IsUpper(first) || wide(first)) && unfinished(text) &&
		len(strings.Fields(text)) <= 8 && strings.IndexFunc(text, unicode.IsDigit) < 0 && !strings.Contains(text, "\n")
}

// tableRows returns how many of the first lines are rows of a table: at least two, each of at least two cells
// that begin at the same places as another row's.
func tableRows(lines []pdftext.Line) int {
	n := 0
	for n < len(lines) && len(cellsOf(lines[n])) >= 2 {
		if n > 0 && !aligned(lines[n-1], lines[n]) {
			break
		}
		n++
	}
	if n < 2 {
		return 0
	}
	return n
}

// cellsOf returns the line's cells; the dot of a list item is none.
func cellsOf(l pdftext.Line) []pdftext.Cell {
	if len(l.Cells) == 2 && isBullet(l.Cells[0].Text) {
		return l.Cells[1:]
	}
	return l.Cells
}

func aligned(a, b pdftext.Line) bool {
	if a.Dir != b.Dir || a.Base <= b.Base || a.Base-b.Base > 4*math.Max(a.Size, b.Size) {
		return false
	}
	shared := 0
	for _, x := range a.Cells {
		for _, y := range b.Cells {
			if math.Abs(x.Start-y.Start) < 0.5*a.Size {
				shared++
				break
			}
		}
	}
	return shared >= 2
}

func isBullet(s string) bool {
	_, _, ok := listItem(s + " x")
	return ok && utf8.RuneCountInString(s) <= 5
}

// pdfBuilder joins lines to blocks.
type pdfBuilder struct {
	style   pdfStyle
	lines   []pdftext.Line // of the page
	done    []Block
	last    pdftext.Line // of the block at the end of done
	open    bool         // the block may go on
	indent  float64      // where the block's first line begins
	leading float64      // between the lines of the block; 0 while it has one
	below   int          // level of the last heading that the bookmarks name
}

func (b *pdfBuilder) table(rows []pdftext.Line) {
	for i, row := range rows {
		texts := make([]string, len(row.Cells))
		for j, c := range row.Cells {
			texts[j] = c.Text
		}
		kind := TableRow
		if i == 0 && row.Bold && len(rows) > 1 && !rows[1].Bold {
			kind = TableHeader
		}
		b.done = append(b.done, Block{Kind: kind, Text: strings.Join(texts, " | ")})
	}
	b.open = false
}

func (b *pdfBuilder) line(l pdftext.Line, o outlined) {
	text := l.Text()
	if strings.Contains(text, "..") || strings.Contains(text, ". .") || strings.ContainsAny(text, "…_") {
		text = leaders.ReplaceAllString(text, " … ")
	}
	level := b.style.level(l)
	switch {
	case o.level > 0:
		level, b.below = o.level, o.level
	case level > 0: // what only looks like a heading is within the last that is one
		level = min(max(level, b.below+1), 6)
	}
	if b.open && !o.begins && (o.level > 0 || b.continues(l, text, level)) {
		last := &b.done[len(b.done)-1]
		last.Text = joinLines(last.Text, text, b.style.hyphens.breaks)
		b.leading = math.Abs(b.last.Base - l.Base)
		b.last = l
		return
	}
	block := Block{Kind: Paragraph, Text: text}
	if depth, item, ok := listItem(text); ok && level == 0 {
		block = Block{ListItem, depth, item}
	} else if level > 0 {
		block = Block{Heading, level, text}
	}
	b.done = append(b.done, block)
	b.open, b.last, b.indent, b.leading = true, l, l.Start, 0
}

// leaders are the dots of a table of contents.
var leaders = regexp.MustCompile(`\s*(?:\.\s?){4,}\s*|\s*(?:…\s?){2,}\s*|\s*_{4,}\s*`)

// continues reports whether the line belongs to the open block.
func (b *pdfBuilder) continues(l pdftext.Line, text string, level int) bool {
	block := b.done[len(b.done)-1]
	gap := b.last.Base - l.Base
	size := math.Max(b.last.Size, 1)
	if l.Dir != b.last.Dir || gap <= 0.2*size || math.Abs(l.Size-b.last.Size) > 0.15*size {
		// Another column goes on in the middle of a sentence.
		return l.Dir == b.last.Dir && block.Kind == Paragraph && level == 0 && gap < 0 && l.Size == b.last.Size &&
			l.Start > b.last.Start && unfinished(block.Text) && startsSmall(text)
	}
	if gap > 1.75*size && l.Dir != pdftext.Vertical || b.leading > 0 && gap > b.leading*1.25+0.5 {
		return false
	}
	if block.Kind == Heading {
		return level == block.Level && l.Bold == b.last.Bold && utf8.RuneCountInString(block.Text) < 120
	}
	if _, _, item := listItem(text); item && (block.Kind == ListItem || !unfinished(block.Text) || strings.HasSuffix(block.Text, ":")) {
		return false
	}
	if level > 0 && !b.last.Bold {
		return false
	}
	return !b.endsShort(l, text)
}

// endsShort reports whether the line before was left by choice: the first word of this one would have fitted.
func (b *pdfBuilder) endsShort(l pdftext.Line, text string) bool {
	if l.Dir != pdftext.Right {
		return false
	}
	word, _, _ := strings.Cut(text, " ")
	right := b.rightEdge()
	room := right - b.last.End
	need := (float64(utf8.RuneCountInString(word)) + 1) * 0.55 * l.Size
	if room < need {
		return false
	}
	// Ragged lines can end early; a sentence that goes on says more.
	return !unfinished(b.done[len(b.done)-1].Text) || !startsSmall(text) && room > (right-b.last.Start)/2
}

// rightEdge is where the longest line ends of those that begin where the last one does, but for an indent.
func (b *pdfBuilder) rightEdge() float64 {
	edge := b.last.End
	for _, l := range b.lines {
		if l.Dir == b.last.Dir && math.Abs(l.Start-b.last.Start) < 4*b.last.Size {
			edge = math.Max(edge, l.End)
		}
	}
	return edge
}

// unfinished reports whether a text breaks off without the end of a sentence.
func unfinished(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(text, `"'”’)]»」）`))
	return !strings.ContainsRune(".!?:;。！？：；", last)
}

// startsSmall reports whether a text begins with a small letter, or in a script that has none.
func startsSmall(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLower(r) || wide(r) || unicode.IsLetter(r) && !unicode.IsUpper(r)
}
