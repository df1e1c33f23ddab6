// Package chunk cuts a parsed document into the spans that are embedded and found. In goes the text of the
// pages with the blocks they are made of; out come chunks of bounded length that begin and end where the text
// does: at headings, else between paragraphs, rows and sentences, and only inside a sentence that is too long
// by itself.
package chunk

import (
	"grounded/corpus"
	"grounded/ingest/parse"
)

// Version names the rules of this package, for a document's pipeline fingerprint.
const Version = "2"

// Document is what is split.
type Document struct {
	ID    corpus.DocumentID
	Title string
	Pages []parse.Page
}

// Config says how long chunks are. All lengths are in the tokens of Count.
type Config struct {
	// TargetTokens is the length that a chunk's text is filled up to; 0 means 224.
	TargetTokens int
	// MaxTokens is never exceeded by a chunk's input (context and text); 0 means 512. The only exception is a
	// single character that has more tokens than that.
	MaxTokens int
	// OverlapTokens bounds the whole sentences that a chunk repeats from the one before it in the same
	// section; 0 means a seventh of TargetTokens, less than 0 none.
	OverlapTokens int
	// Count gives a text's length in the embedder's tokens; nil counts one for every three bytes.
	Count func(string) int
}

// WithDefaults returns the configuration with its zero values replaced and its lengths within each other.
func (c Config) WithDefaults() Config {
	if c.TargetTokens <= 0 {
		c.TargetTokens = 224
	}
	if c.MaxTokens <= 0 {
		c.MaxTokens = 512
	}
	c.TargetTokens = min(c.TargetTokens, c.MaxTokens)
	if c.OverlapTokens == 0 {
		c.OverlapTokens = c.TargetTokens / 7
	}
	c.OverlapTokens = min(c.OverlapTokens, c.TargetTokens/2)
	if c.Count == nil {
		c.Count = func(s string) int { return (len(s) + 2) / 3 }
	}
	return c
}

// Split assembles a document's pages and cuts them. Chunks come in reading order and may run over the end of a
// page: a heading at its foot stays with what stands under it. See corpus.Chunk for what Start and End mean then.
// Every character of a page that is not white space is in at least one chunk. Language is left empty.
//
// A short section is joined with those before it under the same parent heading while they fill less than half
// of a chunk; the heading path of such a chunk is the parent's. A piece of a table without its header row carries
// the row in its context.
func Split(d Document, c Config) ([]corpus.Page, []corpus.Chunk) {
	c = c.WithDefaults()
	text := newText(d.Pages)
	p := packer{Config: c, text: text.all, title: d.Title}
	p.pack(outline(text.all, text.blocks, c), nil)

	chunks := make([]corpus.Chunk, len(p.spans))
	seen := map[string]int{}
	for i, s := range p.spans {
		of := text.all[s.start:s.end]
		first, last := text.place(s.start), text.place(s.end-1)
		chunks[i] = corpus.Chunk{
			ID:         corpus.NewChunkID(d.ID, of, seen[of]),
			DocumentID: d.ID,
			Ordinal:    i,
			PageStart:  first.number,
			PageEnd:    last.number,
			Start:      text.runes(first, s.start),
			End:        text.runes(last, s.end),
			Heading:    s.path,
			Text:       of,
			Tokens:     s.tokens,
			Context:    s.context,
		}
		seen[of]++
	}
	return text.pages, chunks
}
