package chunk

import (
	"strings"
	"unicode"

	"grounded/ingest/parse"
)

// heading is one of those that a text stands under.
type heading struct {
	level int
	text  string
	start int // in the document's text, in bytes
}

// section is a heading's text up to the next heading of its level or above.
type section struct {
	path     []heading // outermost first, its own last
	units    []unit    // its heading and its body
	children []*section
	tokens   int // of its units and all below
}

// outline builds the tree of a text's sections.
func outline(text string, blocks []blockSpan, c Config) *section {
	root := &section{}
	open := []*section{root}
	enter := func(h heading) {
		for len(open) > 1 {
			above := open[len(open)-1].path
			if above[len(above)-1].level < h.level {
				break
			}
			open = open[:len(open)-1]
		}
		parent := open[len(open)-1]
		s := &section{path: append(parent.path[:len(parent.path):len(parent.path)], h)}
		parent.children = append(parent.children, s)
		open = append(open, s)
	}
	u := unitCutter{Config: c, text: text}
	for _, b := range blocks {
		if b.Kind == parse.Heading {
			enter(heading{b.Level, oneLine(b.Text), b.start})
		}
		s := open[len(open)-1]
		s.units = append(s.units, u.units(b, s.path)...)
	}
	root.sum()
	return root
}

func (s *section) sum() int {
	s.tokens = tokens(s.units)
	for _, child := range s.children {
		s.tokens += child.sum()
	}
	return s.tokens
}

// all returns the units of the section and of those below it, in reading order.
func (s *section) all() []unit {
	units := s.units[:len(s.units):len(s.units)]
	for _, child := range s.children {
		units = append(units, child.all()...)
	}
	return units
}

// oneLine replaces every run of white space by a blank.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// trim moves both ends of text[start:end] inwards over white space.
func trim(text string, start, end int) (int, int) {
	s := strings.TrimRightFunc(text[start:end], unicode.IsSpace)
	t := strings.TrimLeftFunc(s, unicode.IsSpace)
	return start + len(s) - len(t), start + len(s)
}
