package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
)

// Bounds of what shares a transaction, so that no write waits long for the others and the log stays small.
const (
	groupWrites = 256
	groupBytes  = 16 << 20
)

// write is a change that waits for its transaction.
type write struct {
	// check looks whether the change may be made and changes nothing. Its error fails this write alone.
	check func(*transaction) error
	// apply makes the change. Its error, one of SQLite's, ends the transaction; it may run again in another.
	apply func(*transaction) error
	bytes int // about how much is written

	state atomic.Int32 // one of the states below
	done  chan error
}

// States of a write: whoever waits for it may give up until it is taken.
const (
	waiting int32 = iota
	taken
	abandoned
)

// writer owns the only connection that writes. Writes that wait at the same time share a transaction and so a
// sync to disk; each returns after its commit.
type writer struct {
	store      *Store
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	terms      map[int64]*dictionary // by collection; what is committed or in the transaction under way

	queue chan *write
	stop  chan struct{}
	ended chan struct{}
}

func newWriter(s *Store, conn *sql.Conn) *writer {
	w := &writer{
		store: s, conn: conn,
		statements: map[string]*sql.Stmt{}, terms: map[int64]*dictionary{},
		queue: make(chan *write), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.run()
	return w
}

// close ends the writer; nobody may be waiting for a write then.
func (w *writer) close() error {
	close(w.stop)
	<-w.ended
	for _, statement := range w.statements {
		statement.Close()
	}
	return w.conn.Close()
}

// write makes a change and returns once it is committed, or when it failed and changed nothing. If ctx ends
// before its turn nothing is changed either.
func (s *Store) write(ctx context.Context, doing string, change *write) error {
	leave, err := s.enter()
	if err != nil {
		return s.fail(doing, err)
	}
	defer leave()
	if s.readOnly != nil {
		return s.fail(doing, s.readOnly)
	}
	if err := ctx.Err(); err != nil { // select below would take either of two ways that are open
		return s.fail(doing, err)
	}
	change.done = make(chan error, 1)
	select {
	case s.writer.queue <- change:
	case <-ctx.Done():
		return s.fail(doing, ctx.Err())
	}
	select {
	case err = <-change.done:
	case <-ctx.Done():
		if change.state.CompareAndSwap(waiting, abandoned) {
			return s.fail(doing, ctx.Err())
		}
		err = <-change.done
	}
	return s.fail(doing, err)
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.stop:
			return
		case first := <-w.queue:
			w.group(first)
		}
	}
}

// group commits a write together with those that wait beside it. If the transaction fails, each is tried again
// by itself, so that one that is too large for the disk does not fail the others.
func (w *writer) group(first *write) {
	var members []*write
	err := w.transact(func(t *transaction) error {
		bytes := 0
		for next := first; next != nil; {
			if next.state.CompareAndSwap(waiting, taken) {
				if err := next.check(t); err != nil {
					next.done <- err
				} else {
					members = append(members, next)
					if err := next.apply(t); err != nil {
						return err
					}
				}
			}
			bytes += next.bytes
			next = nil
			if len(members) < groupWrites && bytes < groupBytes {
				select {
				case next = <-w.queue:
				default:
				}
			}
		}
		return nil
	})
	if err != nil && len(members) > 1 {
		for _, m := range members {
			m.done <- w.alone(m)
		}
		return
	}
	if len(members) == 0 && err != nil && first.state.CompareAndSwap(waiting, taken) {
		members = append(members, first) // the transaction did not begin
	}
	for _, m := range members {
		m.done <- err
	}
}

func (w *writer) alone(m *write) error {
	var refused error
	err := w.transact(func(t *transaction) error {
		if refused = m.check(t); refused != nil {
			return nil
		}
		return m.apply(t)
	})
	return errors.Join(err, refused)
}

// transact runs f in a transaction that nobody else writes beside. The connection's busy timeout bounds the
// wait for other processes. An error rolls everything back.
func (w *writer) transact(f func(*transaction) error) error {
	ctx := context.Background() // a change that has begun is finished: each is short
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	t := &transaction{writer: w, ctx: ctx, collections: map[string]*collectionState{}}
	err := f(t)
	if err == nil {
		err = t.flush()
	}
	if err == nil {
		err = w.store.checkPath()
	}
	if err == nil {
		_, err = w.exec("COMMIT")
	}
	if err != nil {
		clear(w.terms)     // may have terms of this transaction
		w.exec("ROLLBACK") // fails if SQLite has rolled back already
	}
	return err
}

// transaction is one under way.
type transaction struct {
	*writer
	ctx         context.Context
	collections map[string]*collectionState // those that were asked for; nil for one that is not there
}

// statement prepares SQL once for the connection's life.
func (w *writer) statement(query string) (*sql.Stmt, error) {
	if s, ok := w.statements[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		w.statements[query] = s
	}
	return s, err
}

func (w *writer) exec(query string, args ...any) (sql.Result, error) {
	s, err := w.statement(query)
	if err != nil {
		return nil, err
	}
	return s.Exec(args...)
}

func (w *writer) query(query string, args ...any) (*sql.Rows, error) {
	s, err := w.statement(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// queryRow scans the only row into the pointers; sql.ErrNoRows if there is none.
func (w *writer) queryRow(query string, args, to []any) error {
	s, err := w.statement(query)
	if err != nil {
		return err
	}
	return s.QueryRow(args...).Scan(to...)
}
