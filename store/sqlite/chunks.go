package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"grounded/corpus"
)

const chunkColumns = `k.id, k.ordinal, k.page_start, k.page_end, k.start, k."end", k.tokens, k.language, k.heading, k.context, k.text`

// scanChunk reads chunkColumns, then what else is asked for.
func scanChunk(scan func(...any) error, c *corpus.Chunk, more ...any) error {
	return scan(append([]any{(*idColumn)(&c.ID), &c.Ordinal, &c.PageStart, &c.PageEnd, &c.Start, &c.End,
		&c.Tokens, &c.Language, jsonColumn{&c.Heading}, &c.Context, &c.Text}, more...)...)
}

// Chunks implements store.Store.
func (s *Store) Chunks(ctx context.Context, scope corpus.Scope, ids ...corpus.ChunkID) (chunks []corpus.Chunk, err error) {
	err = s.read(ctx, "read chunks", func(tx *sql.Tx) error {
		collection, err := collectionKey(ctx, tx, scope.Collection)
		if err != nil {
			return err
		}
		statement, err := tx.PrepareContext(ctx, "SELECT "+chunkColumns+`, d.id, d.groups FROM chunks k JOIN documents d ON d.key = k.document
			WHERE k.id = ? AND d.collection = ?`)
		if err != nil {
			return err
		}
		defer statement.Close()
		for _, id := range ids {
			var c corpus.Chunk
			var groups []string
			err := scanChunk(statement.QueryRowContext(ctx, encodeID(id), collection).Scan, &c, (*idColumn)(&c.DocumentID), jsonColumn{&groups})
			if errors.Is(err, sql.ErrNoRows) || err == nil && !scope.Access.Allows(groups) {
				continue
			}
			if err != nil {
				return err
			}
			chunks = append(chunks, c)
		}
		return nil
	})
	return chunks, err
}

// DocumentChunks implements store.Store.
func (s *Store) DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) (chunks []corpus.Chunk, err error) {
	if last == -1 {
		last = 1<<31 - 1
	}
	err = s.read(ctx, "read document's chunks", func(tx *sql.Tx) error {
		key, _, err := s.visible(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		return each(ctx, tx, "SELECT "+chunkColumns+" FROM chunks k WHERE k.document = ? AND k.ordinal BETWEEN ? AND ? ORDER BY k.ordinal",
			[]any{key, first, last}, func(scan func(...any) error) error {
				c := corpus.Chunk{DocumentID: id}
				err := scanChunk(scan, &c)
				chunks = append(chunks, c)
				return err
			})
	})
	return chunks, err
}

// Vectors implements store.Store.
func (s *Store) Vectors(ctx context.Context, collection string, inputHashes []string) (map[string][]float32, error) {
	found := map[string][]float32{}
	err := s.read(ctx, "read vectors", func(tx *sql.Tx) error {
		var key int64
		var dimensions int
		err := tx.StmtContext(ctx, s.prepared.dimensions).QueryRowContext(ctx, collection).Scan(&key, &dimensions)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		statement := tx.StmtContext(ctx, s.prepared.byInput)
		for _, hash := range inputHashes {
			input, ok := inputKeyOfHash(hash)
			if !ok || found[hash] != nil {
				continue
			}
			vector, err := storedVector(ctx, statement, hash, dimensions, input, firstKey(key), lastKey(key))
			if err != nil {
				return err
			}
			if vector != nil {
				found[hash] = vector
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// storedVector returns the vector of a chunk whose whole input hash is the one wanted, or nil.
func storedVector(ctx context.Context, statement *sql.Stmt, hash string, dimensions int, args ...any) ([]float32, error) {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c corpus.Chunk
		var raw sql.RawBytes
		if err := rows.Scan(&c.Context, &c.Text, &raw); err != nil {
			return nil, err
		}
		if c.InputHash() == hash {
			vector := make([]float32, dimensions)
			return vector, decodeVector(raw, vector)
		}
	}
	return nil, rows.Err()
}

// chunksByKey returns chunks by their numbers. The statement is that of byKeyQuery.
func chunksByKey(ctx context.Context, statement *sql.Stmt, keys []int64) (map[int64]corpus.Chunk, error) {
	found := make(map[int64]corpus.Chunk, len(keys))
	for batch := range slices.Chunk(keys, keysAtOnce) {
		args := make([]any, keysAtOnce)
		for i := range args {
			args[i] = batch[min(i, len(batch)-1)]
		}
		rows, err := statement.QueryContext(ctx, args...)
		if err != nil {
			return nil, err
		}
		err = eachRow(rows, func(scan func(...any) error) error {
			var c corpus.Chunk
			var key int64
			err := scanChunk(scan, &c, &key)
			found[key] = c
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
