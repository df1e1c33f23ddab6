package parse

import (
	"context"
	"strconv"
	"strings"
)

// odfWalker turns the body of an OpenDocument file into pages.
type odfWalker struct {
	ctx      context.Context
	styles   odfStyles
	lists    map[string]map[int]bool // levels with numbers, by list style
	pages    []Page
	separate bool
	list     string // style of the list that is open
	depth    int    // of lists that are open
	item     bool   // an item begins whose paragraph has not come
	counts   map[string]int

	sheet    *odfSheet // that is open; nil in other documents than spreadsheets
	sheets   []Page
	hidden   []string // slides and sheets that are hidden, and read all the same
	warnings []string
}

// odfIsBlock reports whether an element of a body stands by itself.
func odfIsBlock(name string) bool {
	switch name {
	case "h", "p", "list", "table", "page", "frame", "custom-shape", "rect", "g", "soft-page-break":
		return true
	}
	return false
}

// block adds an element to the pages, and whatever it refers to.
func (w *odfWalker) block(n *odfNode) {
	switch n.name {
	case "h", "p":
		w.paragraph(n)
	case "list":
		w.readList(n)
	case "table":
		w.table(n)
	case "page":
		w.slide(n)
	case "soft-page-break":
		w.breakPage()
	case "":
	default:
		for _, c := range n.children {
			w.block(c)
		}
	}
}

func (w *odfWalker) breakPage() {
	if !w.separate {
		w.pages = append(w.pages, Page{})
	}
}

func (w *odfWalker) add(blocks ...Block) {
	last := &w.pages[len(w.pages)-1]
	last.Blocks = append(last.Blocks, blocks...)
}

func (w *odfWalker) paragraph(n *odfNode) {
	name := n.attr("style-name")
	role := w.styles.role(name)
	if w.styles[name].pageBreak && len(w.pages[len(w.pages)-1].Blocks) > 0 {
		w.breakPage()
	}
	if role.toc || w.styles[name].hidden {
		return
	}
	r := odfRun{walker: w}
	r.read(n)
	text := r.text.String()
	if !role.code {
		text = tidy(text)
	}
	if strings.TrimSpace(text) != "" {
		b := w.styled(n, role, text)
		if w.item && b.Kind == Paragraph {
			b = w.listItem(b)
		}
		if blocks := w.pages[len(w.pages)-1].Blocks; b.Kind == Code && len(blocks) > 0 && blocks[len(blocks)-1].Kind == Code {
			blocks[len(blocks)-1].Text += "\n" + text
		} else {
			w.add(b)
		}
	}
	w.add(append(r.boxes, r.notes...)...)
	if r.breaks {
		w.breakPage()
	}
}

func (w *odfWalker) styled(n *odfNode, role odfRole, text string) Block {
	level := role.level
	if n.name == "h" {
		level = 1
		if l, err := strconv.Atoi(n.attr("outline-level")); err == nil {
			level = l
		}
	}
	switch {
	case n.name == "h" || level > 0:
		return Block{Heading, max(1, min(level, 6)), strings.ReplaceAll(text, "\n", " ")}
	case role.title:
		return Block{Heading, 1, strings.ReplaceAll(text, "\n", " ")}
	case role.code:
		return Block{Kind: Code, Text: text}
	case role.quote:
		return Block{Kind: Quote, Text: text}
	}
	return Block{Kind: Paragraph, Text: text}
}

// readList adds the items of a list. The first paragraph of an item is the item.
func (w *odfWalker) readList(n *odfNode) {
	outer := w.list
	if style := n.attr("style-name"); style != "" {
		w.list = style
	}
	w.depth++
	if n.attr("continue-numbering") != "true" && n.attr("continue-list") == "" {
		w.counts[w.listKey()] = 0
	}
	for _, item := range n.children {
		w.item = item.name == "list-item"
		if start, err := strconv.Atoi(item.attr("start-value")); err == nil && w.item {
			w.counts[w.listKey()] = start - 1
		}
		for _, c := range item.children {
			w.block(c)
		}
	}
	w.item = false
	w.depth--
	w.list = outer
}

// listKey names the list that is open, at its depth.
func (w *odfWalker) listKey() string { return w.list + " " + strconv.Itoa(w.depth) }

// listItem makes an item of a paragraph.
func (w *odfWalker) listItem(b Block) Block {
	w.item = false
	w.counts[w.listKey()]++
	number := ""
	if w.lists[w.list][w.depth] {
		number = strconv.Itoa(w.counts[w.listKey()]) + ". "
	}
	return Block{ListItem, min(w.depth, 6), number + b.Text}
}

// slide adds a slide of a presentation, as a page.
func (w *odfWalker) slide(n *odfNode) {
	if w.styles[n.attr("style-name")].hidden {
		w.hidden = append(w.hidden, n.attr("name"))
	}
	if w.separate {
		w.pages = append(w.pages, Page{})
	}
	w.separate = true
	for _, c := range n.children {
		if c.name == "notes" {
			continue
		}
		page := &w.pages[len(w.pages)-1]
		before := len(page.Blocks)
		w.block(c)
		if class := c.attr("class"); class == "title" && len(page.Blocks) == before+1 {
			page.Blocks[before] = Block{Heading, 1, strings.ReplaceAll(page.Blocks[before].Text, "\n", " ")}
		}
	}
	if notes := n.child("notes"); notes != nil {
		w.block(notes)
	}
}
