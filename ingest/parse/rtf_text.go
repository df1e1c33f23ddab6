package parse

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rtfStyle is a paragraph's style.
type rtfStyle struct {
	name    string
	base    int
	outline int // level of a heading, from 1; 0 for what the style is based on
}

// defineStyle is the style that is being defined.
func (r *rtfReader) defineStyle() *rtfStyle {
	s := r.styles[r.style]
	if s == nil {
		s = &rtfStyle{base: -1}
		r.styles[r.style] = s
	}
	return s
}

// rtfRow is a row of a table.
type rtfRow struct {
	cells  []string
	header bool
}

// rtfText turns paragraphs into pages.
type rtfText struct {
	styles map[int]*rtfStyle
	label  string // of a note
	pages  []Page
	run    strings.Builder // text of the paragraph
	mark   string          // bullet or number before it
	behind []Block         // what stands in the paragraph but is not part of it

	cell   []string // paragraphs of the cell
	row    []string // cells
	table  []rtfRow
	header bool // the row names the columns
}

func (t *rtfText) write(s string) { t.run.WriteString(s) }

// control ends a paragraph, a cell, a row or a page.
func (t *rtfText) control(word string, p rtfParagraph) {
	switch word {
	case "trowd":
		t.header = false
	case "trhdr":
		t.header = true
	case "par", "sect":
		t.endParagraph(p)
	case "nestcell", "nestrow":
		t.endParagraph(rtfParagraph{table: true})
	case "cell":
		t.endParagraph(rtfParagraph{table: true})
		t.row = append(t.row, strings.Join(t.cell, " "))
		t.cell = nil
	case "row":
		t.endRow()
	case "page":
		t.endParagraph(p)
		t.endTable()
		t.pages = append(t.pages, Page{})
	}
}

func (t *rtfText) add(blocks ...Block) {
	if len(t.pages) == 0 {
		t.pages = []Page{{}}
	}
	last := &t.pages[len(t.pages)-1]
	last.Blocks = append(last.Blocks, blocks...)
}

func (t *rtfText) endParagraph(p rtfParagraph) {
	text, mark, behind := t.run.String(), strings.TrimSpace(t.mark), t.behind
	t.run.Reset()
	t.mark, t.behind = "", nil
	b, ok := t.styled(p, text, mark)
	if p.table {
		if ok {
			t.cell = append(t.cell, strings.ReplaceAll(b.Text, "\n", " "))
		}
		for _, b := range behind {
			t.cell = append(t.cell, b.Text)
		}
		return
	}
	t.endTable()
	if ok {
		blocks := []Block(nil)
		if len(t.pages) > 0 {
			blocks = t.pages[len(t.pages)-1].Blocks
		}
		if b.Kind == Code && len(blocks) > 0 && blocks[len(blocks)-1].Kind == Code {
			blocks[len(blocks)-1].Text += "\n" + b.Text
		} else {
			t.add(b)
		}
	}
	t.add(behind...)
}

// rtfHeading matches the names of heading styles.
var rtfHeading = regexp.MustCompile(`^heading ([1-9])$`)

// styled makes a block of a paragraph. ok is false for an empty one and for what is generated from the rest.
func (t *rtfText) styled(p rtfParagraph, text, mark string) (b Block, ok bool) {
	level, kind := p.outline, Paragraph
	// Nearer styles win; a chain of styles is short, and may be a ring in a damaged file.
	for style, steps := t.styles[p.style], 0; style != nil && steps < 20; style, steps = t.styles[style.base], steps+1 {
		name := strings.ToLower(strings.TrimSpace(style.name))
		m := rtfHeading.FindStringSubmatch(name)
		switch {
		case level != 0 || kind != Paragraph:
		case strings.HasPrefix(name, "toc ") || strings.HasPrefix(name, "contents ") && name != "contents heading":
			return Block{}, false
		case m != nil:
			level, _ = strconv.Atoi(m[1])
		case name == "title":
			level = 1
		case style.outline != 0:
			level = style.outline
		case name == "quote" || name == "quotations" || name == "intense quote" || name == "block text":
			kind = Quote
		case name == "preformatted text" || name == "html preformatted" || name == "source code":
			kind = Code
		}
	}
	if kind == Code {
		return Block{Kind: Code, Text: text}, strings.TrimSpace(text) != ""
	}
	item, isItem := "", false
	if p.first < 0 && mark == "" {
		_, item, isItem = listItem(tidy(strings.ReplaceAll(text, "\t", " ")))
	}
	text = tidy(strings.ReplaceAll(text, "\t", " "))
	switch {
	case text == "":
		return Block{}, false
	case level > 0:
		return Block{Heading, min(level, 6), strings.ReplaceAll(text, "\n", " ")}, true
	case mark != "":
		if last := mark[len(mark)-1]; last == '.' || last == ')' {
			text = mark + " " + text
		}
		return Block{ListItem, min(p.level+1, 6), text}, true
	case isItem:
		return Block{ListItem, max(1, min(p.left/360, 6)), item}, true
	}
	return Block{Kind: kind, Text: text}, true
}

func (t *rtfText) endRow() {
	if len(t.cell) > 0 {
		t.row = append(t.row, strings.Join(t.cell, " "))
	}
	t.table = append(t.table, rtfRow{t.row, t.header})
	t.row, t.cell = nil, nil
}

// endTable adds the rows so far. A table with a single column is a frame around what is in it.
func (t *rtfText) endTable() {
	if len(t.row)+len(t.cell) > 0 {
		t.endRow()
	}
	header := noHeader
	cells := make([][]string, len(t.table))
	for i, row := range t.table {
		cells[i] = row.cells
	}
	if !slices.ContainsFunc(t.table, func(r rtfRow) bool { return r.header }) {
		header = findHeader(cells)
	}
	wide := slices.ContainsFunc(cells, func(row []string) bool { return len(row) > 1 })
	for i, row := range t.table {
		text := strings.Join(row.cells, " | ")
		kind := TableRow
		switch {
		case strings.Trim(text, " |") == "":
			continue
		case !wide:
			kind = Paragraph
		case row.header || i == header:
			kind = TableHeader
		}
		t.add(Block{Kind: kind, Text: strings.TrimSpace(text)})
	}
	t.table = nil
}

// end returns the pages of all that was read.
func (t *rtfText) end() []Page {
	t.endParagraph(rtfParagraph{})
	t.endTable()
	return t.pages
}
