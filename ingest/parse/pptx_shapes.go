package parse

import (
	"regexp"
	"strings"
)

// shapeWalker collects the text of shapes in their order, which is that in which a screen reader reads them. A slide's
// title is kept apart.
type shapeWalker struct {
	*opcPackage
	links    []relationship // of the part with the shapes
	inSheet  bool           // the values of charts are in cells
	title    []Block
	blocks   []Block
	pictures int
	embedded int // files
}

func (w *shapeWalker) walk(e *element) error {
	for _, c := range e.children {
		switch {
		case leftOut(c.name):
		case c.name == "sp":
			w.shape(c)
		case c.name == "pic":
			w.picture(c)
		case c.name == "tbl":
			w.table(c)
		case c.name == "oleObj":
			w.embedded++
			if err := w.walk(c); err != nil { // it has a picture of it
				return err
			}
		case c.name == "chart":
			data, err := w.read(relatedBy(w.links, c.link("id")))
			if err != nil {
				return err
			}
			w.blocks = append(w.blocks, chartBlocks(data, w.inSheet)...)
		case c.name == "relIds":
			data, err := w.read(relatedBy(w.links, c.link("dm")))
			if err != nil {
				return err
			}
			w.blocks = append(w.blocks, diagramBlocks(data)...)
		default:
			if err := w.walk(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeholder returns what a shape is for on its slide: "title", "body"; "obj" if it may have anything, "" if it is
// no placeholder.
func (e *element) placeholder() string {
	ph := e.child("nvSpPr").child("nvPr").child("ph")
	if ph == nil {
		return ""
	}
	if kind := ph.attr("type"); kind != "" {
		return kind
	}
	return "obj"
}

func (w *shapeWalker) shape(e *element) {
	body := e.child("txBody")
	switch kind := e.placeholder(); kind {
	case "dt", "ftr", "hdr", "sldNum", "sldImg": // the same on every slide
	case "title", "ctrTitle":
		var parts []string
		for _, b := range textBody(body, false) {
			parts = append(parts, strings.ReplaceAll(b.Text, "\n", " "))
		}
		if len(parts) > 0 {
			w.title = append(w.title, Block{Heading, 1, strings.Join(parts, " ")})
		}
	default:
		w.blocks = append(w.blocks, textBody(body, kind == "body" || kind == "obj")...)
	}
}

// described matches descriptions of pictures that no person wrote.
var described = regexp.MustCompile(`(?i)automatically generated|AI-generated|^https?://|\.(?:png|jpe?g|gif|emf|wmf|svg|tiff?|bmp|webp)$`)

// picture adds what the author wrote for those who can't see it.
func (w *shapeWalker) picture(e *element) {
	w.pictures++
	if text := strings.TrimSpace(e.child("nvPicPr").child("cNvPr").attr("descr")); width(text) > 12 && !described.MatchString(text) {
		w.blocks = append(w.blocks, Block{Kind: Paragraph, Text: text})
	}
}

// table writes rows; cells that are merged downwards are in each of theirs.
func (w *shapeWalker) table(e *element) {
	t := tableWriter{}
	header := e.child("tblPr").attr("firstRow")
	var above []string
	rows := collect(e, "tr", "tbl")
	for i, tr := range rows {
		var row []string
		for column, tc := range collect(tr, "tc", "tr") {
			var parts []string
			for _, b := range textBody(tc.child("txBody"), false) {
				parts = append(parts, strings.ReplaceAll(b.Text, "\n", " "))
			}
			text := strings.Join(parts, " ")
			if merged := tc.attr("vMerge"); (merged == "1" || merged == "true") && column < len(above) {
				text = above[column]
			}
			row = append(row, text)
		}
		above = row
		if i == 0 && len(rows) > 1 && (header == "1" || header == "true") {
			t.addHeader(row)
		} else {
			t.add(row)
		}
	}
	w.blocks = append(w.blocks, t.end()...)
}
