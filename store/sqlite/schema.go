package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"grounded/corpus"
)

// applicationID marks a file as ours in its header: "grnd".
const applicationID = 0x67726e64

// pageSize fits four vectors of 384 dimensions with their terms, where SQLite's default of 4096 fits two and
// leaves a quarter empty.
const pageSize = 8192

// collectionShift makes the number of a document or chunk in the file: the collection's number shifted left by
// it, plus a number that counts up inside the collection and is never used again.
const collectionShift = 40

// seqShift makes the sequence number that a collection begins with, of its number: higher than any that an
// earlier collection of the same name had reached.
const seqShift = 32

// migrations make the schema, each from the version before it; PRAGMA user_version tells how many have run.
// One that has been released is never changed.
var migrations = []string{
	// collections.seq counts the transactions that changed the collection's documents, deleted is the last of
	// them that removed one; documents.seq is the one that wrote the document. The counts are kept because
	// counting reads the whole table.
	`CREATE TABLE collections (
		key INTEGER PRIMARY KEY AUTOINCREMENT,
		name TEXT NOT NULL UNIQUE,
		embedding TEXT NOT NULL,
		fingerprint TEXT NOT NULL,
		dimensions INTEGER NOT NULL,
		created_at TEXT NOT NULL,
		seq INTEGER NOT NULL DEFAULT 0,
		deleted INTEGER NOT NULL DEFAULT 0,
		next_document INTEGER NOT NULL DEFAULT 1,
		next_chunk INTEGER NOT NULL DEFAULT 1,
		next_term INTEGER NOT NULL DEFAULT 1,
		documents INTEGER NOT NULL DEFAULT 0,
		chunks INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE TABLE languages (
		collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
		language TEXT NOT NULL,
		chunks INTEGER NOT NULL,
		PRIMARY KEY (collection, language)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE documents (
		key INTEGER PRIMARY KEY,
		collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
		id ANY NOT NULL,
		source TEXT NOT NULL,
		path TEXT NOT NULL,
		uri TEXT NOT NULL,
		title TEXT NOT NULL,
		media_type TEXT NOT NULL,
		language TEXT NOT NULL,
		metadata TEXT NOT NULL,
		groups TEXT NOT NULL,
		bytes INTEGER NOT NULL,
		content_hash TEXT NOT NULL,
		pipeline_fingerprint TEXT NOT NULL,
		page_count INTEGER NOT NULL,
		chunk_count INTEGER NOT NULL,
		modified_at TEXT NOT NULL,
		ingested_at TEXT NOT NULL,
		seq INTEGER NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX documents_id ON documents (collection, id);
	CREATE INDEX documents_path ON documents (collection, path, source, id);
	CREATE INDEX documents_seq ON documents (collection, seq);
	CREATE TABLE pages (
		document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
		number INTEGER NOT NULL,
		label TEXT NOT NULL,
		text TEXT NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX pages_number ON pages (document, number);
	CREATE TABLE chunks (
		key INTEGER PRIMARY KEY,
		document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
		ordinal INTEGER NOT NULL,
		id ANY NOT NULL,
		input INTEGER NOT NULL,
		page_start INTEGER NOT NULL,
		page_end INTEGER NOT NULL,
		start INTEGER NOT NULL,
		"end" INTEGER NOT NULL,
		tokens INTEGER NOT NULL,
		language TEXT NOT NULL,
		heading TEXT NOT NULL,
		context TEXT NOT NULL,
		text TEXT NOT NULL
	) STRICT;
	CREATE INDEX chunks_document ON chunks (document, ordinal);
	CREATE INDEX chunks_id ON chunks (id);
	CREATE INDEX chunks_input ON chunks (input);
	CREATE TABLE vectors (
		key INTEGER PRIMARY KEY REFERENCES chunks(key) ON DELETE CASCADE,
		document INTEGER NOT NULL,
		vector BLOB NOT NULL,
		terms BLOB NOT NULL
	) STRICT;
	CREATE TABLE terms (
		key INTEGER PRIMARY KEY,
		text TEXT NOT NULL
	) STRICT;
	CREATE TABLE sources (
		collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
		name TEXT NOT NULL,
		root TEXT NOT NULL,
		used_at TEXT NOT NULL,
		PRIMARY KEY (collection, name)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE quarantine (
		collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
		document_id ANY NOT NULL,
		source TEXT NOT NULL,
		path TEXT NOT NULL,
		reason TEXT NOT NULL,
		code TEXT NOT NULL,
		content_hash TEXT NOT NULL,
		pipeline_fingerprint TEXT NOT NULL,
		at TEXT NOT NULL,
		PRIMARY KEY (collection, document_id)
	) STRICT, WITHOUT ROWID;`,
	"ALTER TABLE sources ADD COLUMN paths TEXT NOT NULL DEFAULT ''",
}

// migrate brings a file's schema up to this program's. A newer one, or another program's file, is refused.
func migrate(ctx context.Context, conn *sql.Conn, path string) error {
	current, err := checkSchema(ctx, conn, path)
	if err != nil || current {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // without effect once committed
	version, err := intPragma(ctx, conn, "user_version")           // another process may have been first
	if err != nil {
		return err
	}
	for ; version < len(migrations); version++ {
		if _, err := conn.ExecContext(ctx, migrations[version]); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", applicationID, version))
	return err
}

// checkSchema tells whether the file has this program's schema (true), has to be migrated (false), or must not
// be touched (an error).
func checkSchema(ctx context.Context, conn *sql.Conn, path string) (current bool, err error) {
	version, err := intPragma(ctx, conn, "user_version")
	if err != nil {
		return false, err
	}
	application, err := intPragma(ctx, conn, "application_id")
	if err != nil {
		return false, err
	}
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return false, err
	}
	switch {
	case application != applicationID && (tables > 0 || version > 0 || application != 0):
		return false, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "open %s: it is a SQLite file of another program", path),
			"choose another path for the store; this file was left as it is")
	case version > len(migrations):
		return false, corpus.Hint(corpus.Errorf(corpus.ErrUnsupported,
			"open %s: the file has schema version %d, this program knows versions up to %d", path, version, len(migrations)),
			"upgrade this program, or point it at another store; the file was left as it is")
	}
	return version == len(migrations), nil
}

func intPragma(ctx context.Context, conn *sql.Conn, name string) (int, error) {
	var n int
	err := conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(&n)
	return n, err
}
