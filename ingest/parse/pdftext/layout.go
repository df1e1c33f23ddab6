package pdftext

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is a line of writing. Its frame is turned so that the line runs to the right: Start, End and Base are
// lengths in points in that frame.
type Line struct {
	Cells      []Cell  // pieces with a wide gap between them; at least one
	Start, End float64 // along the line
	Base       float64 // of the baseline; greater is further up
	Size       float64 // of the font that most of it is in
	Dir        Direction
	Bold       bool // all letters are
	Mark       Mark
}

// Cell is a piece of a line.
type Cell struct {
	Text       string
	Start, End float64 // along the line
}

// Text is the line's text, its cells separated by a space.
func (l Line) Text() string {
	if len(l.Cells) == 1 {
		return l.Cells[0].Text
	}
	texts := make([]string, len(l.Cells))
	for i, c := range l.Cells {
		texts[i] = c.Text
	}
	return strings.Join(texts, " ")
}

// Gaps between glyphs in ems.
const (
	gapWord      = 0.15 // more of it is a space
	gapWide      = 0.7  // between characters of scripts without spaces
	gapCell      = 1.1  // starts another cell
	gapCellSpace = 2.0  // the same where there are space characters: justified lines stretch them
)

// Lines puts glyphs together to lines, in the order in which they are drawn, which is the reading order of
// nearly all programs, columns and table cells included.
func Lines(glyphs []Glyph) []Line {
	var lines []Line
	var b builder
	largest := 0.0
	for _, g := range glyphs {
		largest = math.Max(largest, g.Size)
	}
	for _, g := range glyphs {
		if g.Size < 1 && largest > 4 {
			continue // too small to be seen
		}
		p := place(g)
		if !b.continues(p) {
			lines = b.flush(lines)
		}
		b.add(p)
	}
	return b.flush(lines)
}

// placed is a glyph in the frame of its direction.
type placed struct {
	Glyph
	u, v  float64 // along the line, and across it upwards
	gap   bool    // a space before it
	cell  bool    // begins a cell
	right bool    // its letter is written from right to left
}

func place(g Glyph) placed {
	p := placed{Glyph: g}
	switch g.Dir {
	case Right:
		p.u, p.v = g.X, g.Y
	case Left:
		p.u, p.v = -g.X, -g.Y
	case Up:
		p.u, p.v = g.Y, -g.X
	case Down, Vertical:
		p.u, p.v = -g.Y, g.X
	}
	r, _ := utf8.DecodeRuneInString(g.Text)
	p.right = rightToLeft(r)
	return p
}

// builder collects the glyphs of one line.
type builder struct {
	glyphs     []placed
	start, end float64 // of what has ink
	last       placed  // with ink
	blank      bool    // a space came after last
	before     []placed
}

// continues reports whether the glyph belongs to the line.
func (b *builder) continues(p placed) bool {
	if len(b.glyphs) == 0 {
		return true
	}
	first := b.glyphs[0]
	size := math.Max(b.last.Size, p.Size)
	if p.Dir != first.Dir || p.Mark != first.Mark || math.Abs(p.v-b.last.v) > 0.55*size && math.Abs(p.v-first.v) > 0.3*size {
		return false
	}
	if p.right || b.last.right { // such text comes in either order
		return p.u > b.start-3*size
	}
	return p.u > b.last.u-0.3*size
}

func (b *builder) add(p placed) {
	if strings.TrimFunc(p.Text, unicode.IsSpace) == "" && p.Text != "" {
		b.blank = true
		if len(b.glyphs) == 0 {
			return // nothing to separate yet
		}
		return
	}
	if len(b.glyphs) == 0 {
		b.start, b.end = p.u, p.u
	} else {
		b.separate(&p)
	}
	b.blank = false
	b.glyphs = append(b.glyphs, p)
	b.last = p
	b.start, b.end = math.Min(b.start, p.u), math.Max(b.end, p.u+p.Advance)
}

// separate decides whether a space or a cell's border comes before the glyph.
func (b *builder) separate(p *placed) {
	size := math.Max(math.Min(b.last.Size, p.Size), 0.1)
	gap := (p.u - b.last.u - b.last.Advance) / size
	if p.right && p.u < b.last.u {
		gap = (b.last.u - p.u - p.Advance) / size
	}
	limit, border := gapWord, gapCell
	if b.blank {
		border = gapCellSpace
	}
	before, _ := utf8.DecodeLastRuneInString(b.last.Text)
	after, _ := utf8.DecodeRuneInString(p.Text)
	if wide(before) && wide(after) {
		limit = gapWide
	}
	p.gap = b.blank || gap > limit
	p.cell = gap > border && p.Dir != Vertical && !p.right
}

// flush appends the line, unless it is empty or drawn a second time to look bold, and starts a new one.
func (b *builder) flush(lines []Line) []Line {
	glyphs := b.glyphs
	if len(glyphs) == 0 {
		b.blank = false
		return lines
	}
	line := Line{Start: b.start, End: b.end, Base: glyphs[0].v, Dir: glyphs[0].Dir, Mark: glyphs[0].Mark, Bold: true}
	sizes := map[float64]int{}
	for _, g := range glyphs {
		size := math.Round(g.Size*10) / 10
		sizes[size]++
		if n := sizes[size]; n > sizes[line.Size] || line.Size == 0 || n == sizes[line.Size] && size > line.Size {
			line.Size = size
		}
		line.Bold = line.Bold && (g.Bold || !hasLetter(g.Text))
	}
	for _, g := range glyphs { // the baseline of the ordinary letters, not of a footnote's number before them
		if math.Round(g.Size*10)/10 == line.Size {
			line.Base = g.v
			break
		}
	}
	line.Cells = cells(glyphs)
	twice := b.drawnTwice()
	b.before, b.glyphs, b.blank = glyphs, nil, false
	if twice || line.Text() == "" {
		return lines
	}
	return append(lines, line)
}

// drawnTwice reports whether the line lies on the one before it with the same letters.
func (b *builder) drawnTwice() bool {
	if len(b.before) != len(b.glyphs) {
		return false
	}
	for i, g := range b.glyphs {
		if o := b.before[i]; o.Text != g.Text || math.Abs(o.u-g.u)+math.Abs(o.v-g.v) > 0.15*g.Size {
			return false
		}
	}
	return true
}

func cells(glyphs []placed) []Cell {
	for _, g := range glyphs {
		if g.right {
			return []Cell{{strings.TrimSpace(rightToLeftText(glyphs)), glyphs[0].u, glyphs[len(glyphs)-1].u}}
		}
	}
	var cells []Cell
	var text strings.Builder
	start, stop := glyphs[0].u, glyphs[0].u
	end := func() {
		if s := strings.TrimSpace(text.String()); s != "" {
			cells = append(cells, Cell{s, start, stop})
		}
		text.Reset()
	}
	for _, g := range glyphs {
		switch {
		case g.cell:
			end()
			start = g.u
		case g.gap:
			text.WriteByte(' ')
		}
		text.WriteString(g.Text)
		stop = g.u + g.Advance
	}
	end()
	if len(cells) == 0 {
		return []Cell{{"", start, start}}
	}
	return cells
}

func hasLetter(s string) bool {
	for _, r := range s {
		if unicode.IsLetter(r) {
			return true
		}
	}
	return false
}

// wide reports whether the character belongs to a script that is written without spaces.
func wide(r rune) bool {
	return r >= 0x2e80 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef)
}
