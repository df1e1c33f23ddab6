package corpus

import "time"

// DocumentID identifies a document for good: it is derived from the collection, the source and the path in
// it, so the same file ingested again, even from a source that was mounted elsewhere, is the same document.
type DocumentID string

// NewDocumentID returns the id of the document at path (slash-separated, relative to the source's root) of a
// source in a collection: a UUIDv5.
func NewDocumentID(collection, source, path string) DocumentID {
	return DocumentID(UUID("document", collection, source, path))
}

// Document is one file, page or upload, as the store's manifest knows it. Its text is in its pages.
type Document struct {
	ID         DocumentID     `json:"id"`
	Collection string         `json:"collection"`
	Source     string         `json:"source"` // name of the root that it came from
	Path       string         `json:"document"`
	URI        string         `json:"uri"` // where it was read from, for people
	Title      string         `json:"title"`
	MediaType  string         `json:"media_type"`
	Language   string         `json:"language"` // ISO 639-1 code of most of its text; empty when not known
	Metadata   map[string]any `json:"metadata,omitempty"`
	// Groups that may see the document; none means everyone who may read the collection.
	Groups []string `json:"groups,omitempty"`

	Bytes       int64  `json:"bytes"`        // size of the file
	ContentHash string `json:"content_hash"` // hex SHA-256 of the file and of the metadata file beside it
	// PipelineFingerprint says how it was parsed, chunked and analysed.
	PipelineFingerprint string `json:"pipeline_fingerprint"`
	// EmbeddingFingerprint says what makes its vectors comparable. It equals its collection's.
	EmbeddingFingerprint string `json:"embedding_fingerprint"`

	PageCount  int       `json:"pages"`
	ChunkCount int       `json:"chunks"`
	ModifiedAt time.Time `json:"modified_at"` // of the file
	IngestedAt time.Time `json:"ingested_at"`
}

// Page is numbered text of a document. Formats without pages use their own unit, such as a slide, a sheet,
// or the whole text.
type Page struct {
	Number int    `json:"page"`            // from 1
	Label  string `json:"label,omitempty"` // what the document itself calls it: "iv", a sheet's name
	Text   string `json:"text"`            // normalised text; never contains U+FFFD put in by us
}

// Quarantined is a file that could not be read, and why. A later run tries it again when the file or the
// pipeline has changed.
type Quarantined struct {
	Collection          string     `json:"collection"`
	DocumentID          DocumentID `json:"document_id"`
	Source              string     `json:"source"`
	Path                string     `json:"document"`
	Reason              string     `json:"reason"` // a sentence for people: what is wrong and what would help
	Code                string     `json:"code"`   // stable word for programs: encrypted, damaged, empty, no-text, ...
	ContentHash         string     `json:"content_hash"`
	PipelineFingerprint string     `json:"pipeline_fingerprint"`
	At                  time.Time  `json:"at"`
}

// Source is a named root that documents came from.
type Source struct {
	Collection string    `json:"collection"`
	Name       string    `json:"name"`
	Root       string    `json:"root"`            // absolute path or URL when it was last ingested
	Paths      []string  `json:"paths,omitempty"` // parts of the root that were ever ingested, none inside another; none is all of it
	UsedAt     time.Time `json:"used_at"`
}
