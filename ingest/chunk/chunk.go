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
const Version = "3"

// Document is what is split.
type Document struct {
	ID    corpus.DocumentID
	Title string
	Pages []parse.Page
	// Separate pages are texts by themselves: no chunk runs over the end of one.
	Separate bool
}

// Config says how long chunks are. All lengths are in the tokens of Count.
type Config struct {
	// TargetTokens is the length that a chunk's text is filled up to; 0 means 176.
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
		c.TargetTokens = 176
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
	s := splitter{Config: c, document: d, seen: map[string]int{}}
	if !d.Separate {
		s.split(d.Pages)
		return s.pages, s.chunks
	}
	for i := range d.Pages {
		s.split(d.Pages[i : i+1])
	}
	return s.pages, s.chunks
}

// splitter collects what a document is cut into.
type splitter struct {
	Config
	document Document
	pages    []corpus.Page
	chunks   []corpus.Chunk
	seen     map[string]int // how often a chunk's text was there before
}

// split cuts pages whose text is one.
func (s *splitter) split(pages []parse.Page) {
	text := newText(pages)
	p := packer{Config: s.Config, text: text.all, title: s.document.Title}
	p.pack(outline(text.all, text.blocks, s.Config), nil)
	for _, span := range p.spans {
		of := text.all[span.start:span.end]
		first, last := text.place(span.start), text.place(span.end-1)
		s.chunks = append(s.chunks, corpus.Chunk{
			ID:         corpus.NewChunkID(s.document.ID, of, s.seen[of]),
			DocumentID: s.document.ID,
			Ordinal:    len(s.chunks),
			PageStart:  first.number,
			PageEnd:    last.number,
			Start:      text.runes(first, span.start),
			End:        text.runes(last, span.end),
			Heading:    span.path,
			Text:       of,
			Tokens:     span.tokens,
			Context:    span.context,
		})
		s.seen[of]++
	}
	s.pages = append(s.pages, text.pages...)
}
