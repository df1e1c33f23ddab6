package ingest

import (
	"maps"
	"strings"
	"sync"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/parse"
)

// document is one on its way to the store.
type document struct {
	corpus.Document
	outcome  string
	warnings []string
	pages    []corpus.Page
	chunks   []corpus.Chunk
	terms    [][]corpus.Term // of each chunk
	stored   *sync.WaitGroup // of the container that waits for it; may be nil
}

// document describes what was parsed. It fails when the metadata is not to be trusted with who may see it.
func (r *run) document(f file, read reading, parsed parse.Document) (*document, error) {
	m, err := mergeMetadata(parsed.Metadata, read.sidecar.values)
	if err != nil {
		return nil, err
	}
	title := parsed.Title
	if m.title != "" {
		title = m.title
	}
	language := m.language
	if language == "" {
		language = parsed.Language
	}
	maps.Copy(m.rest, f.origin())
	d := &document{Document: corpus.Document{
		ID:                   f.id,
		Collection:           r.Collection,
		Source:               f.source,
		Path:                 f.path,
		URI:                  strings.ToValidUTF8(f.uri, "\uFFFD"),
		Title:                title,
		MediaType:            parsed.MediaType,
		Language:             language,
		Metadata:             m.rest,
		Groups:               m.groups,
		Bytes:                read.size,
		ContentHash:          read.contentHash,
		PipelineFingerprint:  r.PipelineFingerprint(parsed.MediaType),
		EmbeddingFingerprint: r.embedding.Fingerprint(),
		ModifiedAt:           read.modified,
	}}
	if f.part != nil {
		d.stored = &f.part.stored
	}
	return d, nil
}

// wait has the document's container wait for it until the function that is returned is called.
func (d *document) wait() (leave func()) {
	if d.stored == nil {
		return func() {}
	}
	d.stored.Add(1)
	return d.stored.Done
}

// analyse finds the languages of the document and of its chunks, and the chunks' terms.
func (d *document) analyse() {
	d.findLanguages()
	d.terms = make([][]corpus.Term, len(d.chunks))
	for i, c := range d.chunks {
		d.terms[i] = analyze.Terms(c.Input(), c.Language)
	}
}

const (
	// languageBytes of successive chunks are told a language together: less is told wrong too often.
	languageBytes = 1500
	// minShare of a document's text is in each of its languages; what seems to be in another was told wrong.
	minShare = .05
)

// findLanguages tells runs of chunks their language, and the document that of most of its text. What can't be
// told is in the document's language: if none of it can, the one it says itself.
func (d *document) findLanguages() {
	bytes := map[string]int{}
	total := 0
	for from := 0; from < len(d.chunks); {
		to, text := from+1, d.chunks[from].Text
		for to < len(d.chunks) && len(text) < languageBytes && isLatin(d.chunks[to].Text) == isLatin(text) {
			text += "\n" + d.chunks[to].Text
			to++
		}
		language := analyze.Language(text)
		for i := from; i < to; i++ {
			d.chunks[i].Language = language
		}
		bytes[language] += len(text)
		total += len(text)
		from = to
	}
	delete(bytes, "")
	most := 0
	for language, n := range bytes {
		if n > most || n == most && language < d.Language {
			d.Language, most = language, n
		}
	}
	for i := range d.chunks {
		c := &d.chunks[i]
		if float64(bytes[c.Language]) < minShare*float64(total) || c.Language == "" {
			c.Language = d.Language
		}
	}
}

// isLatin reports whether most letters of the text are Latin.
func isLatin(text string) bool {
	latin, other := 0, 0
	for _, r := range text {
		switch {
		case r < 'A':
		case r < 0x250:
			latin++
		default:
			other++
		}
	}
	return latin >= other
}
