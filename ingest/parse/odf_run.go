package parse

import (
	"strconv"
	"strings"
)

// odfRun collects the text of a paragraph.
type odfRun struct {
	walker *odfWalker
	text   strings.Builder
	boxes  []Block // of frames and shapes
	notes  []Block // that it refers to
	breaks bool    // a page ends in it
}

func (r *odfRun) read(n *odfNode) {
	for _, c := range n.children {
		r.one(c)
	}
}

func (r *odfRun) one(n *odfNode) {
	switch n.name {
	case "":
		r.write(n.text)
	case "s":
		count, err := strconv.Atoi(n.attr("c"))
		if err != nil {
			count = 1
		}
		r.text.WriteString(strings.Repeat(" ", max(0, min(count, 200))))
	case "tab":
		r.text.WriteByte('\t')
	case "line-break":
		r.text.WriteByte('\n')
	case "soft-page-break":
		r.breaks = true
	case "span":
		if !r.walker.styles[n.attr("style-name")].hidden {
			r.read(n)
		}
	case "note":
		r.note(n)
	case "hidden-text", "hidden-paragraph":
	case "frame", "text-box", "custom-shape", "g", "rect", "ellipse", "line", "path", "polygon", "connector":
		r.box(n)
	default:
		r.read(n)
	}
}

// write adds text, in which white space counts as one space.
func (r *odfRun) write(s string) {
	for i, word := range strings.FieldsFunc(s, isXMLSpace) {
		if i > 0 || isXMLSpace(rune(s[0])) {
			r.space()
		}
		r.text.WriteString(word)
	}
	if s != "" && isXMLSpace(rune(s[len(s)-1])) {
		r.space()
	}
}

func isXMLSpace(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// space adds a space, unless there is one or nothing before it.
func (r *odfRun) space() {
	if s := r.text.String(); s != "" && !isXMLSpace(rune(s[len(s)-1])) {
		r.text.WriteByte(' ')
	}
}

// inner walks what stands apart from the paragraph.
func (r *odfRun) inner(n *odfNode) []Block {
	w := *r.walker
	w.pages, w.depth, w.list, w.item = []Page{{}}, 0, "", false
	for _, c := range n.children {
		w.block(c)
	}
	var blocks []Block
	for _, p := range w.pages {
		blocks = append(blocks, p.Blocks...)
	}
	return blocks
}

func (r *odfRun) box(n *odfNode) { r.boxes = append(r.boxes, r.inner(n)...) }

func (r *odfRun) note(n *odfNode) {
	citation, body := n.child("note-citation"), n.child("note-body")
	if citation == nil || body == nil {
		return
	}
	mark := odfRun{walker: r.walker}
	mark.read(citation)
	label := "[" + strings.TrimSpace(mark.text.String()) + "]"
	if text := pagesText([]Page{{Blocks: r.inner(body)}}); text != "" {
		r.text.WriteString(label)
		r.notes = append(r.notes, Block{Kind: Paragraph, Text: label + " " + text})
	}
}
