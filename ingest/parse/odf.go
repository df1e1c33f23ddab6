package parse

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// odfPart is how many bytes a part of an OpenDocument file may unpack to.
const odfPart = 128 << 20

// odtFormat reads OpenDocument texts (OASIS OpenDocument 1.3).
func odtFormat() Format {
	return odfFormat("odt", "text", ".odt", ".ott")
}

// odpFormat reads OpenDocument presentations, a page a slide.
func odpFormat() Format {
	return odfFormat("odp", "presentation", ".odp", ".otp")
}

// odsFormat reads OpenDocument spreadsheets, a page a sheet.
func odsFormat() Format {
	return odfFormat("ods", "spreadsheet", ".ods", ".ots")
}

// odfFormat is one of the kinds of OpenDocument file: "text", "presentation", "spreadsheet".
func odfFormat(name, kind string, extensions ...string) Format {
	mediaType := "application/vnd.oasis.opendocument." + kind
	return Format{
		Name: name, Version: 1, MediaType: mediaType, Extensions: extensions,
		Sniff: func(data []byte) bool {
			found := archiveType(data)
			return found == mediaType || found == mediaType+"-template"
		},
		Parse: parseODF,
	}
}

var odfKind = opcKind{noun: "OpenDocument file", program: "LibreOffice", part: odfPart}

func parseODF(ctx context.Context, in Input) (Document, error) {
	a, err := openOPC(in.Data, odfKind)
	if err != nil {
		return Document{}, err
	}
	if err := odfLocked(a); err != nil {
		return Document{}, err
	}
	content, err := a.read("content.xml")
	if err != nil {
		return Document{}, err
	}
	if content == nil {
		return Document{}, a.damaged()
	}
	doc := Document{Metadata: map[string]any{}}
	if err := readODFMetadata(a, &doc); err != nil {
		return Document{}, err
	}
	styles, err := a.read("styles.xml")
	if err != nil {
		return Document{}, err
	}
	w := odfWalker{ctx: ctx, styles: odfStyles{}, lists: map[string]map[int]bool{}, pages: []Page{{}}, counts: map[string]int{}}
	if err := w.read(styles, false); err != nil && CodeOf(err) == "" {
		return Document{}, err
	}
	if err := w.read(content, true); err != nil {
		return Document{}, err
	}
	doc.Pages, doc.Separate, doc.Warnings = w.pages, w.separate, w.warnings
	if w.sheets != nil {
		doc.Pages, doc.Separate = w.sheets, true
	}
	if len(w.hidden) > 0 {
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("Slides or sheets that are hidden were read too: %s.", strings.Join(w.hidden, ", ")))
	}
	return doc, nil
}

// odfLocked refuses a file with a password, whose parts are encrypted one by one.
func odfLocked(a *opcPackage) error {
	var manifest struct {
		Entries []struct {
			Encryption *struct{} `xml:"encryption-data"`
		} `xml:"file-entry"`
	}
	if _, err := a.readXML("META-INF/manifest.xml", &manifest); err != nil {
		return err
	}
	for _, e := range manifest.Entries {
		if e.Encryption != nil {
			return errorf(Encrypted, "The document needs a password; save a copy without one.")
		}
	}
	return nil
}

func readODFMetadata(a *opcPackage, doc *Document) error {
	var meta struct {
		Meta struct {
			Title       string   `xml:"title"`
			Initial     string   `xml:"initial-creator"`
			Creator     string   `xml:"creator"`
			Subject     string   `xml:"subject"`
			Description string   `xml:"description"`
			Language    string   `xml:"language"`
			Keywords    []string `xml:"keyword"`
			Created     string   `xml:"creation-date"`
			Modified    string   `xml:"date"`
		} `xml:"meta"`
	}
	if ok, err := a.readXML("meta.xml", &meta); err != nil || !ok {
		return err // without them: the text is what matters
	}
	m := meta.Meta
	doc.Title, doc.Language = m.Title, languageCode(m.Language)
	put(doc.Metadata, metaAuthor, m.Creator)
	put(doc.Metadata, metaAuthor, m.Initial)
	put(doc.Metadata, metaSubject, m.Subject)
	put(doc.Metadata, metaDescription, m.Description)
	for _, k := range m.Keywords {
		putKeywords(doc.Metadata, k)
	}
	putDate(doc.Metadata, metaCreated, m.Created)
	putDate(doc.Metadata, metaModified, m.Modified)
	return nil
}

// odfNode is an element with what is in it, or, without a name, text.
type odfNode struct {
	name     string // local: "p"
	attrs    []xml.Attr
	children []*odfNode
	text     string
}

func (n *odfNode) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// child returns the first child with the name, or nil.
func (n *odfNode) child(name string) *odfNode {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// readODFNode reads an element to its end. What is read before an error is kept.
func readODFNode(d *xml.Decoder, start xml.StartElement, depth int) (*odfNode, error) {
	if depth > xmlDepth {
		return nil, errorf(Damaged, "Its elements are nested deeper than any Office program does it.")
	}
	n := &odfNode{name: start.Name.Local, attrs: start.Attr}
	for {
		token, err := d.Token()
		if err != nil {
			return n, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if odfWithoutText(t.Name.Local) {
				if err := d.Skip(); err != nil {
					return n, err
				}
				continue
			}
			c, err := readODFNode(d, t.Copy(), depth+1)
			if c != nil {
				n.children = append(n.children, c)
			}
			if err != nil {
				return n, err
			}
		case xml.CharData:
			n.children = append(n.children, &odfNode{text: string(t)})
		case xml.EndElement:
			return n, nil
		}
	}
}

// odfWithoutText reports whether an element holds nothing that people read: what was deleted, remarks, pictures, and
// lists that are made from the rest.
func odfWithoutText(name string) bool {
	switch name {
	case "tracked-changes", "annotation", "binary-data", "table-of-content", "alphabetical-index", "illustration-index",
		"table-index", "object-index", "user-index", "ruby-text", "shapes", "forms", "scripts", "variable-decls",
		"sequence-decls", "user-field-decls", "event-listeners", "enhanced-geometry":
		return true
	}
	return false
}

// read walks a part of the file: its styles, and the text if body. A part that is cut off gives what comes before.
func (w *odfWalker) read(part []byte, body bool) error {
	d := xmlDecoder(part)
	spreadsheet := false
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			w.endSheet()
			if !body {
				return nil
			}
			if len(w.pages) == 1 && len(w.pages[0].Blocks) == 0 && len(w.sheets) == 0 {
				return odfKind.damaged()
			}
			w.warn("The text breaks off in the middle; what comes behind is lost.")
			return nil
		}
		if end, ok := token.(xml.EndElement); ok && body && spreadsheet {
			switch end.Name.Local {
			case "table":
				w.endSheet()
			case "table-header-rows":
				w.header(false)
			}
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := start.Name.Local; {
		case odfWithoutText(name), name == "section" && (&odfNode{attrs: start.Attr}).attr("display") == "none":
			_ = d.Skip()
		case body && name == "spreadsheet":
			spreadsheet = true
		case spreadsheet && name == "table":
			w.beginSheet(&odfNode{attrs: start.Copy().Attr})
		case spreadsheet && name == "table-header-rows":
			w.header(true)
		case spreadsheet && name == "table-row" && w.sheet != nil:
			n, err := readODFNode(d, start.Copy(), 0)
			if CodeOf(err) != "" {
				return err
			}
			w.sheetRow(n)
		case name == "style" || name == "list-style" || body && odfIsBlock(name):
			n, err := readODFNode(d, start.Copy(), 0)
			if CodeOf(err) != "" {
				return err
			}
			switch name {
			case "style":
				w.styles[n.attr("name")] = readODFStyle(n)
			case "list-style":
				w.lists[n.attr("name")] = readODFList(n)
			default:
				w.block(n)
			}
		}
	}
}
