package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"grounded/corpus"
	"grounded/jobs"
)

func millis(t time.Time) int64 { return t.UnixMilli() }

// Submit implements jobs.Queue.
func (q *Queue) Submit(ctx context.Context, j jobs.Job) (stored jobs.Job, err error) {
	access, err := json.Marshal(j.Access)
	if err != nil {
		return stored, err
	}
	progress, err := json.Marshal(j.Progress)
	if err != nil {
		return stored, err
	}
	err = q.write(ctx, "submit job", func(tx *sql.Tx) error {
		stored, err = readJob(ctx, tx, j.ID)
		if err == nil {
			if stored.Digest != j.Digest {
				return jobs.OtherRequest()
			}
			return nil
		}
		if !errors.Is(err, corpus.ErrNotFound) {
			return err
		}
		// Sweep takes files that were not written for long for abandoned.
		if _, err := os.Stat(q.folder(j.Storage)); len(j.Files) > 0 && errors.Is(err, fs.ErrNotExist) {
			return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "its files took too long and were forgotten"), "upload them again")
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO jobs (id, kind, collection, owner, access, spec, idempotency_key, digest, storage, status, created_at, progress)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)`,
			j.ID, j.Kind, j.Collection, j.Owner, string(access), string(j.Spec), j.IdempotencyKey, j.Digest, j.Storage, millis(time.Now()), string(progress))
		if err != nil {
			return err
		}
		seq, err := result.LastInsertId()
		if err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO files (job, number, document, file) VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer insert.Close()
		for i, f := range j.Files {
			encoded, err := json.Marshal(f)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, seq, i, string(f.ID), string(encoded)); err != nil {
				return err
			}
		}
		stored, err = readJob(ctx, tx, j.ID)
		return err
	})
	return stored, err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const columns = "seq, id, kind, collection, owner, access, spec, idempotency_key, digest, storage, status, cancelling, created_at, started_at, ended_at, attempts, progress, error, version"

// row is a job as it is stored.
type row struct {
	jobs.Job
	seq, version int64
}

// readRows reads jobs without their files.
func readRows(ctx context.Context, from querier, where string, args ...any) ([]row, error) {
	rows, err := from.QueryContext(ctx, "SELECT "+columns+" FROM jobs WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		var access, spec, progress string
		var created int64
		var started, ended sql.NullInt64
		err := rows.Scan(&r.seq, &r.ID, &r.Kind, &r.Collection, &r.Owner, &access, &spec, &r.IdempotencyKey, &r.Digest, &r.Storage,
			&r.Status, &r.Cancelling, &created, &started, &ended, &r.Attempts, &progress, &r.Error, &r.version)
		if err == nil {
			err = json.Unmarshal([]byte(access), &r.Access)
		}
		if err == nil {
			err = json.Unmarshal([]byte(progress), &r.Progress)
		}
		if err != nil {
			return nil, err
		}
		r.Spec = json.RawMessage(spec)
		r.Created, r.Started, r.Ended = time.UnixMilli(created).UTC(), timeOf(started), timeOf(ended)
		list = append(list, r)
	}
	return list, rows.Err()
}

func timeOf(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	t := time.UnixMilli(ms.Int64).UTC()
	return &t
}

// readRow reads a job without its files.
func readRow(ctx context.Context, from querier, id string) (row, error) {
	list, err := readRows(ctx, from, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = jobs.NotFound(id)
	}
	if err != nil {
		return row{}, err
	}
	return list[0], nil
}

// readJob reads a job with its files.
func readJob(ctx context.Context, from querier, id string) (jobs.Job, error) {
	r, err := readRow(ctx, from, id)
	if err != nil {
		return jobs.Job{}, err
	}
	rows, err := from.QueryContext(ctx, "SELECT file FROM files WHERE job = ? ORDER BY number", r.seq)
	if err != nil {
		return jobs.Job{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var f jobs.File
		if err := rows.Scan(&text); err != nil {
			return jobs.Job{}, err
		}
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return jobs.Job{}, err
		}
		r.Files = append(r.Files, f)
	}
	return r.Job, rows.Err()
}

// Job implements jobs.Queue.
func (q *Queue) Job(ctx context.Context, id string) (j jobs.Job, err error) {
	// One transaction, so that the files are those of the state.
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return j, q.fail("read job", err)
	}
	defer tx.Rollback()
	j, err = readJob(ctx, tx, id)
	return j, q.fail("read job", err)
}

// Jobs implements jobs.Queue.
func (q *Queue) Jobs(ctx context.Context, query jobs.Query) ([]jobs.Job, string, error) {
	query, err := query.Check()
	if err != nil {
		return nil, "", err
	}
	where, args := "1", []any{}
	for column, value := range map[string]string{"owner": query.Owner, "collection": query.Collection, "status": string(query.Status)} {
		if value != "" {
			where += " AND " + column + " = ?"
			args = append(args, value)
		}
	}
	if len(query.Kinds) > 0 {
		where += " AND kind IN (?" + strings.Repeat(", ?", len(query.Kinds)-1) + ")"
		for _, kind := range query.Kinds {
			args = append(args, kind)
		}
	}
	if query.Cursor != "" {
		seq, err := strconv.ParseInt(query.Cursor, 10, 64)
		if err != nil {
			return nil, "", corpus.Errorf(corpus.ErrInvalid, "list jobs: %q is no cursor", query.Cursor)
		}
		where += " AND seq < ?"
		args = append(args, seq)
	}
	rows, err := readRows(ctx, q.db, where+" ORDER BY seq DESC LIMIT ?", append(args, query.Limit+1)...)
	if err != nil {
		return nil, "", q.fail("list jobs", err)
	}
	next := ""
	if len(rows) > query.Limit {
		rows = rows[:query.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].seq, 10)
	}
	page := make([]jobs.Job, len(rows))
	for i, r := range rows {
		page[i] = r.Job
	}
	return page, next, nil
}

// Watch implements jobs.Queue.
func (q *Queue) Watch(ctx context.Context, id string, observe func(jobs.Job) error) error {
	for last := int64(-1); ; {
		changed := q.changes()
		r, err := readRow(ctx, q.db, id)
		if err != nil {
			return q.fail("watch job", err)
		}
		if r.version != last {
			last = r.version
			if err := observe(r.Job); err != nil {
				return err
			}
		}
		if r.Status.Ended() {
			return nil
		}
		if err := q.wait(ctx, changed); err != nil {
			return err
		}
	}
}

// Cancel implements jobs.Queue.
func (q *Queue) Cancel(ctx context.Context, id string) (j jobs.Job, err error) {
	err = q.write(ctx, "cancel job", func(tx *sql.Tx) error {
		if j, err = readJob(ctx, tx, id); err != nil {
			return err
		}
		if j.Status.Ended() {
			return jobs.HasEnded(j)
		}
		change := "cancelling = 1"
		var args []any
		if j.Status == jobs.Queued {
			change, args = "status = 'cancelled', ended_at = ?", []any{millis(time.Now())}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE jobs SET "+change+", version = version + 1 WHERE id = ?", append(args, id)...); err != nil {
			return err
		}
		j, err = readJob(ctx, tx, id)
		return err
	})
	if err != nil {
		return jobs.Job{}, err
	}
	if j.Status == jobs.Cancelled {
		if err := q.Discard(ctx, j.Storage); err != nil {
			return j, fmt.Errorf("job %s is cancelled: %w", id, err)
		}
	}
	return j, nil
}
