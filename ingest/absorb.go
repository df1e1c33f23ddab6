package ingest

import (
	"context"
	"errors"
	"fmt"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/store"
)

// absorb makes the documents of a source that has become part of a wider one documents of that one, as they
// are stored: nothing is parsed or embedded. Each is in the wider source before it leaves the narrower, so that
// what was begun can be ended by another run.
func (r *run) absorb(ctx context.Context, a absorption) error {
	for {
		docs, _, err := r.Store.Documents(ctx, store.DocumentQuery{Scope: r.scope(), Source: a.from.Name})
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			break
		}
		for _, d := range docs {
			if err := r.adopt(ctx, d, a); err != nil {
				return fmt.Errorf("%s: %w", d.Path, err)
			}
		}
	}
	quarantined, err := r.Store.Quarantined(ctx, r.Collection)
	if err != nil {
		return err
	}
	for _, q := range quarantined {
		if q.Source != a.from.Name {
			continue
		}
		if err := r.Store.Quarantine(ctx, a.moved(q)); err != nil {
			return err
		}
		if err := r.Store.Delete(ctx, r.Collection, q.DocumentID); err != nil {
			return err
		}
	}
	return r.Store.DeleteSource(ctx, r.Collection, a.from.Name)
}

// moved is an entry of the narrower source as one of the wider.
func (a absorption) moved(q corpus.Quarantined) corpus.Quarantined {
	q.Source, q.Path = a.into.Name, a.prefix+"/"+q.Path
	q.DocumentID = corpus.NewDocumentID(q.Collection, q.Source, q.Path)
	return q
}

// adopt moves one document, unless it has its new place already.
func (r *run) adopt(ctx context.Context, d corpus.Document, a absorption) error {
	old := d.ID
	d.Source, d.Path = a.into.Name, a.prefix+"/"+d.Path
	d.ID = corpus.NewDocumentID(r.Collection, d.Source, d.Path)
	_, err := r.Store.Document(ctx, r.scope(), d.ID)
	if errors.Is(err, corpus.ErrNotFound) {
		err = r.copyDocument(ctx, old, d)
	}
	if err != nil {
		return err
	}
	return r.Store.Delete(ctx, r.Collection, old)
}

// copyDocument stores the text, vectors and terms of the document old as those of d.
func (r *run) copyDocument(ctx context.Context, old corpus.DocumentID, d corpus.Document) error {
	pages, err := r.Store.Pages(ctx, r.scope(), old, 1, 0)
	if err != nil {
		return err
	}
	chunks, err := r.Store.DocumentChunks(ctx, r.scope(), old, 0, -1)
	if err != nil {
		return err
	}
	hashes := make([]string, len(chunks))
	for i, c := range chunks {
		hashes[i] = c.InputHash()
	}
	vectors, err := r.Store.Vectors(ctx, r.Collection, hashes)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	embedded := make([]corpus.EmbeddedChunk, len(chunks))
	for i, c := range chunks {
		c.DocumentID, c.ID = d.ID, corpus.NewChunkID(d.ID, c.Text, seen[c.Text])
		seen[c.Text]++
		embedded[i] = corpus.EmbeddedChunk{Chunk: c, Vector: vectors[hashes[i]], Terms: analyze.Terms(c.Input(), c.Language)}
		if embedded[i].Vector == nil {
			return corpus.Errorf(corpus.ErrCorrupt, "chunk %d has no vector", i)
		}
	}
	return r.Store.Replace(ctx, d, pages, embedded)
}
