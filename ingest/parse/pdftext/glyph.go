package pdftext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Glyph is a character, or a few that one code stands for, as it is drawn. Lengths are in points.
type Glyph struct {
	Text    string  // may be empty when nothing tells which letters the code means
	X, Y    float64 // where it begins on the baseline; y grows upwards
	Advance float64 // along the direction of writing
	Size    float64 // of the font
	Dir     Direction
	Bold    bool
	Mark    Mark
}

// Direction is where a line of writing goes, on the page as it is shown.
type Direction uint8

// Directions of writing. Slanted text counts as the nearest one.
const (
	Right Direction = iota
	Up
	Left
	Down     // turned by 90 degrees clockwise
	Vertical // upright characters, one below the other, in columns from right to left
)

// Mark says what the author's program said a piece of text is for.
type Mark uint8

// Marks of text.
const (
	Body     Mark = iota
	Artifact      // header, footer or decoration
)

// Drawing is what is drawn on a page.
type Drawing struct {
	Glyphs    []Glyph // in the order in which they are drawn
	Undecoded int     // glyphs that can't be told as letters
	Images    int
	Covered   float64 // share of the page that its largest picture covers, where that is known
	Paths     int     // lines and areas that are painted
	Failed    bool    // a part of the content could not be read
}

// Letters counts the glyphs that have a text other than spaces: those of letters, digits and signs, and odd ones such
// as the pictures and private characters that a wrong table of a font makes of letters.
func (d Drawing) Letters() (told, odd int) {
	for _, g := range d.Glyphs {
		r, size := utf8.DecodeRuneInString(strings.TrimLeftFunc(g.Text, unicode.IsSpace))
		switch {
		case size == 0:
		case unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.Sm, unicode.Sc, unicode.Sk):
			told++
		default:
			odd++
		}
	}
	return told, odd
}

// Suspicious reports whether another engine may get more or better text from the page.
func (d Drawing) Suspicious() bool {
	told, odd := d.Letters()
	return d.Failed || d.Undecoded*20 > len(d.Glyphs) || odd*4 > told
}
