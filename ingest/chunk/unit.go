package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/analyze"
	"grounded/ingest/parse"
)

// boundary tells how good it is to cut before a unit.
type boundary int

const (
	inside   boundary = iota // of a sentence, an item or a row
	sentence                 // a sentence, an item, a row, a line of code
	block
)

// unit is a piece of text that is not cut any further.
type unit struct {
	start, end int // bytes of the document's text, without white space at the ends
	tokens     int
	before     boundary
	heading    bool
	path       []heading    // that it stands under, a heading itself included
	header     analyze.Span // header row of the table that it is a row of; empty if none
}

func tokens(units []unit) int {
	n := 0
	for _, u := range units {
		n += u.tokens
	}
	return n
}

// unitCutter cuts the blocks of a document, one after another.
type unitCutter struct {
	Config
	text     string
	previous parse.Kind   // of the last block
	header   analyze.Span // of the table that the last block is in
}

func (c *unitCutter) units(b blockSpan, path []heading) []unit {
	var (
		spans []analyze.Span
		first = block
		row   = b.Kind == parse.TableRow || b.Kind == parse.TableHeader
	)
	switch {
	case row, b.Kind == parse.ListItem, b.Kind == parse.Heading:
		spans = []analyze.Span{{End: b.end - b.start}}
	case b.Kind == parse.Code:
		spans = lines(c.text[b.start:b.end])
	default:
		spans = analyze.Sentences(c.text[b.start:b.end])
	}
	inTable := c.previous == parse.TableRow || c.previous == parse.TableHeader
	if row && inTable && b.Kind == parse.TableRow || b.Kind == parse.ListItem && c.previous == parse.ListItem {
		first = sentence
	}
	if b.pageBreak && b.Kind == parse.Paragraph && c.previous == parse.Paragraph && c.goesOn(b) {
		first = inside
	}
	if b.Kind != parse.TableRow || !inTable {
		c.header = analyze.Span{}
	}
	var out []unit
	for i, s := range spans {
		before := sentence
		if i == 0 {
			before = first
		}
		u := unit{before: before, heading: b.Kind == parse.Heading, path: path, header: c.header}
		u.start, u.end = trim(c.text, b.start+s.Start, b.start+s.End)
		out = append(out, c.split(u)...)
	}
	if b.Kind == parse.TableHeader {
		c.header = analyze.Span{Start: b.start, End: b.end}
	}
	c.previous = b.Kind
	return out
}

// goesOn reports whether a paragraph at the top of a page ends the sentence that the page before breaks off with.
func (c *unitCutter) goesOn(b blockSpan) bool {
	before := strings.TrimRight(c.text[:b.start], " \n\"'”’)]»」）")
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(c.text[b.start:])
	return !strings.ContainsRune(".!?:;。！？：；", last) && !unicode.IsUpper(first) && unicode.IsLetter(first)
}

// split cuts a unit that is longer than a chunk: between sentences, and inside those that are too long still.
func (c *unitCutter) split(u unit) []unit {
	text := c.text[u.start:u.end]
	if u.tokens = c.Count(text); u.tokens <= c.TargetTokens {
		return []unit{u}
	}
	var out []unit
	for _, s := range analyze.Sentences(text) {
		for _, p := range pieces(text[s.Start:s.End], c.TargetTokens, c.Count) {
			part := u
			part.start, part.end, part.tokens = u.start+s.Start+p.start, u.start+s.Start+p.end, p.tokens
			if len(out) > 0 {
				part.before = inside
				if p.start == 0 && u.before == block {
					part.before = sentence
				}
			}
			out = append(out, part)
		}
	}
	return out
}

// lines returns the spans of a text's lines.
func lines(text string) []analyze.Span {
	var spans []analyze.Span
	start := 0
	for _, line := range strings.SplitAfter(text, "\n") {
		if strings.TrimSpace(line) != "" {
			spans = append(spans, analyze.Span{Start: start, End: start + len(line)})
		}
		start += len(line)
	}
	return spans
}
