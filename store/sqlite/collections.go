package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"grounded/corpus"
)

// collectionState is a collection's row while a transaction changes it; flush writes it back.
type collectionState struct {
	key          int64
	fingerprint  string
	dimensions   int
	seq          int64 // of the last transaction that changed documents; this one's once touched
	deleted      int64
	nextDocument int64
	nextChunk    int64
	nextTerm     int64
	documents    int
	chunks       int
	languages    map[string]int // changes to the counts
	touched      bool
}

// collection returns the state of a collection, or corpus.ErrNotFound.
func (t *transaction) collection(name string) (*collectionState, error) {
	c, known := t.collections[name]
	if !known {
		c = &collectionState{languages: map[string]int{}}
		err := t.queryRow(`SELECT key, fingerprint, dimensions, seq, deleted, next_document, next_chunk, next_term, documents, chunks
			FROM collections WHERE name = ?`, []any{name},
			[]any{&c.key, &c.fingerprint, &c.dimensions, &c.seq, &c.deleted, &c.nextDocument, &c.nextChunk, &c.nextTerm, &c.documents, &c.chunks})
		if errors.Is(err, sql.ErrNoRows) {
			c, err = nil, nil
		}
		if err != nil {
			return nil, err
		}
		t.collections[name] = c
	}
	if c == nil {
		return nil, noCollection(name)
	}
	return c, nil
}

// touch makes this transaction one that changes the collection's documents.
func (c *collectionState) touch() {
	if !c.touched {
		c.touched = true
		c.seq++
	}
}

// flush writes the collections' rows before the commit.
func (t *transaction) flush() error {
	for _, c := range t.collections {
		if c == nil || !c.touched {
			continue
		}
		if _, err := t.exec(`UPDATE collections SET seq = ?, deleted = ?, next_document = ?, next_chunk = ?, next_term = ?, documents = ?, chunks = ?
			WHERE key = ?`, c.seq, c.deleted, c.nextDocument, c.nextChunk, c.nextTerm, c.documents, c.chunks, c.key); err != nil {
			return err
		}
		for language, change := range c.languages {
			if change == 0 {
				continue
			}
			if _, err := t.exec(`INSERT INTO languages VALUES (?, ?, ?)
				ON CONFLICT DO UPDATE SET chunks = chunks + excluded.chunks`, c.key, language, change); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM languages WHERE collection = ? AND language = ? AND chunks = 0", c.key, language); err != nil {
				return err
			}
		}
	}
	return nil
}

// CreateCollection implements store.Store.
func (s *Store) CreateCollection(ctx context.Context, c corpus.Collection) error {
	doing := "create collection " + c.Name
	if err := corpus.CheckStoredName(c.Name); err != nil {
		return s.fail(doing, err)
	}
	if c.Embedding.Dimensions < 1 {
		return s.fail(doing, corpus.Errorf(corpus.ErrInvalid, "embedding %q has %d dimensions", c.Embedding.Model, c.Embedding.Dimensions))
	}
	embedding, err := json.Marshal(c.Embedding)
	if err != nil {
		return s.fail(doing, err)
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = time.Now()
	}
	fingerprint := c.Embedding.Fingerprint()
	there := false
	return s.write(ctx, doing, &write{
		check: func(t *transaction) error {
			have, err := t.collection(c.Name)
			there = err == nil
			switch {
			case errors.Is(err, corpus.ErrNotFound):
				return nil
			case err == nil && have.fingerprint != fingerprint:
				return corpus.Hint(corpus.Errorf(corpus.ErrConflict,
					"collection %q has embedding fingerprint %s, not %s (%s)", c.Name, have.fingerprint, fingerprint, c.Embedding.Model),
					"vectors of different embeddings can't be compared: use the collection's model, another collection, or grounded reindex")
			}
			return err
		},
		apply: func(t *transaction) error {
			if there {
				return nil
			}
			delete(t.collections, c.Name)
			inserted, err := t.exec("INSERT INTO collections (name, embedding, fingerprint, dimensions, created_at) VALUES (?, ?, ?, ?, ?)",
				c.Name, string(embedding), fingerprint, c.Embedding.Dimensions, encodeTime(c.CreatedAt))
			if err != nil {
				return err
			}
			key, err := inserted.LastInsertId()
			if err != nil {
				return err
			}
			// Under one name the sequence only rises, even when the collection is dropped and made again.
			_, err = t.exec("UPDATE collections SET seq = ? WHERE key = ?", key<<seqShift, key)
			return err
		},
	})
}

// DropCollection implements store.Store.
func (s *Store) DropCollection(ctx context.Context, name string) error {
	var key int64
	err := s.write(ctx, "drop collection "+name, &write{
		check: func(t *transaction) error {
			c, err := t.collection(name)
			if err == nil {
				key = c.key
			}
			return err
		},
		apply: func(t *transaction) error {
			t.collections[name] = nil
			delete(t.terms, key)
			if _, err := t.exec("DELETE FROM terms WHERE key BETWEEN ? AND ?", firstKey(key), lastKey(key)); err != nil {
				return err
			}
			_, err := t.exec("DELETE FROM collections WHERE key = ?", key)
			return err
		},
	})
	if err == nil {
		s.mu.Lock()
		delete(s.mirrors, name)
		s.mu.Unlock()
	}
	return err
}

// firstKey and lastKey bound the numbers of a collection's documents, chunks and terms.
func firstKey(collection int64) int64 { return collection << collectionShift }
func lastKey(collection int64) int64  { return (collection+1)<<collectionShift - 1 }

// Collection implements store.Store.
func (s *Store) Collection(ctx context.Context, name string) (corpus.Collection, error) {
	doing := "read collection " + name
	var found []corpus.Collection
	err := s.read(ctx, doing, func(tx *sql.Tx) (err error) {
		found, err = collections(ctx, tx, "WHERE name = ?", name)
		if err == nil && len(found) == 0 {
			err = noCollection(name)
		}
		return err
	})
	if err != nil {
		return corpus.Collection{}, err
	}
	return found[0], nil
}

// Collections implements store.Store.
func (s *Store) Collections(ctx context.Context) (all []corpus.Collection, err error) {
	err = s.read(ctx, "list collections", func(tx *sql.Tx) (err error) {
		all, err = collections(ctx, tx, "ORDER BY name")
		return err
	})
	return all, err
}

func collections(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]corpus.Collection, error) {
	languages := map[int64]map[string]int{}
	err := each(ctx, tx, "SELECT collection, language, chunks FROM languages", nil, func(scan func(...any) error) error {
		var key int64
		var language string
		var n int
		if err := scan(&key, &language, &n); err != nil {
			return err
		}
		if languages[key] == nil {
			languages[key] = map[string]int{}
		}
		languages[key][language] = n
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []corpus.Collection
	err = each(ctx, tx, `SELECT key, name, embedding, created_at, documents, chunks,
		(SELECT count(*) FROM quarantine WHERE quarantine.collection = collections.key) FROM collections `+where, args,
		func(scan func(...any) error) error {
			var c corpus.Collection
			var key int64
			if err := scan(&key, &c.Name, jsonColumn{&c.Embedding}, (*timeColumn)(&c.CreatedAt), &c.Documents, &c.Chunks, &c.Quarantined); err != nil {
				return err
			}
			c.Languages = map[string]int{}
			maps.Copy(c.Languages, languages[key])
			found = append(found, c)
			return nil
		})
	return found, err
}

// collectionKey returns the number of a collection, or corpus.ErrNotFound.
func collectionKey(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	var key int64
	err := tx.QueryRowContext(ctx, "SELECT key FROM collections WHERE name = ?", name).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		err = noCollection(name)
	}
	return key, err
}

// each calls f for each row of a query; f reads the row with scan. errStop from f ends it without error.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, f)
}

func eachRow(rows *sql.Rows, f func(scan func(...any) error) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

var errStop = errors.New("stop")
