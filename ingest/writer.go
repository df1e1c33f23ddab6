package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"grounded/corpus"
	"grounded/ingest/embed"
)

const (
	// maxWaiting bounds the chunks of documents that wait for vectors or for the store; one document may have
	// more.
	maxWaiting = 4096
	// maxDocuments bounds the number of those documents.
	maxDocuments = 256
	// drain is how long a document whose vectors are there may take to be written when the run has ended.
	drain = 30 * time.Second
)

// writer gets documents their vectors and puts them into the store, many at once.
type writer struct {
	*run
	vectors *embed.Vectors
	fail    context.CancelCauseFunc
	chunks  *semaphore.Weighted
	slots   chan struct{}
	pending sync.WaitGroup
}

func newWriter(r *run, fail context.CancelCauseFunc) *writer {
	return &writer{
		run: r, fail: fail, chunks: semaphore.NewWeighted(maxWaiting), slots: make(chan struct{}, maxDocuments),
		vectors: embed.New(embed.Config{
			Store: r.Store, Collection: r.Collection, Embedder: r.Embedder, BatchTexts: r.BatchTexts, Requests: r.Requests,
		}),
	}
}

// write takes a document, waiting while too much is under way. What becomes of it is reported, or ends the run.
func (w *writer) write(ctx context.Context, d *document) error {
	weight := int64(min(len(d.chunks), maxWaiting))
	if err := w.chunks.Acquire(ctx, weight); err != nil {
		return err
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		w.chunks.Release(weight)
		return ctx.Err()
	}
	leave := d.wait()
	w.pending.Go(func() {
		defer leave()
		defer func() { <-w.slots; w.chunks.Release(weight) }()
		if err := w.finish(ctx, d); err != nil {
			w.fail(err)
		}
	})
	return nil
}

// writeAfter writes a document when its parts are stored, and deletes those that it has no more. If one could not be
// stored, neither is it.
func (w *writer) writeAfter(ctx context.Context, c *container, there map[string]bool, d *document) {
	leave := d.wait()
	w.pending.Go(func() {
		defer leave()
		c.stored.Wait()
		if ctx.Err() != nil {
			return
		}
		left, err := w.deleteGoneParts(ctx, c.file, there)
		if err == nil {
			d.Metadata[metaParts] = float64(left)
			err = w.write(ctx, d)
		}
		if err != nil {
			w.fail(err)
		}
	})
}

func (w *writer) wait() { w.pending.Wait() }

// finish embeds and stores a document.
func (w *writer) finish(ctx context.Context, d *document) error {
	lease, err := w.vectors.Get(ctx, d.chunks)
	if err != nil {
		return err
	}
	defer w.vectors.Release(lease)
	chunks := make([]corpus.EmbeddedChunk, len(d.chunks))
	for i, c := range d.chunks {
		chunks[i] = corpus.EmbeddedChunk{Chunk: c, Vector: lease.Vectors[c.InputHash()], Terms: d.terms[i]}
	}
	d.IngestedAt = time.Now().UTC()
	// What is embedded is paid for: it is written even if the run has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := w.Store.Replace(ctx, d.Document, d.pages, chunks); err != nil {
		return fmt.Errorf("store %s: %w", d.Path, err)
	}
	w.done(DocumentDone{
		ID: d.ID, Source: d.Source, Document: d.Path, Outcome: d.outcome, Pages: d.PageCount, Warnings: d.warnings,
		Chunks: Chunks{Written: len(chunks), Embedded: lease.Embedded, Reused: len(chunks) - lease.Embedded},
	})
	return nil
}
