package corpus

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// ChunkID identifies a chunk: a UUIDv5 of its document, its text and its occurrence among the chunks of equal
// text in that document, so that an edit moves the id of no other chunk.
type ChunkID string

// NewChunkID returns the id of the occurrence-th chunk (from 0) with this text in the document.
func NewChunkID(document DocumentID, text string, occurrence int) ChunkID {
	return ChunkID(UUID("chunk", string(document), text, strconv.Itoa(occurrence)))
}

// Chunk is a span of a document that is embedded and found as a whole.
//
// On one page, Text is the page's text from Start to End. Over several pages Start counts in the text of
// PageStart, End in the text of PageEnd, and Text is the rest of the first page, any whole pages between and
// the beginning of the last, joined by "\n".
type Chunk struct {
	ID         ChunkID    `json:"id"`
	DocumentID DocumentID `json:"document_id"`
	Ordinal    int        `json:"ordinal"`    // place in the document, from 0
	PageStart  int        `json:"page_start"` // page numbers from 1
	PageEnd    int        `json:"page_end"`
	Start      int        `json:"start"` // in Unicode code points
	End        int        `json:"end"`
	Heading    []string   `json:"heading"` // path of headings above it, outermost first
	Text       string     `json:"text"`
	Tokens     int        `json:"tokens"`   // length of Input in the embedder's tokens
	Language   string     `json:"language"` // ISO 639-1 code whose rules made its terms
	// Context is what stands in front of Text when it is embedded and analysed (title, headings). It is
	// never shown or cited.
	Context string `json:"-"`
}

// Input is the text that is embedded for the chunk: its context, a line break, its text.
func (c Chunk) Input() string {
	if c.Context == "" {
		return c.Text
	}
	return c.Context + "\n" + c.Text
}

// InputHash is the hex SHA-256 of Input: chunks of equal hash have equal vectors under one embedding fingerprint.
func (c Chunk) InputHash() string {
	sum := sha256.Sum256([]byte(c.Input()))
	return hex.EncodeToString(sum[:])
}

// columnMark is between the cells of a row as text.
const columnMark = " | "

// TableHeader is the row that names the columns of the table that Text goes on with, of which it has not the header
// itself; empty if there is none.
func (c Chunk) TableHeader() string {
	last := c.Context[strings.LastIndexByte(c.Context, '\n')+1:]
	first, _, _ := strings.Cut(c.Text, "\n")
	if !strings.Contains(last, columnMark) || !strings.Contains(first, columnMark) {
		return ""
	}
	return last
}

// HeadingPath is the headings joined for people: "Travel > Meals".
func (c Chunk) HeadingPath() string { return strings.Join(c.Heading, " > ") }

// Term is a unit of lexical search with how often it occurs in a text, or its weight in a query.
type Term struct {
	Text  string
	Count float32
}

// EmbeddedChunk is a chunk ready to be stored: with its vector and its terms.
type EmbeddedChunk struct {
	Chunk
	Vector []float32 // the collection's dimensions, of unit length
	Terms  []Term    // distinct, from package analyze, over Input
}
