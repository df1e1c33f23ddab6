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
	start int // in its page's text; -1 when it stands on a former page
}

// section is a heading's text up to the next heading of its level or above, as far as it is on one page.
type section struct {
	path     []heading // outermost first, its own last
	units    []unit    // its heading and its body
	children []*section
	tokens   int // of its units and all below
}

// blockSpan is a block with its place in the page's text, in bytes.
type blockSpan struct {
	parse.Block
	start, end int
}

// blocks finds the byte ranges of the blocks, whose spans count code points.
func blocks(text string, all []parse.Block, spans []parse.Span) []blockSpan {
	at, runes := 0, 0
	advance := func(to int) int {
		for i := range text[at:] {
			if runes == to {
				at += i
				return at
			}
			runes++
		}
		at = len(text)
		return at
	}
	out := make([]blockSpan, len(all))
	for i, b := range all {
		start := advance(spans[i].Start)
		out[i] = blockSpan{b, start, advance(spans[i].End)}
	}
	return out
}

// outline builds the tree of a page's sections. path has the headings that run on from the page before; the
// second result those that run on to the next.
func outline(text string, blocks []blockSpan, path []heading, c Config) (*section, []heading) {
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
	for _, h := range path {
		h.start = -1
		enter(h)
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
	return root, open[len(open)-1].path
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
