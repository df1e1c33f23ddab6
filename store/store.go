// Package store is the contract of what keeps documents and finds chunks of them. Backends are store/sqlite
// (one file, embedded) and store/qdrant (a server or a cluster); store/storetest is the suite that each passes.
package store

import (
	"context"

	"grounded/corpus"
)

// Store keeps collections of documents. It is safe for concurrent use, by any number of processes too.
//
// A method that names a collection which does not exist fails with corpus.ErrNotFound, but for Vectors,
// Sources, Quarantined, Recover and Delete, which find nothing.
type Store interface {
	// CreateCollection makes a collection; its name is one that corpus.CheckStoredName allows. If one of that
	// name is there with the same embedding fingerprint, nothing changes; with another it fails with
	// corpus.ErrConflict that names both.
	CreateCollection(ctx context.Context, c corpus.Collection) error
	// Collection returns one with its counts.
	Collection(ctx context.Context, name string) (corpus.Collection, error)
	// Collections returns all, sorted by name, shadows too (corpus.Shadow).
	Collections(ctx context.Context) ([]corpus.Collection, error)
	// DropCollection removes a collection with everything in it.
	DropCollection(ctx context.Context, name string) error

	// Recover finishes what a process that was ended left half done in a collection; ingest calls it at its
	// start. A collection that is not there needs nothing.
	Recover(ctx context.Context, collection string) error
	// Swap exchanges what two collections of different name have: after it, a has what b had, and b what a had
	// (documents, sources, quarantine, embedding). All or nothing to a reader; queries go on throughout. A
	// writer that still has the former embedding of a name fails with corpus.ErrConflict from then on.
	Swap(ctx context.Context, a, b string) error
	// Inspect looks for faults in a collection: chunks or pages without document, documents whose chunks or
	// pages are missing or double, vectors that are missing or of wrong size, an index that disagrees with the
	// truth. With repair it removes what belongs to no document, and completes what can be completed from what
	// is stored; what can't is returned with Repaired false, for ingest to do again.
	Inspect(ctx context.Context, collection string, repair bool) ([]Fault, error)

	// Replace puts a document with its pages and chunks in the place of whatever was there under its id, all
	// or nothing to a reader, and clears its quarantine. Chunks are in order of Ordinal. It fails with
	// corpus.ErrConflict when the document's embedding fingerprint is not the collection's, with
	// corpus.ErrInvalid when a vector has not the collection's dimensions or is not finite.
	Replace(ctx context.Context, doc corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error
	// Delete removes documents and their quarantine entries; ids that are not there are ignored.
	Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error

	// Document returns one of the scope's, or corpus.ErrNotFound.
	Document(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (corpus.Document, error)
	// Documents lists by path, then source. next is the cursor of the next page, empty at the end.
	Documents(ctx context.Context, q DocumentQuery) (docs []corpus.Document, next string, err error)
	// Pages returns a document's pages from the number first to the number last; last 0 means to the end.
	Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error)
	// Chunks returns those of the ids that are in the scope, in the order of the ids.
	Chunks(ctx context.Context, scope corpus.Scope, ids ...corpus.ChunkID) ([]corpus.Chunk, error)
	// DocumentChunks returns a document's chunks with ordinals from first to last, for neighbours; last -1
	// means to the end.
	DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error)
	// Vectors returns the vectors already stored in the collection for these input hashes
	// (corpus.Chunk.InputHash); hashes that are not there are left out.
	Vectors(ctx context.Context, collection string, inputHashes []string) (map[string][]float32, error)

	// Search finds chunks, best first. A query with neither vector nor terms finds nothing.
	Search(ctx context.Context, q Query) ([]Hit, error)

	// PutSource remembers where a source's root is, replacing what was known of that name.
	PutSource(ctx context.Context, s corpus.Source) error
	// Sources returns a collection's, sorted by name.
	Sources(ctx context.Context, collection string) ([]corpus.Source, error)
	// DeleteSource forgets a source; its documents stay.
	DeleteSource(ctx context.Context, collection, name string) error

	// Quarantine remembers that a file could not be read, replacing what was known of that document id. A
	// document already stored under the id stays.
	Quarantine(ctx context.Context, q corpus.Quarantined) error
	// Quarantined returns a collection's, sorted by path, then source.
	Quarantined(ctx context.Context, collection string) ([]corpus.Quarantined, error)

	// Check looks for damage, for doctor: nil when all is well.
	Check(ctx context.Context) error
	Close() error
}

// Fault is something wrong in what is stored.
type Fault struct {
	Document corpus.DocumentID `json:"document_id,omitempty"` // if it is about one
	Path     string            `json:"document,omitempty"`
	Problem  string            `json:"problem"` // a sentence
	Repaired bool              `json:"repaired"`
}

// DocumentQuery selects documents.
type DocumentQuery struct {
	corpus.Scope
	Source string        // only of this source, if not empty
	Prefix string        // only paths that begin with it, if not empty
	Filter corpus.Filter // on fields and metadata
	Limit  int           // at most; 0 means 100
	Cursor string        // from a former call with otherwise the same query
}

// Query asks for chunks like a vector, or with the terms, or both.
type Query struct {
	corpus.Scope
	Vector []float32     // nil for lexical search alone
	Terms  []corpus.Term // nil for dense search alone; Count is the term's weight in the query
	Filter corpus.Filter
	Limit  int // of hits; 0 means 10
	// Candidates of each kind that are looked at before fusion; 0 means 10 × Limit, at least 100.
	Candidates int
	Fusion     Fusion // how both scores become one; not used when there is one only
}

// Methods of fusion.
const (
	FusionRRF   = "rrf"   // reciprocal rank fusion, 1/(60+rank) from each (Cormack et al., SIGIR 2009)
	FusionBlend = "blend" // weighted sum of min-max normalised scores
)

// Fusion says how the dense and the lexical score become one. The zero value is what measured best with the backend:
// a blend with weight .7 in store/sqlite, and in store/qdrant the sum of both scores, each normalised by its
// distribution (DBSF); with a weight it fuses ranks.
type Fusion struct {
	Method      string  // empty for the backend's
	DenseWeight float64 // 0 to 1; 0 for the backend's: .7 in store/sqlite, equal weights in store/qdrant
}

// MeanLength is that of chunks, in terms, which BM25 takes where a backend doesn't know the collection's.
const MeanLength = 80

// Hit is a chunk that was found, with the parts of its document that a passage shows.
type Hit struct {
	Chunk   corpus.Chunk
	Path    string
	Title   string
	Score   float64
	Dense   *float64 // cosine similarity; nil if there was no vector in the query, or the store is a Scorer
	Lexical *float64 // BM25; nil if there were no terms, or the store is a Scorer
}

// Scorer is a Store whose hybrid search tells no scores but the fused one, since that costs more: they are had for
// those hits that matter.
type Scorer interface {
	// Score returns what the query's vector and terms say of chunks; those that are not in its scope are left out.
	Score(ctx context.Context, q Query, ids ...corpus.ChunkID) (map[corpus.ChunkID]Scores, error)
}

// Scores of a chunk: nil where the query asks for none.
type Scores struct {
	Dense   *float64
	Lexical *float64
}
