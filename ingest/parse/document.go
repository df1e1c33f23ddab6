package parse

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Document is what a parser made of a file.
type Document struct {
	MediaType string         `json:"media_type"` // of the content, not of the file's name
	Title     string         `json:"title"`      // never empty: see chooseTitle
	Language  string         `json:"language,omitempty"`
	Metadata  map[string]any `json:"metadata,omitempty"` // strings, numbers, booleans, lists and maps of them; dates as ISO 8601
	Pages     []Page         `json:"pages"`
	// Separate says that each page is a text by itself, such as a slide or a sheet: no chunk runs over its end.
	Separate bool `json:"separate,omitempty"`
	// Recording says that the document is sound, and has no pages until somebody has listened to it.
	Recording bool `json:"recording,omitempty"`

	// Archive says that the document is nothing but its parts: the text is a list of their names.
	Archive  bool     `json:"archive,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // sentences about what was lost

	// Folder has the files of Parts and Scans, if there are any. Whoever gave Input.Scratch removes it.
	Folder string `json:"folder,omitempty"`
	Parts  []Part `json:"parts,omitempty"`
	Scans  []Scan `json:"scans,omitempty"`
}

// Part is a document inside of this one: a member of an archive, an attachment.
type Part struct {
	Path     string    `json:"path"`           // in the document, slash-separated; safe to be joined to a path
	File     string    `json:"file,omitempty"` // base name in Folder; empty with an Error
	Size     int64     `json:"size,omitempty"` // in bytes
	Modified time.Time `json:"modified,omitzero"`
	Error    *Error    `json:"error,omitempty"` // why it could not be taken out of the document
	// Rest says that it stands for all that comes after the parts before it, and could not be read.
	Rest bool `json:"rest,omitempty"`
}

// Scan is a page with a picture that only a model that sees can read.
type Scan struct {
	Page      int    `json:"page"`       // number of the page; it is in Pages, with the text that it has besides
	File      string `json:"file"`       // base name in Folder
	MediaType string `json:"media_type"` // image/png or image/jpeg
}

// Page is a numbered page, its blocks in reading order. A format without pages gives one page with the whole
// text, split at block boundaries when it is very long.
type Page struct {
	Number int     `json:"page"`            // from 1
	Label  string  `json:"label,omitempty"` // what the document itself calls it, where that is not its number
	Blocks []Block `json:"blocks"`
}

// Kind says what a block is.
type Kind string

// The kinds of block.
const (
	Heading     Kind = "heading"
	Paragraph   Kind = "paragraph"
	ListItem    Kind = "list-item"
	TableRow    Kind = "table-row"    // cells joined by " | "
	TableHeader Kind = "table-header" // the row that names the columns, cells joined by " | "
	Code        Kind = "code"
	Quote       Kind = "quote"
)

// Block is a piece of text that belongs together. Its text is not empty, has no white space at its ends and
// contains line breaks only in code and where the author broke the line.
type Block struct {
	Kind  Kind   `json:"kind"`
	Level int    `json:"level,omitempty"` // 1 to 6 of a heading; nesting of a list item, from 1; else 0
	Text  string `json:"text"`
}

// Span is a block's place in the text of its page, in Unicode code points.
type Span struct {
	Start, End int
}

// Assemble returns the page's text and the span of each of its blocks in it: blocks are separated by an empty
// line, but list items and table rows that follow one another by a line break. List items are preceded by a
// dash, which is in their span.
func (p Page) Assemble() (text string, spans []Span) {
	var b strings.Builder
	at := 0
	write := func(s string) {
		b.WriteString(s)
		at += utf8.RuneCountInString(s)
	}
	spans = make([]Span, len(p.Blocks))
	for i, block := range p.Blocks {
		if i > 0 {
			write(separator(p.Blocks[i-1].Kind, block.Kind))
		}
		spans[i].Start = at
		if block.Kind == ListItem {
			write(strings.Repeat("  ", max(0, block.Level-1)) + "- ")
		}
		write(block.Text)
		spans[i].End = at
	}
	return b.String(), spans
}

func separator(before, after Kind) string {
	table := func(k Kind) bool { return k == TableRow || k == TableHeader }
	if before == ListItem && after == ListItem || table(before) && table(after) {
		return "\n"
	}
	return "\n\n"
}
