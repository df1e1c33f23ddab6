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
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"grounded/corpus"
	"grounded/store"
)

// Config says which file, and how long to wait for it.
type Config struct {
	// Path of the file. It is made, with its folder, if it is not there; only this user may read it then.
	Path string
	// Wait is how long a write waits while another process writes; 0 means 30 seconds.
	Wait time.Duration
}

// Store is one SQLite file.
type Store struct {
	path     string
	file     os.FileInfo // as it was opened; tells whether the path still leads to it
	readOnly error       // why it can't be written; nil if it can

	readers *sql.DB
	// builders read for whoever holds a mirror's lock. Their connections are not the readers', all of which may
	// be held by searches that wait for that lock.
	builders *sql.DB
	prepared pooled  // for readers
	writers  *sql.DB // one connection, owned by the writer; nil if readOnly
	writer   *writer

	mu      sync.Mutex
	mirrors map[string]*mirror // by collection, once searched
	closing sync.RWMutex       // held for reading by each call
	closed  bool
}

var _ store.Store = (*Store)(nil)

var errClosed = errors.New("the store is closed")

// Open opens the store's file, or makes it. A file that this user may only read is opened for reading, and
// writes say why they fail. Errors are corpus.ErrUnsupported for a file of a newer version of this program,
// corpus.ErrCorrupt for a damaged one or none of SQLite's, corpus.ErrInvalid for another program's or a path that
// can't be a file. No file is ever deleted or overwritten.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Path == "" {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open store: no path")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", c.Path, err)
	}
	if c.Wait <= 0 {
		c.Wait = 30 * time.Second
	}
	doing := "open store " + path
	if err := prepareFile(path); err != nil {
		return nil, failAt(path, doing, err)
	}
	s := &Store{path: path, mirrors: map[string]*mirror{}}
	if s.file, err = os.Stat(path); err != nil {
		return nil, failAt(path, doing, err)
	}
	err = s.openForWriting(ctx, c.Wait)
	switch resultCode(err) {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		s.readOnly = err
		err = s.openForReading(ctx)
	}
	if err == nil {
		s.prepared, err = preparePooled(ctx, s.readers)
	}
	if err != nil {
		s.closeConnections()
		return nil, failAt(path, doing, err)
	}
	return s, nil
}

// prepareFile makes the file and its folder if they are not there, readable for this user alone. SQLite gives
// the files beside it the same rights.
func prepareFile(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "it is a folder"), "name a file in it: "+filepath.Join(path, "grounded.db"))
	case err == nil && !info.Mode().IsRegular():
		return corpus.Errorf(corpus.ErrInvalid, "it is not a regular file")
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was first
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// openForWriting opens the writer's connection, migrates, and opens the readers.
//
// synchronous is FULL: with a write-ahead log, NORMAL would already survive the end of the process at any
// instant (what was committed is in the system's cache), but may lose the last commits when the machine loses
// power. An upload that was acknowledged may exist nowhere else, and the writer shares a sync among the writes
// that wait, so the price is small.
func (s *Store) openForWriting(ctx context.Context, wait time.Duration) error {
	busy := fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds())
	var err error
	s.writers, err = s.connect("rw", 1, busy, "foreign_keys(1)", "synchronous(FULL)", "cache_size(-24576)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)")
	if err != nil {
		return err
	}
	conn, err := s.writers.Conn(ctx)
	if err != nil {
		return err
	}
	if err := prepareDatabase(ctx, conn, s.path, wait); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := s.connectReaders("rw", busy); err != nil {
		return errors.Join(err, conn.Close())
	}
	s.writer = newWriter(s, conn)
	return nil
}

// prepareDatabase makes a connection's file ours: write-ahead log, schema. It finds out whether it can be
// written. SQLite itself compares the file's size with its header, so one that lost its end is found as well.
func prepareDatabase(ctx context.Context, conn *sql.Conn, path string, wait time.Duration) error {
	if _, err := checkSchema(ctx, conn, path); err != nil {
		return err
	}
	// Changing the journal's mode does not wait for other connections by itself.
	for deadline := time.Now().Add(wait); ; {
		var mode string
		err := conn.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode)
		if err == nil {
			break
		}
		if code := resultCode(err); code != sqlite3.SQLITE_BUSY && code != sqlite3.SQLITE_LOCKED || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := migrate(ctx, conn, path); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE; ROLLBACK") // fails if the file can't be written
	return err
}

// openForReading opens a file that can't be written. Where not even the files beside it can be made, SQLite
// reads it as one that nobody changes; that would not see what a write-ahead log has, so then it is refused.
func (s *Store) openForReading(ctx context.Context) error {
	s.closeConnections()
	mode := "ro"
	if info, err := os.Stat(s.path + "-wal"); err != nil || info.Size() == 0 {
		mode = "ro&immutable=1"
	}
	if err := s.connectReaders(mode); err != nil {
		return err
	}
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	current, err := checkSchema(ctx, conn, s.path)
	if err == nil && !current {
		err = corpus.Errorf(corpus.ErrForbidden, "the file needs a migration and can't be written: %w", s.readOnly)
	}
	return err
}

// connectReaders opens the pools that read. The builders' connections are closed when they are not used.
func (s *Store) connectReaders(mode string, pragmas ...string) (err error) {
	if s.readers, err = s.connect(mode, max(4, 2*runtime.GOMAXPROCS(0)), append(pragmas, "query_only(1)", "cache_size(-4096)")...); err != nil {
		return err
	}
	if s.builders, err = s.connect(mode, max(2, runtime.GOMAXPROCS(0)), append(pragmas, "query_only(1)")...); err != nil {
		return err
	}
	s.builders.SetMaxIdleConns(0)
	return nil
}

// connect opens a pool on the file. mode is SQLite's mode parameter.
func (s *Store) connect(mode string, connections int, pragmas ...string) (*sql.DB, error) {
	query := "mode=" + mode + "&_txlock=deferred&_pragma=" + url.QueryEscape(fmt.Sprintf("page_size(%d)", pageSize))
	for _, p := range pragmas {
		query += "&_pragma=" + url.QueryEscape(p)
	}
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: filepath.ToSlash(s.path)}).EscapedPath() + "?" + query)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func (s *Store) closeConnections() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
		s.writer = nil
	}
	for _, db := range []**sql.DB{&s.readers, &s.builders, &s.writers} {
		if *db != nil {
			errs = append(errs, (*db).Close())
			*db = nil
		}
	}
	return errors.Join(errs...)
}

// Close waits for the calls that are under way and ends everything. Closing twice is allowed.
func (s *Store) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.mu.Lock()
	clear(s.mirrors)
	s.mu.Unlock()
	if err := s.closeConnections(); err != nil {
		return s.fail("close store", err)
	}
	return nil
}

// enter begins a call; leave ends it. It fails once the store is closed or the file has gone from its path:
// SQLite would go on writing to a file that nobody can find any more.
func (s *Store) enter() (leave func(), err error) {
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return nil, corpus.Errorf(corpus.ErrUnavailable, "%s: %w", s.path, errClosed)
	}
	if err := s.checkPath(); err != nil {
		s.closing.RUnlock()
		return nil, err
	}
	return s.closing.RUnlock, nil
}

func (s *Store) checkPath() error {
	info, err := os.Stat(s.path)
	if err == nil && os.SameFile(info, s.file) {
		return nil
	}
	if err == nil {
		err = errors.New("another file is in its place")
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the store's file is gone: %w", err),
		"put "+s.path+" back or restore a backup, then start this program again; nothing is written until then")
}

// read runs f in a transaction that sees one state of the file.
func (s *Store) read(ctx context.Context, doing string, f func(tx *sql.Tx) error) error {
	leave, err := s.enter()
	if err != nil {
		return s.fail(doing, err)
	}
	defer leave()
	return s.readFrom(ctx, s.readers, doing, f)
}

// readFrom is read with a pool's connection, inside a call that has entered.
func (s *Store) readFrom(ctx context.Context, pool *sql.DB, doing string, f func(tx *sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(doing, err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return s.fail(doing, err)
	}
	return nil
}
