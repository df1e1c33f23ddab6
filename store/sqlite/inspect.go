package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"grounded/corpus"
	"grounded/store"
)

// faultQueries find what is wrong in a collection: each row is a document's id and path, both empty if it is
// about none, and the problem. Their parameters are firstKey, lastKey and the collection's number.
var faultQueries = []string{
	`SELECT '', '', count(*) || ' chunks belong to no document.' FROM chunks k WHERE k.key BETWEEN ?1 AND ?2
		AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.key = k.document) HAVING count(*) > 0`,
	`SELECT '', '', count(*) || ' pages belong to no document.' FROM pages p WHERE p.document BETWEEN ?1 AND ?2
		AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.key = p.document) HAVING count(*) > 0`,
	`SELECT '', '', count(*) || ' vectors belong to no chunk.' FROM vectors v WHERE v.key BETWEEN ?1 AND ?2
		AND NOT EXISTS (SELECT 1 FROM chunks k WHERE k.key = v.key) HAVING count(*) > 0`,
	`SELECT d.id, d.path, 'It should have ' || d.page_count || ' pages and has ' || count(p.number) || '.'
		FROM documents d LEFT JOIN pages p ON p.document = d.key WHERE d.key BETWEEN ?1 AND ?2 GROUP BY d.key HAVING count(p.number) <> d.page_count`,
	`SELECT d.id, d.path, 'It should have ' || d.chunk_count || ' chunks and has ' || count(k.key) || '.'
		FROM documents d LEFT JOIN chunks k ON k.document = d.key WHERE d.key BETWEEN ?1 AND ?2 GROUP BY d.key HAVING count(k.key) <> d.chunk_count`,
	`SELECT d.id, d.path, (count(*) - count(DISTINCT k.id)) || ' chunks are there twice.'
		FROM documents d JOIN chunks k ON k.document = d.key WHERE d.key BETWEEN ?1 AND ?2 GROUP BY d.key HAVING count(*) > count(DISTINCT k.id)`,
	`SELECT d.id, d.path, 'Several chunks have the same place in it.'
		FROM documents d JOIN chunks k ON k.document = d.key WHERE d.key BETWEEN ?1 AND ?2 GROUP BY d.key HAVING count(DISTINCT k.id) > count(DISTINCT k.ordinal)`,
	`SELECT d.id, d.path, count(*) || ' chunks have no vector.' FROM documents d JOIN chunks k ON k.document = d.key
		WHERE d.key BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.key = k.key) GROUP BY d.key`,
	`SELECT d.id, d.path, count(*) || ' vectors have the wrong size.' FROM documents d JOIN chunks k ON k.document = d.key JOIN vectors v ON v.key = k.key
		JOIN collections c ON c.key = ?3 WHERE d.key BETWEEN ?1 AND ?2 AND length(v.vector) <> 4 * c.dimensions GROUP BY d.key`,
	`SELECT '', '', 'It counts ' || c.documents || ' documents and has ' || (SELECT count(*) FROM documents d WHERE d.collection = ?3) || '.'
		FROM collections c WHERE c.key = ?3 AND c.documents <> (SELECT count(*) FROM documents d WHERE d.collection = ?3)`,
	`SELECT '', '', 'Its numbers of chunks do not agree.' FROM collections c WHERE c.key = ?3
		AND (c.chunks <> (SELECT count(*) FROM chunks k WHERE k.key BETWEEN ?1 AND ?2)
		OR c.chunks <> (SELECT coalesce(sum(chunks), 0) FROM languages l WHERE l.collection = ?3))`,
	`SELECT '', '', 'Its dictionary has ' || (SELECT count(DISTINCT text) FROM terms t WHERE t.key BETWEEN ?1 AND ?2) || ' terms of ' || (c.next_term - 1) || '; copy it to a new store.'
		FROM collections c WHERE c.key = ?3 AND c.next_term - 1 <> (SELECT count(DISTINCT text) FROM terms t WHERE t.key BETWEEN ?1 AND ?2)`,
}

// Inspect implements store.Store. It reads the whole collection. What of a document is not whole or double by
// itself can't be told from the file, so only chunks that are equal in all are removed.
func (s *Store) Inspect(ctx context.Context, collection string, repair bool) ([]store.Fault, error) {
	found, err := s.faults(ctx, collection)
	if err != nil || len(found) == 0 || !repair {
		return found, err
	}
	if err := s.repair(ctx, collection); err != nil {
		return nil, err
	}
	left, err := s.faults(ctx, collection)
	if err != nil {
		return nil, err
	}
	still := map[store.Fault]bool{}
	for _, f := range left {
		still[f] = true
	}
	for i, f := range found {
		found[i].Repaired = !still[f]
		delete(still, f)
	}
	for _, f := range left { // what came to light by a repair
		if still[f] {
			found = append(found, f)
		}
	}
	return found, nil
}

func (s *Store) faults(ctx context.Context, collection string) (found []store.Fault, err error) {
	err = s.read(ctx, "inspect collection "+collection, func(tx *sql.Tx) error {
		found = nil
		key, err := collectionKey(ctx, tx, collection)
		if err != nil {
			return err
		}
		for _, query := range faultQueries {
			err := each(ctx, tx, query, []any{firstKey(key), lastKey(key), key}, func(scan func(...any) error) error {
				var f store.Fault
				err := scan((*idColumn)(&f.Document), &f.Path, &f.Problem)
				found = append(found, f)
				return err
			})
			if err != nil {
				return err
			}
		}
		terms, err := termFaults(ctx, tx, key)
		found = append(found, terms...)
		return err
	})
	return found, err
}

// termFaults finds chunks whose terms can't be read.
func termFaults(ctx context.Context, tx *sql.Tx, collection int64) (found []store.Fault, err error) {
	var next int64
	if err := tx.QueryRowContext(ctx, "SELECT next_term FROM collections WHERE key = ?", collection).Scan(&next); err != nil {
		return nil, err
	}
	place := map[corpus.DocumentID]int{}
	var damaged []int
	err = each(ctx, tx, "SELECT d.id, d.path, v.terms FROM vectors v JOIN chunks k ON k.key = v.key JOIN documents d ON d.key = k.document WHERE v.key BETWEEN ? AND ?",
		[]any{firstKey(collection), lastKey(collection)}, func(scan func(...any) error) error {
			var f store.Fault
			var terms sql.RawBytes
			if err := scan((*idColumn)(&f.Document), &f.Path, &terms); err != nil || soundTerms(terms, next) {
				return err
			}
			i, known := place[f.Document]
			if !known {
				i = len(found)
				place[f.Document] = i
				found, damaged = append(found, f), append(damaged, 0)
			}
			damaged[i]++
			return nil
		})
	for i, n := range damaged {
		found[i].Problem = fmt.Sprintf("The terms of %d chunks are damaged.", n)
	}
	return found, err
}

// soundTerms reports whether encoded terms can be read and have numbers below next.
func soundTerms(encoded []byte, next int64) bool {
	return decodeTerms(encoded, func(number uint64, _ float32) error {
		if number < 1 || number >= uint64(next) {
			return errTerms
		}
		return nil
	}) == nil
}
