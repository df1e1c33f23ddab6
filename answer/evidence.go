package answer

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"grounded/analyze"
	"grounded/corpus"
)

// Pages reads the stored text that citations are checked against; a store.Store does.
type Pages interface {
	Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error)
}

// evidence is a passage cut into sentences.
type evidence struct {
	passage   corpus.Passage
	sentences []sentence
	windows   []window
	labels    map[int]string // of its pages that have one
	context   content        // of title and headings, which say what the text is about
	// foreign: it is in another language than the answer, so that their words can't be compared.
	foreign bool
}

// sentence is a piece of a stored page, or of a passage's text that is not found in the store (page 0).
type sentence struct {
	page       int
	text       string // of the page, or of the passage
	start, end int    // bytes in text
	content    content
}

// gather reads the stored pages of the passages and cuts out what each passage covers. A passage whose
// document is gone, or has changed since, is cut from its own text and can be matched but not verified.
func gather(ctx context.Context, pages Pages, scope corpus.Scope, passages []corpus.Passage, language string) ([]evidence, error) {
	all := make([]evidence, len(passages))
	for i, p := range passages {
		all[i] = evidence{passage: p, foreign: foreign(p, language), context: contentOf(string(p.Title)+"\n"+string(p.Heading), language)}
		stored, err := pages.Pages(ctx, scope, p.DocumentID, p.PageStart, max(p.PageEnd, p.PageStart))
		if err != nil && !errors.Is(err, corpus.ErrNotFound) {
			return nil, err
		}
		all[i].labels = labelsOf(stored)
		parts := locate(p, stored)
		if parts == nil {
			parts = []sentence{{text: p.Text, end: len(p.Text)}}
		}
		for _, part := range parts {
			for _, span := range analyze.Sentences(part.text[part.start:part.end]) {
				s := part
				s.start, s.end = part.start+span.Start, part.start+span.End
				s.content = contentOf(s.text[s.start:s.end], language)
				all[i].sentences = append(all[i].sentences, s)
			}
		}
		all[i].windows = windowsOf(all[i].sentences)
	}
	return all, nil
}

func labelsOf(pages []corpus.Page) map[int]string {
	labels := map[int]string{}
	for _, p := range pages {
		if p.Label != "" {
			labels[p.Number] = p.Label
		}
	}
	return labels
}

func foreign(p corpus.Passage, language string) bool {
	own := p.Chunk.Language
	if own == "" {
		own = analyze.Language(p.Text)
	}
	return own != "" && language != "" && own != language
}

// locate returns what the passage covers of each stored page, as one long sentence a page; nil when the stored
// text is not the passage's.
func locate(p corpus.Passage, stored []corpus.Page) []sentence {
	if len(stored) == 0 || p.Text == "" {
		return nil
	}
	if parts := byOffsets(p.Chunk, stored); parts != nil {
		var texts []string
		for _, part := range parts {
			texts = append(texts, part.text[part.start:part.end])
		}
		if strings.Join(texts, "\n") == p.Text {
			return parts
		}
	}
	// A passage that came without its chunk, or that was joined with its neighbours.
	for _, page := range stored {
		if at := strings.Index(page.Text, p.Text); at >= 0 {
			return []sentence{{page: page.Number, text: page.Text, start: at, end: at + len(p.Text)}}
		}
	}
	var texts []string
	for _, page := range stored {
		texts = append(texts, page.Text)
	}
	at := strings.Index(strings.Join(texts, "\n"), p.Text)
	if at < 0 {
		return nil
	}
	var parts []sentence
	from, to := at, at+len(p.Text)
	for _, page := range stored {
		if start, end := max(from, 0), min(to, len(page.Text)); start < end {
			parts = append(parts, sentence{page: page.Number, text: page.Text, start: start, end: end})
		}
		from, to = from-len(page.Text)-1, to-len(page.Text)-1
	}
	return parts
}

func byOffsets(c corpus.Chunk, stored []corpus.Page) []sentence {
	if c.ID == "" {
		return nil
	}
	var parts []sentence
	for _, page := range stored {
		if page.Number < c.PageStart || page.Number > c.PageEnd {
			continue
		}
		part := sentence{page: page.Number, text: page.Text, end: len(page.Text)}
		if page.Number == c.PageStart {
			part.start = byteOffset(page.Text, c.Start)
		}
		if page.Number == c.PageEnd {
			part.end = byteOffset(page.Text, c.End)
		}
		if part.start > part.end {
			return nil
		}
		parts = append(parts, part)
	}
	return parts
}

// byteOffset turns an offset in code points into one in bytes; beyond the end it is the end.
func byteOffset(s string, runes int) int {
	for at := range s {
		if runes == 0 {
			return at
		}
		runes--
	}
	return len(s)
}

// window is a run of sentences of one page that may support a claim.
type window struct {
	page       int
	text       string // the whole page
	start, end int    // bytes in it
	content    content
	sentences  []sentence
}

func (w window) quote() string { return w.text[w.start:w.end] }

// runes returns where the quote is in its page, in code points.
func (w window) runes() (start, end int) {
	start = utf8.RuneCountInString(w.text[:w.start])
	return start, start + utf8.RuneCountInString(w.quote())
}

// longestQuote is how many sentences in a row are taken together.
const longestQuote = 3

// windowsOf lists the runs of up to longestQuote sentences on a page, the short ones first.
func windowsOf(sentences []sentence) []window {
	var list []window
	for length := 1; length <= longestQuote; length++ {
		for i := 0; i+length <= len(sentences); i++ {
			run := sentences[i : i+length]
			first, last := run[0], run[length-1]
			if first.page != last.page {
				continue
			}
			w := window{page: first.page, text: first.text, start: first.start, end: last.end, sentences: run, content: first.content}
			for _, s := range run[1:] {
				w.content = w.content.with(s.content)
			}
			list = append(list, w)
		}
	}
	return list
}
