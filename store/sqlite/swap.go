package sqlite

import (
	"context"

	"grounded/corpus"
)

// Recover implements store.Store. Every change is one transaction, so there is never anything to do.
func (s *Store) Recover(ctx context.Context, _ string) error { return ctx.Err() }

// Swap implements store.Store. The collections keep their numbers and exchange their names; both get a sequence
// number that neither name has had, so that each mirror sees that it shows something else.
func (s *Store) Swap(ctx context.Context, a, b string) error {
	doing := "swap collections " + a + " and " + b
	if a == b {
		return s.fail(doing, corpus.Errorf(corpus.ErrInvalid, "they are the same collection"))
	}
	var of, to *collectionState
	return s.write(ctx, doing, &write{
		check: func(t *transaction) (err error) {
			if of, err = t.collection(a); err == nil {
				to, err = t.collection(b)
			}
			return err
		},
		apply: func(t *transaction) error {
			of.touch()
			to.touch()
			of.seq = max(of.seq, to.seq)
			to.seq = of.seq
			for _, rename := range []struct {
				key  int64
				name string
			}{{of.key, "@"}, {to.key, a}, {of.key, b}} { // a name is there once at any time
				if _, err := t.exec("UPDATE collections SET name = ? WHERE key = ?", rename.name, rename.key); err != nil {
					return err
				}
			}
			t.collections[a], t.collections[b] = to, of
			return nil
		},
	})
}
