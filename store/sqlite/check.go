package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"grounded/corpus"
)

// invariants are queries that find nothing in a sound file; each row they find is a fault, in words.
var invariants = []string{
	"SELECT 'integrity: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok' LIMIT 10",
	"SELECT 'a row of ' || \"table\" || ' has no ' || parent FROM pragma_foreign_key_check LIMIT 10",
	`SELECT 'a chunk of ' || d.path || ' has no vector' FROM chunks k JOIN documents d ON d.key = k.document
		WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.key = k.key) LIMIT 10`,
	`SELECT d.path || ' should have ' || d.chunk_count || ' chunks' FROM documents d
		WHERE d.chunk_count <> (SELECT count(*) FROM chunks k WHERE k.document = d.key) LIMIT 10`,
	`SELECT 'collection ' || c.name || ' counts ' || c.documents || ' documents' FROM collections c
		WHERE c.documents <> (SELECT count(*) FROM documents d WHERE d.collection = c.key)`,
	`SELECT 'collection ' || c.name || ' counts ' || c.chunks || ' chunks' FROM collections c
		WHERE c.chunks <> (SELECT coalesce(sum(chunk_count), 0) FROM documents d WHERE d.collection = c.key)
		OR c.chunks <> (SELECT coalesce(sum(chunks), 0) FROM languages l WHERE l.collection = c.key)`,
	`SELECT 'collection ' || c.name || ' does not have ' || (c.next_term - 1) || ' different terms' FROM collections c
		WHERE c.next_term - 1 <> (SELECT count(DISTINCT text) FROM terms t WHERE t.key BETWEEN c.key << 40 AND ((c.key + 1) << 40) - 1)`,
	`SELECT 'a vector of collection ' || c.name || ' has the wrong length' FROM collections c
		JOIN vectors v ON v.key BETWEEN c.key << 40 AND ((c.key + 1) << 40) - 1
		WHERE length(v.vector) <> 4 * c.dimensions LIMIT 10`,
}

// Check implements store.Store. It reads the whole file. The error is corpus.ErrCorrupt and names each fault.
func (s *Store) Check(ctx context.Context) error {
	return s.read(ctx, "check store", func(tx *sql.Tx) error {
		var faults []string
		for _, query := range invariants {
			err := each(ctx, tx, query, nil, func(scan func(...any) error) error {
				var fault string
				err := scan(&fault)
				faults = append(faults, fault)
				return err
			})
			if err != nil {
				return err
			}
		}
		if len(faults) == 0 {
			return nil
		}
		return corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "%s", strings.Join(faults, "; ")),
			"copy "+s.path+" away, then restore a backup, or ingest the documents into a new store")
	})
}
