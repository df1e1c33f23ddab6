package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"grounded/analyze"
	"grounded/corpus"
)

// repair mends in one transaction what the file itself has the means to mend.
func (s *Store) repair(ctx context.Context, collection string) error {
	var c *collectionState
	return s.write(ctx, "repair collection "+collection, &write{
		check: func(t *transaction) (err error) {
			c, err = t.collection(collection)
			return err
		},
		apply: func(t *transaction) error {
			c.touch()
			c.deleted = c.seq
			for _, step := range []func(*collectionState) error{t.removeOrphans, t.removeDoubles, t.completeVectors, t.recount} {
				if err := step(c); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

func (t *transaction) removeOrphans(c *collectionState) error {
	for _, statement := range []string{
		"DELETE FROM chunks WHERE key BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.key = document)",
		"DELETE FROM pages WHERE document BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.key = document)",
		"DELETE FROM vectors WHERE key BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM chunks k WHERE k.key = vectors.key)",
	} {
		if _, err := t.exec(statement, firstKey(c.key), lastKey(c.key)); err != nil {
			return err
		}
	}
	return nil
}

// removeDoubles removes chunks of equal id and place in a document but the first.
func (t *transaction) removeDoubles(c *collectionState) error {
	const double = `k.key BETWEEN ?1 AND ?2 AND EXISTS (SELECT 1 FROM chunks o WHERE o.document = k.document AND o.ordinal = k.ordinal AND o.id = k.id AND o.key < k.key)`
	if _, err := t.exec("UPDATE documents SET seq = ?3 WHERE key IN (SELECT k.document FROM chunks k WHERE "+double+")", firstKey(c.key), lastKey(c.key), c.seq); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM chunks AS k WHERE "+double, firstKey(c.key), lastKey(c.key))
	return err
}

// damagedChunk is one without a vector, or with one or terms that can't be used.
type damagedChunk struct {
	key, document, input    int64
	language, context, text string
	vector, terms           []byte
}

// completeVectors gives chunks that lack a vector that of a chunk with the same input, and makes their terms anew.
// A chunk gets another number, since a number stands for one vector and one list of terms.
func (t *transaction) completeVectors(c *collectionState) error {
	damaged, err := t.damagedChunks(c)
	if err != nil {
		return err
	}
	for _, k := range damaged {
		vector := k.vector
		if len(vector) != 4*c.dimensions {
			err := t.queryRow(`SELECT v.vector FROM chunks k JOIN vectors v ON v.key = k.key WHERE k.input = ? AND k.context = ? AND k.text = ?
				AND k.key BETWEEN ? AND ? AND length(v.vector) = ?`,
				[]any{k.input, k.context, k.text, firstKey(c.key), lastKey(c.key), 4 * c.dimensions}, []any{&vector})
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
		}
		if err := t.renew(c, k, vector); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) damagedChunks(c *collectionState) (damaged []damagedChunk, err error) {
	rows, err := t.query(`SELECT k.key, k.document, k.input, k.language, k.context, k.text, v.vector, v.terms FROM chunks k LEFT JOIN vectors v ON v.key = k.key
		WHERE k.key BETWEEN ? AND ?`, firstKey(c.key), lastKey(c.key))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k damagedChunk
		if err := rows.Scan(&k.key, &k.document, &k.input, &k.language, &k.context, &k.text, &k.vector, &k.terms); err != nil {
			return nil, err
		}
		if len(k.vector) != 4*c.dimensions || !soundTerms(k.terms, c.nextTerm) {
			damaged = append(damaged, k)
		}
	}
	return damaged, rows.Err()
}

// renew stores a chunk under a new number with this vector.
func (t *transaction) renew(c *collectionState, k damagedChunk, vector []byte) error {
	chunk := corpus.Chunk{Context: k.context, Text: k.text, Language: k.language}
	terms, err := t.numberTerms(c, analyze.Terms(chunk.Input(), chunk.Language))
	if err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM vectors WHERE key = ?", k.key); err != nil {
		return err
	}
	key := firstKey(c.key) + c.nextChunk
	c.nextChunk++
	if _, err := t.exec("UPDATE chunks SET key = ? WHERE key = ?", key, k.key); err != nil {
		return err
	}
	if _, err := t.exec("INSERT INTO vectors VALUES (?, ?, ?, ?)", key, k.document, vector, encodeTerms(terms)); err != nil {
		return err
	}
	_, err = t.exec("UPDATE documents SET seq = ? WHERE key = ?", c.seq, k.document)
	return err
}

// recount counts documents and chunks anew.
func (t *transaction) recount(c *collectionState) error {
	if err := t.queryRow(`SELECT (SELECT count(*) FROM documents WHERE collection = ?1), (SELECT count(*) FROM chunks WHERE key BETWEEN ?2 AND ?3)`,
		[]any{c.key, firstKey(c.key), lastKey(c.key)}, []any{&c.documents, &c.chunks}); err != nil {
		return err
	}
	clear(c.languages)
	if _, err := t.exec("DELETE FROM languages WHERE collection = ?", c.key); err != nil {
		return err
	}
	_, err := t.exec("INSERT INTO languages SELECT ?1, language, count(*) FROM chunks WHERE key BETWEEN ?2 AND ?3 GROUP BY language",
		c.key, firstKey(c.key), lastKey(c.key))
	return err
}
