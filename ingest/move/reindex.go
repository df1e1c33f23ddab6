package move

import (
	"context"
	"errors"
	"fmt"

	"grounded/corpus"
	"grounded/ingest/embed"
	"grounded/model"
	"grounded/store"
)

// ReindexConfig says what Reindex does. Store, Collection and Embedder must be set.
type ReindexConfig struct {
	Store      store.Store
	Collection string
	Embedder   model.Embedder // of the new form
	BatchTexts int            // embedded by one call at most; 0 means 64
	Requests   int            // to the embedder in flight at most; 0 means 4
	// Drop drops the other form once the collection has the embedder's: the old one, or one that was begun for
	// another embedder.
	Drop    bool
	Observe func(Event) // of each event, one at a time, the Report last; may be nil
}

// Reindex embeds a collection anew. The new form is made in the collection's shadow, from what is stored: nothing is
// parsed. It takes the collection's place when it has every document, is sound, and finds a sample of its chunks; the
// old form is in the shadow then. Until that moment queries are answered from the old form.
//
// Errors are corpus.ErrNotFound for a collection that is not there and corpus.ErrConflict for a shadow under a third
// embedding, which only Drop removes.
func Reindex(ctx context.Context, c ReindexConfig) (Report, error) {
	r := &reindexing{ReindexConfig: c, reporter: newReporter(c.Collection, c.Observe)}
	err := r.run(ctx)
	if err != nil {
		err = fmt.Errorf("reindex %s: %w", c.Collection, err)
	}
	return r.close(r.now), err
}

type reindexing struct {
	ReindexConfig
	*reporter
	now         corpus.Embedding // of the collection
	fingerprint string           // of the embedder
}

func (r *reindexing) run(ctx context.Context) error {
	shadow := corpus.Shadow(r.Collection)
	for _, name := range []string{r.Collection, shadow} {
		if err := r.Store.Recover(ctx, name); err != nil {
			return err
		}
	}
	old, err := r.Store.Collection(ctx, r.Collection)
	if err != nil {
		return err
	}
	r.now = old.Embedding
	target, err := r.Embedder.Embedding(ctx)
	if err != nil {
		return fmt.Errorf("ask embedder for its model: %w", err)
	}
	r.fingerprint = target.Fingerprint()
	if r.fingerprint == old.Embedding.Fingerprint() {
		return r.finish(ctx)
	}
	if err := r.prepare(ctx, old, target); err != nil {
		return err
	}
	r.start(old, target)
	m := r.mover(r.Collection, shadow)
	if err := m.settle(ctx); err != nil {
		return err
	}
	return r.swap(ctx, target, m.seen)
}

// mover embeds what is in one form for the other.
func (r *reindexing) mover(from, to string) *mover {
	return &mover{
		from: side{r.Store, from}, to: side{r.Store, to}, fingerprint: r.fingerprint, reporter: r.reporter, tokens: r.Embedder.CountTokens,
		vectors: embed.New(embed.Config{Store: r.Store, Collection: to, Embedder: r.Embedder, BatchTexts: r.BatchTexts, Requests: r.Requests}),
	}
}

// prepare makes the shadow, or finds what an earlier run has made of it.
func (r *reindexing) prepare(ctx context.Context, old corpus.Collection, target corpus.Embedding) error {
	shadow := corpus.Shadow(r.Collection)
	other, err := r.Store.Collection(ctx, shadow)
	switch {
	case errors.Is(err, corpus.ErrNotFound):
	case err != nil:
		return err
	case other.Embedding.Fingerprint() == r.fingerprint:
		return nil
	case !r.Drop && other.Documents > 0:
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "beside it is another form of it, by %s with %d documents", describe(other.Embedding), other.Documents),
			"say --drop to delete that one first (and the old form at the end), or reindex with its model to go on with it")
	default:
		if err := r.Store.DropCollection(ctx, shadow); err != nil {
			return err
		}
	}
	return r.Store.CreateCollection(ctx, corpus.Collection{Name: shadow, Embedding: target, CreatedAt: old.CreatedAt})
}

// swap puts the new form in the old one's place. What was written to the old form after it was last seen is brought
// then.
func (r *reindexing) swap(ctx context.Context, target corpus.Embedding, seen seen) error {
	shadow := corpus.Shadow(r.Collection)
	if err := r.Store.Swap(ctx, r.Collection, shadow); err != nil {
		return err
	}
	r.now, r.report.Swapped = target, true
	old, err := r.Store.Collection(ctx, shadow)
	if err != nil {
		return err
	}
	late := rules{add: true}
	if old.Documents < seen.documents {
		// A document that only the new form has was deleted from the old, or ingested into the new just now.
		late.remove = func(d corpus.Document) bool { return !d.IngestedAt.After(seen.latest) }
	}
	if _, err := r.mover(shadow, r.Collection).pass(ctx, late); err != nil {
		return err
	}
	return r.finish(ctx)
}

// finish drops the other form, or tells of it.
func (r *reindexing) finish(ctx context.Context) error {
	shadow := corpus.Shadow(r.Collection)
	other, err := r.Store.Collection(ctx, shadow)
	if errors.Is(err, corpus.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.firstPassDone()
	if !r.report.Swapped { // a run that was ended right after the exchange may have left documents behind
		if _, err := r.mover(shadow, r.Collection).pass(ctx, rules{}); err != nil {
			return err
		}
	}
	if !r.Drop {
		r.report.Kept = form(other)
		return nil
	}
	if err := r.Store.DropCollection(ctx, shadow); err != nil {
		return err
	}
	r.report.Dropped = form(other)
	return nil
}
