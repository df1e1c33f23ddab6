package move

import (
	"context"
	"errors"
	"fmt"

	"grounded/corpus"
	"grounded/store"
)

// CopyConfig says what Copy copies. From, To and Collection must be set.
type CopyConfig struct {
	From, To   store.Store
	Collection string
	// Overwrite makes the collection of To the same where it has other or newer documents.
	Overwrite bool
	Observe   func(Event) // of each event, one at a time, the Report last; may be nil
}

// Copy copies a collection with its vectors from one store to another, and compares both at the end.
//
// Errors are corpus.ErrNotFound for a collection that From does not have, and corpus.ErrConflict, before anything is
// written, when To has one of that name with another embedding or, without Overwrite, with documents that are not
// From's.
func Copy(ctx context.Context, c CopyConfig) (Report, error) {
	m := &mover{from: side{c.From, c.Collection}, to: side{c.To, c.Collection}, reporter: newReporter(c.Collection, c.Observe)}
	source, err := c.From.Collection(ctx, c.Collection)
	if err == nil {
		err = m.copy(ctx, c, source)
	}
	if err != nil {
		err = fmt.Errorf("copy %s: %w", c.Collection, err)
	}
	return m.close(source.Embedding), err
}

func (m *mover) copy(ctx context.Context, c CopyConfig, source corpus.Collection) error {
	if err := c.To.Recover(ctx, c.Collection); err != nil {
		return err
	}
	target, err := c.To.Collection(ctx, c.Collection)
	switch {
	case errors.Is(err, corpus.ErrNotFound):
		if err := c.To.CreateCollection(ctx, corpus.Collection{Name: c.Collection, Embedding: source.Embedding, CreatedAt: source.CreatedAt}); err != nil {
			return err
		}
	case err != nil:
		return err
	case target.Embedding.Fingerprint() != source.Embedding.Fingerprint():
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the target has a collection of that name with embeddings of %s, not %s",
			describe(target.Embedding), describe(source.Embedding)),
			"delete it there, or reindex one of them first")
	case !c.Overwrite:
		if err := m.refuseOther(ctx); err != nil {
			return err
		}
	}
	m.fingerprint = source.Embedding.Fingerprint()
	m.start(source, source.Embedding)
	return m.settle(ctx)
}

// refuseOther fails if to has what did not come from from.
func (m *mover) refuseOther(ctx context.Context) error {
	return m.to.each(ctx, func(d corpus.Document) error {
		mine, isThere, err := m.from.find(ctx, d.ID)
		if err != nil {
			return err
		}
		what := ""
		switch {
		case !isThere:
			what = "which is not in the source"
		case newer(d, mine):
			what = "which was ingested there later than in the source"
		default:
			return nil
		}
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the target has a collection of that name with %s, %s", d.Path, what),
			"say --overwrite to make it the same as the source, or delete it there first; nothing was changed")
	})
}

func describe(e corpus.Embedding) string { return e.Model + " (fingerprint " + e.Fingerprint() + ")" }
