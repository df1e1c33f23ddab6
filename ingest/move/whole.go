package move

import (
	"context"

	"grounded/corpus"
)

// whole is a document with all that is stored of it.
type whole struct {
	doc    corpus.Document
	pages  []corpus.Page
	chunks []corpus.Chunk
}

// whole reads one version of a document, though it may be replaced meanwhile; false if it is not there.
func (s side) whole(ctx context.Context, id corpus.DocumentID) (w whole, isThere bool, err error) {
	doc, isThere, err := s.find(ctx, id)
	for err == nil && isThere {
		w = whole{doc: doc}
		if w.pages, err = s.Pages(ctx, s.scope(), id, 1, 0); err != nil {
			break
		}
		if w.chunks, err = s.DocumentChunks(ctx, s.scope(), id, 0, -1); err != nil {
			break
		}
		if doc, isThere, err = s.find(ctx, id); err != nil || !isThere || !same(doc, w.doc) {
			continue
		}
		if len(w.pages) != doc.PageCount || len(w.chunks) != doc.ChunkCount {
			err = damaged(corpus.Errorf(corpus.ErrCorrupt, "it has %d of %d pages and %d of %d chunks",
				len(w.pages), doc.PageCount, len(w.chunks), doc.ChunkCount))
		}
		return w, true, err
	}
	if err != nil { // it may have gone between two reads
		if _, still, findErr := s.find(ctx, id); findErr == nil && !still {
			return whole{}, false, nil
		}
	}
	return whole{}, isThere, err
}

// vectorsOf returns the stored vectors of chunks by input hash.
func (s side) vectorsOf(ctx context.Context, chunks []corpus.Chunk) (map[string][]float32, error) {
	hashes := make([]string, len(chunks))
	for i, c := range chunks {
		hashes[i] = c.InputHash()
	}
	return s.Vectors(ctx, s.collection, hashes)
}
