package sqlite

import (
	"context"
	"database/sql"

	"grounded/corpus"
)

// PutSource implements store.Store.
func (s *Store) PutSource(ctx context.Context, src corpus.Source) error {
	paths, err := encodeStrings(src.Paths)
	if err != nil {
		return s.fail("put source "+src.Name, err)
	}
	return s.changeCollection(ctx, "put source "+src.Name, src.Collection, func(t *transaction, collection int64) error {
		_, err := t.exec("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)", collection, src.Name, src.Root, encodeTime(src.UsedAt), paths)
		return err
	})
}

// DeleteSource implements store.Store.
func (s *Store) DeleteSource(ctx context.Context, collection, name string) error {
	return s.changeCollection(ctx, "delete source "+name, collection, func(t *transaction, collection int64) error {
		_, err := t.exec("DELETE FROM sources WHERE collection = ? AND name = ?", collection, name)
		return err
	})
}

// Sources implements store.Store.
func (s *Store) Sources(ctx context.Context, collection string) (sources []corpus.Source, err error) {
	err = s.read(ctx, "list sources of "+collection, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT s.name, root, used_at, paths FROM sources s JOIN collections c ON c.key = s.collection
			WHERE c.name = ? ORDER BY s.name`, []any{collection}, func(scan func(...any) error) error {
			src := corpus.Source{Collection: collection}
			err := scan(&src.Name, &src.Root, (*timeColumn)(&src.UsedAt), jsonColumn{&src.Paths})
			sources = append(sources, src)
			return err
		})
	})
	return sources, err
}

// Quarantine implements store.Store.
func (s *Store) Quarantine(ctx context.Context, q corpus.Quarantined) error {
	return s.changeCollection(ctx, "quarantine "+q.Path, q.Collection, func(t *transaction, collection int64) error {
		_, err := t.exec("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", collection, encodeID(q.DocumentID),
			q.Source, q.Path, q.Reason, q.Code, q.ContentHash, q.PipelineFingerprint, encodeTime(q.At))
		return err
	})
}

// Quarantined implements store.Store.
func (s *Store) Quarantined(ctx context.Context, collection string) (list []corpus.Quarantined, err error) {
	err = s.read(ctx, "list quarantine of "+collection, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT document_id, source, path, reason, code, content_hash, pipeline_fingerprint, at
			FROM quarantine q JOIN collections c ON c.key = q.collection
			WHERE c.name = ? ORDER BY path, source, document_id`, []any{collection}, func(scan func(...any) error) error {
			q := corpus.Quarantined{Collection: collection}
			err := scan((*idColumn)(&q.DocumentID), &q.Source, &q.Path, &q.Reason, &q.Code, &q.ContentHash, &q.PipelineFingerprint, (*timeColumn)(&q.At))
			list = append(list, q)
			return err
		})
	})
	return list, err
}

// changeCollection makes a change that needs only that the collection is there.
func (s *Store) changeCollection(ctx context.Context, doing, collection string, apply func(t *transaction, collection int64) error) error {
	var key int64
	return s.write(ctx, doing, &write{
		check: func(t *transaction) error {
			c, err := t.collection(collection)
			if err == nil {
				key = c.key
			}
			return err
		},
		apply: func(t *transaction) error { return apply(t, key) },
	})
}
