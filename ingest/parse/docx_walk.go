package parse

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// docxWalker turns the body of a Word document into pages.
type docxWalker struct {
	ctx       context.Context
	styles    map[string]docxStyle
	numbering docxNumbering
	notes     map[string][]Block  // by "footnote 2"
	counts    map[string]*[10]int // of the items of each numbered list, by level
	rendered  bool                // the document says where Word broke the pages
	pages     []Page
}

// read walks the part with the text. A document that is cut off gives what comes before.
func (w *docxWalker) read(body []byte) ([]Page, error) {
	w.rendered = bytes.Contains(body, []byte("lastRenderedPageBreak"))
	w.pages = []Page{{}}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		if err := w.ctx.Err(); err != nil {
			return nil, err
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return w.pages, nil
		}
		if err != nil {
			if len(w.pages) == 1 && len(w.pages[0].Blocks) == 0 {
				return nil, docxKind.damaged()
			}
			return w.pages, nil
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "p" && start.Name.Local != "tbl" && !leftOut(start.Name.Local) {
			continue
		}
		e, err := readElement(d, start.Copy(), 0)
		if CodeOf(err) != "" {
			return nil, err
		}
		w.block(e)
	}
}

// leftOut reports whether an element has nothing that people read: what was deleted, what programs know.
func leftOut(name string) bool {
	switch name {
	case "del", "moveFrom", "delText", "instrText", "sectPr", "sdtPr", "sdtEndPr", "Fallback", "annotation", "rubyPr", "rt":
		return true
	}
	return false
}

// block adds a paragraph or table to the pages, and whatever it refers to.
func (w *docxWalker) block(e *element) {
	switch {
	case leftOut(e.name):
	case e.name == "p":
		p := w.paragraph(e)
		if p.breakBefore {
			w.pages = append(w.pages, Page{})
		}
		w.add(p.blocks...)
		if p.breakAfter {
			w.pages = append(w.pages, Page{})
		}
	case e.name == "tbl":
		w.table(e)
	default:
		for _, c := range e.children {
			w.block(c)
		}
	}
}

func (w *docxWalker) add(blocks ...Block) {
	last := &w.pages[len(w.pages)-1]
	last.Blocks = append(last.Blocks, blocks...)
}

// docxParagraph is what a paragraph comes to: itself, its text boxes, its notes.
type docxParagraph struct {
	blocks      []Block
	breakBefore bool // a page begins with it
	breakAfter  bool
}

func (w *docxWalker) paragraph(e *element) docxParagraph {
	r := docxRun{walker: w}
	r.read(e)
	properties := e.child("pPr")
	p := docxParagraph{breakBefore: r.breakBefore || !w.rendered && properties.on("pageBreakBefore"), breakAfter: r.breakAfter}
	text := tidy(strings.ReplaceAll(r.text.String(), "\t", " "))
	if text != "" {
		if b, ok := w.styled(properties, text); ok {
			p.blocks = append(p.blocks, b)
		}
	}
	p.blocks = append(append(p.blocks, r.boxes...), r.notes...)
	return p
}

// styled makes a block of a paragraph's text by its style and its own properties. ok is false for what is
// generated from the rest, such as a table of contents.
func (w *docxWalker) styled(properties *element, text string) (b Block, ok bool) {
	style := w.styles[properties.val("pStyle")]
	if level, err := strconv.Atoi(properties.val("outlineLvl")); err == nil && level >= 0 {
		style.heading = 0
		if level < 9 {
			style.heading = min(level+1, 6)
		}
	}
	list := properties.child("numPr")
	if list != nil && list.val("numId") != "" {
		style.list = list.val("numId") != "0"
		style.level, _ = strconv.Atoi(list.val("ilvl"))
		style.numID = list.val("numId")
	}
	switch {
	case style.toc:
		return Block{}, false
	case style.heading > 0:
		return Block{Heading, style.heading, strings.ReplaceAll(text, "\n", " ")}, true
	case style.title:
		return Block{Heading, 1, strings.ReplaceAll(text, "\n", " ")}, true
	case style.list:
		level := max(0, min(style.level, 8))
		return Block{ListItem, min(level+1, 6), w.number(style.numID, level) + text}, true
	case style.quote:
		return Block{Kind: Quote, Text: text}, true
	case style.code:
		return Block{Kind: Code, Text: text}, true
	}
	return Block{Kind: Paragraph, Text: text}, true
}

// number counts the items of a numbered list: "3. ", or "" for a list without numbers.
func (w *docxWalker) number(id string, level int) string {
	if !w.numbering[id][level] {
		return ""
	}
	count := w.counts[id]
	if count == nil {
		count = &[10]int{}
		w.counts[id] = count
	}
	count[level]++
	clear(count[level+1:])
	return strconv.Itoa(count[level]) + ". "
}

// table adds the rows of a table. One with a single column is a frame around what is in it.
func (w *docxWalker) table(e *element) {
	var rows []*element
	columns := 0
	for _, row := range docxRows(e) {
		rows = append(rows, row)
		columns = max(columns, len(docxCells(row)))
	}
	look := e.child("tblPr").child("tblLook")
	firstRow := look != nil && (look.attr("firstRow") == "1" || look.attr("firstRow") == "true")
	for i, row := range rows {
		if columns < 2 {
			for _, cell := range docxCells(row) {
				w.block(cell)
			}
			continue
		}
		texts := make([]string, 0, columns)
		inner := docxWalker{ctx: w.ctx, styles: w.styles, numbering: w.numbering, notes: w.notes, rendered: w.rendered, counts: w.counts}
		breaks := 0
		for _, cell := range docxCells(row) {
			inner.pages = []Page{{}}
			inner.block(cell)
			breaks = max(breaks, len(inner.pages)-1)
			texts = append(texts, pagesText(inner.pages))
		}
		for range breaks {
			w.pages = append(w.pages, Page{})
		}
		text := strings.Join(texts, " | ")
		if strings.Trim(text, " |") == "" {
			continue
		}
		kind := TableRow
		if row.child("trPr").on("tblHeader") || i == 0 && firstRow && len(rows) > 1 {
			kind = TableHeader
		}
		w.add(Block{Kind: kind, Text: strings.TrimSpace(text)})
	}
}

func pagesText(pages []Page) string {
	var parts []string
	for _, p := range pages {
		for _, b := range p.Blocks {
			parts = append(parts, strings.ReplaceAll(b.Text, "\n", " "))
		}
	}
	return strings.Join(parts, " ")
}

// docxRows returns the rows of a table, also those inside content controls.
func docxRows(e *element) []*element { return collect(e, "tr", "tbl") }

func docxCells(row *element) []*element { return collect(row, "tc", "tr") }

// collect returns the elements with a name below e, in each branch the first, and none below a stop.
func collect(e *element, name, stop string) []*element {
	var all []*element
	for _, c := range e.children {
		switch {
		case c.name == name:
			all = append(all, c)
		case c.name != stop && !leftOut(c.name):
			all = append(all, collect(c, name, stop)...)
		}
	}
	return all
}
