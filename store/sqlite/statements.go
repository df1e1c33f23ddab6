package sqlite

import (
	"context"
	"database/sql"
)

// statements are what every search runs, prepared.
type statements struct {
	state *sql.Stmt // of a collection
	byKey *sql.Stmt // keysAtOnce chunks
}

const (
	stateQuery = "SELECT key, seq, deleted, next_term, next_chunk, dimensions FROM collections WHERE name = ?"
	keysAtOnce = 16
	byKeyQuery = "SELECT " + chunkColumns + ", k.key FROM chunks k WHERE k.key IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// preparer is a pool or a transaction, which closes its statements at its end.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func prepareStatements(ctx context.Context, on preparer) (p statements, err error) {
	if p.state, err = on.PrepareContext(ctx, stateQuery); err == nil {
		p.byKey, err = on.PrepareContext(ctx, byKeyQuery)
	}
	return p, err
}

// pooled are the readers' statements: those of a search, and what an ingest asks for each document.
type pooled struct {
	statements
	document   *sql.Stmt
	dimensions *sql.Stmt // of a collection, after its number
	byInput    *sql.Stmt // vectors of chunks by the key of their input
}

func preparePooled(ctx context.Context, on preparer) (p pooled, err error) {
	if p.statements, err = prepareStatements(ctx, on); err != nil {
		return p, err
	}
	for query, statement := range map[string]**sql.Stmt{
		documentQuery: &p.document,
		"SELECT key, dimensions FROM collections WHERE name = ?": &p.dimensions,
		`SELECT k.context, k.text, v.vector FROM chunks k JOIN vectors v ON v.key = k.key
			WHERE k.input = ? AND k.key BETWEEN ? AND ?`: &p.byInput,
	} {
		if *statement, err = on.PrepareContext(ctx, query); err != nil {
			return p, err
		}
	}
	return p, nil
}
