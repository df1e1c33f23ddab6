package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"grounded/corpus"
)

// resultCode is the primary result code of an error of SQLite, or 0 if it is none.
func resultCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// fail wraps what went wrong while doing something ("replace document x") with its kind and what to do about it.
// What already has a kind keeps it.
func (s *Store) fail(doing string, err error) error { return failAt(s.path, doing, err) }

func failAt(path, doing string, err error) error {
	if err == nil {
		return nil
	}
	kind, hint := error(nil), ""
	switch resultCode(err) {
	case sqlite3.SQLITE_NOTADB:
		kind, hint = corpus.ErrCorrupt, path+" is not a SQLite file, or its beginning is damaged; restore it from a backup, or move it away to begin anew. It was left as it is"
	case sqlite3.SQLITE_CORRUPT:
		kind, hint = corpus.ErrCorrupt, "copy "+path+" away, see what `sqlite3 FILE 'PRAGMA integrity_check'` says, then restore a backup or ingest into a new store. It was left as it is"
	case sqlite3.SQLITE_FULL:
		kind, hint = corpus.ErrFull, "free space on the disk of "+path+", then do the same again; nothing that was stored is lost"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		kind, hint = corpus.ErrForbidden, "give this user the right to write "+path+" and its folder"
	case sqlite3.SQLITE_CANTOPEN:
		kind, hint = corpus.ErrUnavailable, "see that "+path+" is there and that this user may read it and write its folder"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		kind, hint = corpus.ErrUnavailable, "another process is writing to "+path+" for long; try again when it is done"
	case sqlite3.SQLITE_IOERR:
		kind, hint = corpus.ErrUnavailable, "the disk of "+path+" reports errors; check it and its free space"
	case sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	}
	if kind == nil && errors.Is(err, fs.ErrPermission) {
		kind, hint = corpus.ErrForbidden, "give this user the right to read and write "+path+" and its folder"
	}
	if kind == nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return corpus.Hint(corpus.Errorf(kind, "%s: %w", doing, err), hint)
}

func noCollection(name string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "collection %q does not exist", name),
		"ingest documents into it, or list what there is with: grounded collections")
}
