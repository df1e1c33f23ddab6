package verify

import (
	"context"
	"errors"
	"fmt"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest"
)

// toReadAgain is the pipeline fingerprint of documents that an ingest has to read again, though their file has not
// changed.
const toReadAgain = "damaged"

// repair mends what the store can mend, marks what it can't, and ingests where the sources are there.
func (v *verification) repair(ctx context.Context, faults []Fault) error {
	if err := v.store.Recover(ctx, v.Collection); err != nil {
		return err
	}
	if _, err := v.store.Inspect(ctx, v.Collection, true); err != nil {
		return err
	}
	again, marked := false, map[corpus.DocumentID]bool{}
	for _, f := range faults {
		switch f.Kind {
		case Lost, Stale, Outdated:
			again = true
		case Double, Text, Order, Vector, Damaged:
			if f.Document == "" || marked[f.Document] {
				continue
			}
			marked[f.Document] = true
			damaged, err := v.mark(ctx, f.Document)
			if err != nil {
				return fmt.Errorf("repair %s: %w", f.Path, err)
			}
			again = again || damaged
		}
	}
	if !again {
		return nil
	}
	paths, err := v.reachable(ctx)
	if err != nil || len(paths) == 0 {
		return err
	}
	if _, err = v.Ingester.Run(ctx, ingest.Request{Collection: v.Collection, Paths: paths, Globs: v.Globs}, nil); errors.Is(err, corpus.ErrUnsupported) {
		err = nil // a named file of a format that nothing reads
	}
	return err
}

// mark stores a document that is still damaged as one that the next ingest reads again, with what is sound of it. It
// is no change to whoever searches.
func (v *verification) mark(ctx context.Context, id corpus.DocumentID) (damaged bool, err error) {
	c, err := v.store.Collection(ctx, v.Collection)
	if err != nil {
		return false, err
	}
	d, err := v.store.Document(ctx, v.scope(), id)
	if errors.Is(err, corpus.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var left findings
	if err := v.parts(ctx, c, d, &left); err != nil || len(left.faults) == 0 {
		return false, err
	}
	pages, err := v.store.Pages(ctx, v.scope(), id, 1, 0)
	if err != nil {
		return false, err
	}
	chunks, err := v.soundChunks(ctx, c, id)
	if err != nil {
		return false, err
	}
	d.PipelineFingerprint, d.EmbeddingFingerprint = toReadAgain, c.Embedding.Fingerprint()
	d.PageCount, d.ChunkCount = len(pages), len(chunks)
	return true, v.store.Replace(ctx, d, pages, chunks)
}

// soundChunks returns the chunks of a document that have a vector, each once.
func (v *verification) soundChunks(ctx context.Context, c corpus.Collection, id corpus.DocumentID) ([]corpus.EmbeddedChunk, error) {
	chunks, err := v.store.DocumentChunks(ctx, v.scope(), id, 0, -1)
	if err != nil {
		return nil, err
	}
	var sound []corpus.EmbeddedChunk
	ids := map[corpus.ChunkID]bool{}
	for _, k := range chunks {
		if ids[k.ID] || len(sound) > 0 && k.Ordinal <= sound[len(sound)-1].Ordinal {
			continue
		}
		vectors, err := v.store.Vectors(ctx, v.Collection, []string{k.InputHash()})
		if ctx.Err() != nil {
			return nil, err
		}
		if vector := vectors[k.InputHash()]; err == nil && len(vector) == c.Embedding.Dimensions {
			ids[k.ID] = true
			sound = append(sound, corpus.EmbeddedChunk{Chunk: k, Vector: vector, Terms: analyze.Terms(k.Input(), k.Language)})
		}
	}
	return sound, nil
}

// reachable returns the paths that can be ingested.
func (v *verification) reachable(ctx context.Context) ([]string, error) {
	if len(v.Paths) > 0 {
		return v.Paths, nil
	}
	sources, err := v.store.Sources(ctx, v.Collection)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, s := range sources {
		if compared, _ := reachableRoot(s.Root); !compared {
			continue
		}
		present, err := v.presentParts(ctx, s, &findings{})
		if err != nil {
			return nil, err
		}
		paths = append(paths, present...)
	}
	return paths, nil
}
