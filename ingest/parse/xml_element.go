package parse

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"

	"golang.org/x/net/html/charset"
)

// xmlDepth is how deep elements that matter are nested at most.
const xmlDepth = 200

// xmlDecoder reads XML in any charset, with the entities of HTML, and as far as it can where tags don't match.
func xmlDecoder(data []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict, d.Entity, d.CharsetReader = false, xml.HTMLEntity, charset.NewReaderLabel
	return d
}

// decodeXML decodes XML into v.
func decodeXML(data []byte, v any) error { return xmlDecoder(data).Decode(v) }

// element is an XML element with what is in it. Names are local: the strict and the transitional variant of the
// Office formats, and their extensions, share them.
type element struct {
	name     string
	attrs    []xml.Attr
	children []*element
	text     string // of those that have text: t, v of a chart, text of a comment
}

func (e *element) attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// link returns the attribute with which the element names a relationship of its part: r:id.
func (e *element) link(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name && a.Name.Space != "" {
			return a.Value
		}
	}
	return ""
}

// number returns the value of an attribute, if that is a number from 0, else 0.
func (e *element) number(name string) int {
	n, err := strconv.Atoi(e.attr(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// child returns the first child with the name; it may be nil, of which all methods are empty.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// val returns the w:val of the first child with the name.
func (e *element) val(name string) string {
	if c := e.child(name); c != nil {
		return c.attr("val")
	}
	return ""
}

// on reports whether a switch such as w:vanish is there and not switched off.
func (e *element) on(name string) bool {
	c := e.child(name)
	if c == nil {
		return false
	}
	v := c.attr("val")
	return v != "0" && v != "false" && v != "off" && v != "none"
}

// allText returns the text of the element and of all in it.
func (e *element) allText() string {
	if e == nil {
		return ""
	}
	text := e.text
	for _, c := range e.children {
		text += c.allText()
	}
	return text
}

// findElements reads the elements with one of the names, wherever they are; of a part that is damaged, those that
// come before.
func findElements(part []byte, names ...string) (found []*element, complete bool) {
	d := xml.NewDecoder(bytes.NewReader(part))
	for {
		token, err := d.Token()
		if err != nil {
			return found, errors.Is(err, io.EOF)
		}
		if start, ok := token.(xml.StartElement); ok && slices.Contains(names, start.Name.Local) {
			e, err := readElement(d, start.Copy(), 0)
			found = append(found, e)
			if err != nil {
				return found, false
			}
		}
	}
}

// rootElement reads a part; of one that is damaged, what comes before, or nil.
func rootElement(part []byte) (root *element, complete bool) {
	d := xml.NewDecoder(bytes.NewReader(part))
	for {
		token, err := d.Token()
		if err != nil {
			return nil, false
		}
		if start, ok := token.(xml.StartElement); ok {
			root, err = readElement(d, start.Copy(), 0)
			return root, err == nil
		}
	}
}

// readElement reads an element to its end.
func readElement(d *xml.Decoder, start xml.StartElement, depth int) (*element, error) {
	if depth > xmlDepth {
		return &element{}, errorf(Damaged, "Its elements are nested deeper than any Office program does it.")
	}
	e := &element{name: start.Name.Local, attrs: start.Attr}
	for {
		token, err := d.Token()
		if err != nil {
			return e, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if withoutText(t.Name.Local) {
				if err := d.Skip(); err != nil {
					return e, err
				}
				continue
			}
			c, err := readElement(d, t.Copy(), depth+1)
			e.children = append(e.children, c)
			if err != nil {
				return e, err
			}
		case xml.CharData:
			if e.name == "t" || e.name == "v" || e.name == "text" {
				e.text += string(t)
			}
		case xml.EndElement:
			return e, nil
		}
	}
}

// withoutText reports whether an element says how something looks, which may take long: an outline of a thousand
// points.
func withoutText(name string) bool {
	return name == "spPr" || name == "custGeom" || name == "extLst"
}
