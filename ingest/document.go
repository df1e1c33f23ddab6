package ingest

import (
	"strings"

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
	return &document{Document: corpus.Document{
		ID:                   f.id,
		Collection:           r.Collection,
		Source:               f.source,
		Path:                 f.path,
		URI:                  strings.ToValidUTF8(f.disk, "\uFFFD"),
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
	}}, nil
}

// sampleBytes of a document are looked at for its language, from its beginning, middle and end.
const sampleBytes = 1200

// analyse finds the languages of the document and of its chunks, and the chunks' terms.
func (d *document) analyse() {
	if detected := analyze.Language(d.sample()); detected != "" {
		d.Language = detected
	}
	d.terms = make([][]corpus.Term, len(d.chunks))
	for i := range d.chunks {
		c := &d.chunks[i]
		c.Language = d.Language
		if own := analyze.Language(c.Text); own != "" && len(c.Text) >= minOwnLanguage {
			c.Language = own
		}
		d.terms[i] = analyze.Terms(c.Input(), c.Language)
	}
}

// minOwnLanguage is the length in bytes from which a chunk's own language counts for more than its document's.
const minOwnLanguage = 200

func (d *document) sample() string {
	var b strings.Builder
	for _, i := range []int{0, len(d.chunks) / 2, len(d.chunks) - 1} {
		text := d.chunks[i].Text
		b.WriteString(strings.ToValidUTF8(text[:min(len(text), sampleBytes)], "") + "\n")
	}
	return b.String()
}
