package parse

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// rtfDepth is how deep groups are nested at most.
const rtfDepth = 10_000

// rtfGroup is what holds to the end of a group.
type rtfGroup struct {
	destination string // where text goes: "" is the document; "skip" is nowhere
	outer       string // destination around the one that an alternative in Unicode replaces
	font        int
	skip        int  // characters behind \u that stand for it where Unicode is not known
	hidden      bool // or deleted
	paragraph   rtfParagraph
	pushed      bool // a text of its own, such as a footnote, ends with it
}

// rtfParagraph is what is known of a paragraph before its end.
type rtfParagraph struct {
	style   int
	outline int // level of a heading, from 1; 0: that of the style; -1: none
	level   int // of a list item, from 0
	table   bool
	left    int // indent, in twips
	first   int // the same for the first line, relative
}

// rtfReader reads the document from control words.
type rtfReader struct {
	data   []byte
	at     int
	group  rtfGroup
	groups []rtfGroup
	starts bool // the group has had nothing yet, so that a word names its destination
	star   bool // the destination may be left out

	body   *rtfText
	texts  []*rtfText // the body, and the notes and boxes in it that are open
	styles map[int]*rtfStyle
	style  int // that is being defined
	notes  int // footnotes so far
	info   map[string]string
	times  map[string]map[string]int

	charset   encoding.Encoding // of the document
	fonts     map[int]encoding.Encoding
	defining  int // font that is being defined
	plainFont int
	raw       []byte // text whose charset is that of the font
	rawFont   int
	skipping  int  // characters that stand for one in Unicode
	high      rune // first half of a surrogate pair
	lost      int  // characters that could not be decoded
}

func newRTFReader(data []byte) *rtfReader {
	r := &rtfReader{data: data, styles: map[int]*rtfStyle{}, info: map[string]string{}, times: map[string]map[string]int{},
		charset: charmap.Windows1252, fonts: map[int]encoding.Encoding{}}
	r.body = &rtfText{styles: r.styles}
	r.texts = []*rtfText{r.body}
	r.group.skip = 1
	return r
}

// read reads to the end of the document. whole is false if that is missing.
func (r *rtfReader) read(ctx context.Context) (whole bool, err error) {
	for r.at < len(r.data) {
		c := r.data[r.at]
		r.at++
		switch c {
		case '{':
			r.flush()
			if len(r.groups) > rtfDepth {
				return false, errorf(Damaged, "Its groups are nested deeper than any word processor does it.")
			}
			if len(r.groups)%1000 == 0 && ctx.Err() != nil {
				return false, ctx.Err()
			}
			r.groups = append(r.groups, r.group)
			r.group.pushed = false
			r.starts, r.star, r.skipping = true, false, 0
		case '}':
			r.flush()
			if r.endGroup() {
				return true, nil
			}
		case '\\':
			r.control()
		case '\r', '\n':
		default:
			r.byte(c)
		}
	}
	r.flush()
	for len(r.groups) > 0 {
		r.endGroup()
	}
	return false, nil
}

// endGroup goes back to the group around. It reports whether it was the last.
func (r *rtfReader) endGroup() bool {
	if len(r.groups) == 0 {
		return true
	}
	if r.group.pushed {
		r.endText()
	}
	r.group = r.groups[len(r.groups)-1]
	r.groups = r.groups[:len(r.groups)-1]
	r.starts, r.star, r.skipping, r.high = false, false, 0, 0
	return len(r.groups) == 0
}

// control reads what follows a backslash.
func (r *rtfReader) control() {
	if r.at >= len(r.data) {
		return
	}
	c := r.data[r.at]
	if !isRTFLetter(c) {
		r.at++
		r.symbol(c)
		return
	}
	start := r.at
	for r.at < len(r.data) && isRTFLetter(r.data[r.at]) && r.at-start < 40 {
		r.at++
	}
	word := string(r.data[start:r.at])
	number := r.at
	if r.at < len(r.data) && r.data[r.at] == '-' {
		r.at++
	}
	for r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' && r.at-number < 12 {
		r.at++
	}
	value, err := strconv.Atoi(string(r.data[number:r.at]))
	given := err == nil
	if !given {
		r.at = number
	}
	if r.at < len(r.data) && r.data[r.at] == ' ' {
		r.at++
	}
	if word == "bin" {
		r.at += max(0, min(value, len(r.data)-r.at))
		return
	}
	if r.skipping > 0 && word != "u" {
		r.skipping--
		return
	}
	r.word(word, value, given)
}

func isRTFLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (r *rtfReader) symbol(c byte) {
	switch c {
	case '\'':
		if r.at+2 > len(r.data) {
			return
		}
		if v, err := strconv.ParseUint(string(r.data[r.at:r.at+2]), 16, 8); err == nil {
			r.at += 2
			r.byte(byte(v))
		}
	case '*':
		r.star = true
	case '~':
		r.write(" ")
	case '_':
		r.write("-")
	case '-', '|', ':':
	case '\r', '\n':
		r.word("par", 0, false)
	case '\t':
		r.write("\t")
	default:
		r.byte(c)
	}
}

// byte takes a byte of text in the charset of the font.
func (r *rtfReader) byte(c byte) {
	r.starts = false
	if r.skipping > 0 {
		r.skipping--
		return
	}
	if r.group.destination == "skip" || r.group.hidden {
		return
	}
	if len(r.raw) > 0 && r.rawFont != r.group.font {
		r.flush()
	}
	r.rawFont = r.group.font
	r.raw = append(r.raw, c)
}

// unicode takes a character that is told by its code, of 16 bits with a sign.
func (r *rtfReader) unicode(value int) {
	r.flush()
	r.skipping = r.group.skip
	c := rune(value)
	if value < 0 {
		c = rune(value + 1<<16)
	}
	switch {
	case r.high != 0 && utf16.IsSurrogate(c):
		c, r.high = utf16.DecodeRune(r.high, c), 0
	case utf16.IsSurrogate(c):
		r.high = c
		return
	}
	r.high = 0
	if c > 0 && utf8.ValidRune(c) {
		r.write(string(c))
	}
}

// flush decodes the bytes of text so far.
func (r *rtfReader) flush() {
	if len(r.raw) == 0 {
		return
	}
	raw := r.raw
	r.raw = r.raw[:0]
	e, ok := r.fonts[r.rawFont]
	if !ok || e == nil {
		e = r.charset
	}
	text, err := e.NewDecoder().Bytes(raw)
	if err != nil {
		r.lost += len(raw)
		return
	}
	if n := bytes.Count(text, []byte("\ufffd")); n > 0 {
		r.lost += n
		text = bytes.ReplaceAll(text, []byte("\ufffd"), nil)
	}
	r.put(string(text))
}

// write adds text behind what was read so far.
func (r *rtfReader) write(s string) {
	r.flush()
	if r.group.destination != "skip" && !r.group.hidden {
		r.put(s)
	}
}

// put takes text to the destination of the group.
func (r *rtfReader) put(s string) {
	switch d := r.group.destination; d {
	case "":
		r.text().write(s)
	case "listtext":
		r.text().mark += s
	case "stylesheet":
		r.defineStyle().name += strings.TrimSuffix(s, ";")
	case "skip", "fonttbl":
	default:
		r.info[d] += s
	}
}

// text is what is written: the body, or a note or box in it.
func (r *rtfReader) text() *rtfText { return r.texts[len(r.texts)-1] }

// beginText lets a note or box be read that stands in a paragraph but is not part of it.
func (r *rtfReader) beginText(label string) {
	r.group.pushed, r.group.destination, r.group.hidden, r.group.paragraph = true, "", false, rtfParagraph{}
	r.texts = append(r.texts, &rtfText{styles: r.styles, label: label})
}

func (r *rtfReader) endText() {
	inner := r.text()
	r.texts = r.texts[:len(r.texts)-1]
	var blocks []Block
	for _, p := range inner.end() {
		blocks = append(blocks, p.Blocks...)
	}
	if inner.label != "" {
		text := pagesText([]Page{{Blocks: blocks}})
		if text == "" {
			return
		}
		blocks = []Block{{Kind: Paragraph, Text: inner.label + " " + text}}
	}
	r.text().behind = append(r.text().behind, blocks...)
}
