package parse

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
)

// docxRun collects the text of a paragraph.
type docxRun struct {
	walker      *docxWalker
	text        strings.Builder
	boxes       []Block // of text boxes
	notes       []Block // that it refers to
	breakBefore bool
	breakAfter  bool
}

func (r *docxRun) read(e *element) {
	for _, c := range e.children {
		r.one(c)
	}
}

func (r *docxRun) one(e *element) {
	switch e.name {
	case "t":
		r.text.WriteString(e.text)
	case "tab", "ptab":
		r.text.WriteByte('\t')
	case "br", "cr":
		if e.attr("type") == "page" {
			if !r.walker.rendered {
				r.breakPage()
			}
			return
		}
		r.text.WriteByte('\n')
	case "lastRenderedPageBreak":
		r.breakPage()
	case "noBreakHyphen":
		r.text.WriteByte('-')
	case "sym":
		if code, err := strconv.ParseUint(e.attr("char"), 16, 32); err == nil && (code < 0xe000 || code > 0xf8ff) {
			r.text.WriteRune(rune(code))
		}
	case "footnoteReference", "endnoteReference":
		id := strings.TrimSuffix(e.name, "Reference") + " " + e.attr("id")
		if note := r.walker.notes[id]; len(note) > 0 {
			r.text.WriteString("[" + e.attr("id") + "]")
			r.notes = append(r.notes, note...)
		}
	case "txbxContent":
		inner := *r.walker
		inner.pages = []Page{{}}
		for _, c := range e.children {
			inner.block(c)
		}
		for _, p := range inner.pages {
			r.boxes = append(r.boxes, p.Blocks...)
		}
	case "r":
		if !e.child("rPr").on("vanish") {
			r.read(e)
		}
	case "pPr", "rPr":
	default:
		if !leftOut(e.name) {
			r.read(e)
		}
	}
}

// breakPage notes where in the paragraph a page ends.
func (r *docxRun) breakPage() {
	if strings.TrimSpace(r.text.String()) == "" {
		r.breakBefore = true
	} else {
		r.breakAfter = true
	}
}

// readNotes reads the part with the footnotes or endnotes, which are of that kind.
func (w *docxWalker) readNotes(kind string, part []byte) {
	d := xml.NewDecoder(bytes.NewReader(part))
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != kind {
			continue
		}
		note, err := readElement(d, start.Copy(), 0)
		if err != nil {
			return
		}
		if t := note.attr("type"); t != "" && t != "normal" { // the rule above the notes
			continue
		}
		inner := *w
		inner.pages = []Page{{}}
		for _, c := range note.children {
			inner.block(c)
		}
		if text := pagesText(inner.pages); text != "" {
			w.notes[kind+" "+note.attr("id")] = []Block{{Kind: Paragraph, Text: "[" + note.attr("id") + "] " + text}}
		}
	}
}
