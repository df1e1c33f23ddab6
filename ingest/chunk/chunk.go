// Package chunk cuts a parsed document into the spans that are embedded and found. In goes the text of the
// pages with the blocks they are made of; out come chunks of bounded length that begin and end where the text
// does: at headings, else between paragraphs, rows and sentences, and only inside a sentence that is too long
// by itself.
package chunk

import (
	"unicode/utf8"

	"grounded/corpus"
	"grounded/ingest/parse"
)

// Version names the rules of this package, for a document's pipeline fingerprint.
const Version = "1"

// Document is what is split.
type Document struct {
	ID    corpus.DocumentID
	Title string
	Pages []parse.Page
}

// Config says how long chunks are. All lengths are in the tokens of Count.
type Config struct {
	// TargetTokens is the length that a chunk's text is filled up to; 0 means 128.
	TargetTokens int
	// MaxTokens is never exceeded by a chunk's input (context and text); 0 means 512. The only exception is a
	// single character that has more tokens than that.
	MaxTokens int
	// OverlapTokens bounds the whole sentences that a chunk repeats from the one before it in the same
	// section; 0 means none.
	OverlapTokens int
	// Count gives a text's length in the embedder's tokens; nil counts one for every three bytes.
	Count func(string) int
}

// WithDefaults returns the configuration with its zero values replaced and its lengths within each other.
func (c Config) WithDefaults() Config {
	if c.TargetTokens <= 0 {
		c.TargetTokens = 128
	}
	if c.MaxTokens <= 0 {
		c.MaxTokens = 512
	}
	c.TargetTokens = min(c.TargetTokens, c.MaxTokens)
	c.OverlapTokens = min(max(c.OverlapTokens, 0), c.TargetTokens/2)
	if c.Count == nil {
		c.Count = func(s string) int { return (len(s) + 2) / 3 }
	}
	return c
}

// Split assembles a document's pages and cuts them. Chunks come in reading order, each on one page, its text
// exactly the page's from Start to End; every character of a page that is not white space is in at least one.
// Language is left empty.
//
// A short section is joined with those before it under the same parent heading while they fill less than half
// of a chunk; the heading path of such a chunk is the parent's. A piece of a table without its header row carries the row in
// its context.
func Split(d Document, c Config) ([]corpus.Page, []corpus.Chunk) {
	c = c.WithDefaults()
	var (
		pages  []corpus.Page
		chunks []corpus.Chunk
		path   []heading
		seen   = map[string]int{}
	)
	for _, parsed := range d.Pages {
		text, spans := parsed.Assemble()
		pages = append(pages, corpus.Page{Number: parsed.Number, Label: parsed.Label, Text: text})
		root, runsOn := outline(text, blocks(text, parsed.Blocks, spans), path, c)
		path = runsOn
		p := packer{Config: c, text: text, title: d.Title}
		p.pack(root, nil)

		at, start := 0, 0 // a byte offset and how many code points stand before it
		for _, s := range p.spans {
			text := text[s.start:s.end]
			start += utf8.RuneCountInString(p.text[at:s.start])
			at = s.start
			chunks = append(chunks, corpus.Chunk{
				ID:         corpus.NewChunkID(d.ID, text, seen[text]),
				DocumentID: d.ID,
				Ordinal:    len(chunks),
				PageStart:  parsed.Number,
				PageEnd:    parsed.Number,
				Start:      start,
				End:        start + utf8.RuneCountInString(text),
				Heading:    s.path,
				Text:       text,
				Tokens:     s.tokens,
				Context:    s.context,
			})
			seen[text]++
		}
	}
	return pages, chunks
}
