// Package sqlite is the queue of one machine: jobs in a SQLite file, the content of their files in a folder beside it.
// Any number of processes of the machine may use both at once.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"grounded/corpus"
	"grounded/jobs"
)

// Config says where the queue is. Zero values but for Path are the defaults.
type Config struct {
	Path      string        // of the SQLite file; it is made if it is not there
	Files     string        // folder of the files' content; default: beside the SQLite file
	Lease     time.Duration // how long a worker may not be heard of; default 30 seconds
	Retention time.Duration // of jobs that have ended; default jobs.DefaultRetention
	Abandoned time.Duration // after which files without a job are forgotten; default an hour
}

const (
	defaultLease     = 30 * time.Second
	defaultAbandoned = time.Hour
	// pollEvery is how often another process's changes are looked for.
	pollEvery = 200 * time.Millisecond
	// busyFor is how long a write waits while another process writes.
	busyFor = 30 * time.Second
)

// Queue is a queue in a file.
type Queue struct {
	Config
	db *sql.DB

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when this process has changed a job
}

var _ jobs.Queue = (*Queue)(nil)

// applicationID marks a file as a queue of this program: "grnj".
const applicationID = 0x67726e6a

// migrations make the schema, each from the version before it; PRAGMA user_version tells how many have run. One that has
// been released is never changed. Times are milliseconds since 1970; seq orders jobs by their submission.
var migrations = []string{
	`CREATE TABLE jobs (
		seq INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL UNIQUE,
		kind TEXT NOT NULL,
		collection TEXT NOT NULL,
		owner TEXT NOT NULL,
		access TEXT NOT NULL,
		spec TEXT NOT NULL,
		idempotency_key TEXT NOT NULL,
		digest TEXT NOT NULL,
		storage TEXT NOT NULL,
		status TEXT NOT NULL,
		cancelling INTEGER NOT NULL DEFAULT 0,
		created_at INTEGER NOT NULL,
		started_at INTEGER,
		ended_at INTEGER,
		attempts INTEGER NOT NULL DEFAULT 0,
		progress TEXT NOT NULL,
		error TEXT NOT NULL DEFAULT '',
		worker TEXT NOT NULL DEFAULT '',
		token TEXT NOT NULL DEFAULT '',
		due_at INTEGER NOT NULL DEFAULT 0,
		version INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE INDEX jobs_open ON jobs (seq) WHERE status IN ('queued', 'running');
	CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
	CREATE INDEX jobs_storage ON jobs (storage);
	CREATE TABLE files (
		job INTEGER NOT NULL REFERENCES jobs(seq) ON DELETE CASCADE,
		number INTEGER NOT NULL,
		document TEXT NOT NULL,
		file TEXT NOT NULL,
		PRIMARY KEY (job, number)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX files_document ON files (document);`,
}

// Open opens the queue, or makes it, readable for this user alone.
func Open(ctx context.Context, c Config) (*Queue, error) {
	if c.Path == "" {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open job queue: no path")
	}
	if c.Lease < 0 || c.Retention < 0 || c.Abandoned < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open job queue: a length of time is negative")
	}
	c.Lease, c.Retention, c.Abandoned = defaultTo(c.Lease, defaultLease), defaultTo(c.Retention, jobs.DefaultRetention), defaultTo(c.Abandoned, defaultAbandoned)
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open job queue %s: %w", c.Path, err)
	}
	c.Path = path
	if c.Files == "" {
		c.Files = filepath.Join(filepath.Dir(path), "uploads")
	}
	q := &Queue{Config: c, changed: make(chan struct{})}
	doing := "open job queue " + path
	if err := os.MkdirAll(c.Files, 0o700); err != nil {
		return nil, q.fail(doing, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, q.fail(doing, err)
	}
	f.Close()
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyFor.Milliseconds()), "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)"}}
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + query.Encode())
	if err != nil {
		return nil, q.fail(doing, err)
	}
	q.db = sql.OpenDB(connector)
	q.db.SetMaxOpenConns(8)
	q.db.SetMaxIdleConns(8)
	if err := q.migrate(ctx); err != nil {
		return nil, errors.Join(q.fail(doing, err), q.db.Close())
	}
	return q, nil
}

func (q *Queue) migrate(ctx context.Context) error {
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version, application, tables int
	for pragma, into := range map[string]*int{"PRAGMA user_version": &version, "PRAGMA application_id": &application, "SELECT count(*) FROM sqlite_schema": &tables} {
		if err := tx.QueryRowContext(ctx, pragma).Scan(into); err != nil {
			return err
		}
	}
	switch {
	case application != applicationID && (application != 0 || tables > 0):
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "it is a SQLite file of another program"), "choose another folder with --data; the file was left as it is")
	case version > len(migrations):
		return corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "the file has schema version %d, this program knows versions up to %d", version, len(migrations)), "upgrade this program; the file was left as it is")
	}
	for _, statements := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, statements); err != nil {
			return err
		}
	}
	if version < len(migrations) {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, len(migrations))); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close ends the queue in this process.
func (q *Queue) Close() error { return q.db.Close() }

// write runs f in a transaction, and tells this process that jobs have changed.
func (q *Queue) write(ctx context.Context, doing string, f func(tx *sql.Tx) error) error {
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return q.fail(doing, err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return q.fail(doing, err)
	}
	if err := tx.Commit(); err != nil {
		return q.fail(doing, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.changed)
	q.changed = make(chan struct{})
	return nil
}

// wait returns when jobs may have changed.
func (q *Queue) wait(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue) changes() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed
}

// fail wraps what went wrong with its kind and what to do about it. What has a kind keeps it.
func (q *Queue) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	code := 0
	var e *sqlite.Error
	if errors.As(err, &e) {
		code = e.Code() & 0xff
	}
	kind, hint := error(nil), ""
	switch {
	case code == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		kind, hint = corpus.ErrFull, "free space on the disk of "+q.Path+", then do the same again; no job is lost"
	case code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_CORRUPT:
		kind, hint = corpus.ErrCorrupt, "move "+q.Path+" away to begin with an empty queue: documents are not in it. It was left as it is"
	case code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_PERM || code == sqlite3.SQLITE_CANTOPEN || errors.Is(err, fs.ErrPermission):
		kind, hint = corpus.ErrForbidden, "give this user the right to read and write "+filepath.Dir(q.Path)
	case code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED:
		kind, hint = corpus.ErrUnavailable, "another process is writing to "+q.Path+" for long; try again"
	case code == sqlite3.SQLITE_IOERR || errors.Is(err, syscall.EIO):
		kind, hint = corpus.ErrUnavailable, "the disk of "+q.Path+" reports errors; check it"
	case code == sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	}
	if kind == nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return corpus.Hint(corpus.Errorf(kind, "%s: %w", doing, err), hint)
}

func defaultTo(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
