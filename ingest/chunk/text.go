package chunk

import (
	"sort"
	"strings"
	"unicode/utf8"

	"grounded/corpus"
	"grounded/ingest/parse"
)

// text is that of a document's pages, joined by line breaks, with the blocks that it is made of.
type text struct {
	all    string
	pages  []corpus.Page
	blocks []blockSpan
	places []*place // of each page
}

// place is where a page stands in the text. It remembers the last offset that was asked for: they come in
// ascending order, but for overlaps.
type place struct {
	number      int
	start       int // in bytes
	bytes, code int // the offset in the page's text, in bytes and in code points
}

// blockSpan is a block with its place in the text, in bytes.
type blockSpan struct {
	parse.Block
	start, end int
	pageBreak  bool // it is the first on a page that is not the first
}

func newText(pages []parse.Page) *text {
	var t text
	var all strings.Builder
	for i, p := range pages {
		if i > 0 {
			all.WriteByte('\n')
		}
		own, spans := p.Assemble()
		t.pages = append(t.pages, corpus.Page{Number: p.Number, Label: p.Label, Text: own})
		t.places = append(t.places, &place{number: p.Number, start: all.Len()})
		t.blocks = appendBlocks(t.blocks, p.Blocks, spans, own, all.Len())
		all.WriteString(own)
	}
	t.all = all.String()
	return &t
}

// appendBlocks adds the blocks of a page whose text begins at an offset, in bytes. Their spans count code points.
func appendBlocks(to []blockSpan, blocks []parse.Block, spans []parse.Span, own string, offset int) []blockSpan {
	at, runes := 0, 0
	advance := func(goal int) int {
		for i := range own[at:] {
			if runes == goal {
				at += i
				return offset + at
			}
			runes++
		}
		at = len(own)
		return offset + at
	}
	for i, b := range blocks {
		start := advance(spans[i].Start)
		to = append(to, blockSpan{b, start, advance(spans[i].End), i == 0 && offset > 0})
	}
	return to
}

// place returns the page that has the byte at an offset of the text.
func (t *text) place(offset int) *place {
	return t.places[sort.Search(len(t.places), func(i int) bool { return t.places[i].start > offset })-1]
}

// runes turns an offset of the text in bytes into one of the page's text in code points.
func (t *text) runes(p *place, offset int) int {
	to := offset - p.start
	if to < p.bytes {
		p.bytes, p.code = 0, 0
	}
	p.code += utf8.RuneCountInString(t.all[p.start+p.bytes : offset])
	p.bytes = to
	return p.code
}
