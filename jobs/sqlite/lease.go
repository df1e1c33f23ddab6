package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"grounded/jobs"
)

// claimable are the jobs that are due, of certain kinds, and have no document in common with an older one that has
// not ended. due_at is when a queued job may be tried, or the lease of a running one ends.
const claimable = `SELECT id FROM jobs AS j WHERE status IN ('queued', 'running') AND due_at <= ? AND kind IN (?) AND NOT EXISTS (
	SELECT 1 FROM files AS mine JOIN files AS other ON other.document = mine.document AND other.job < mine.job
	JOIN jobs AS older ON older.seq = other.job
	WHERE mine.job = j.seq AND older.status IN ('queued', 'running'))
	ORDER BY seq LIMIT 1`

// Claim implements jobs.Queue.
func (q *Queue) Claim(ctx context.Context, c jobs.Claimant) (jobs.Lease, error) {
	if err := c.Check(); err != nil {
		return jobs.Lease{}, err
	}
	query, args := strings.Replace(claimable, "(?)", "(?"+strings.Repeat(", ?", len(c.Kinds)-1)+")", 1), []any{nil}
	for _, kind := range c.Kinds {
		args = append(args, kind)
	}
	for {
		changed := q.changes()
		// A look first: a transaction that writes makes others wait.
		args[0] = millis(time.Now())
		found, err := q.queryID(ctx, q.db, query, args)
		if err != nil {
			return jobs.Lease{}, q.fail("claim job", err)
		}
		if found != "" {
			lease, ok, err := q.claim(ctx, c, query, args)
			if ok || err != nil {
				return lease, err
			}
			continue
		}
		if err := q.wait(ctx, changed); err != nil {
			return jobs.Lease{}, err
		}
	}
}

func (q *Queue) queryID(ctx context.Context, from querier, query string, args []any) (id string, err error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&id)
	}
	if err == nil {
		err = rows.Err()
	}
	return id, err
}

// claim gives the first claimable job to the claimant; ok is false if another took it.
func (q *Queue) claim(ctx context.Context, c jobs.Claimant, query string, args []any) (l jobs.Lease, ok bool, err error) {
	l = jobs.Lease{Token: uuid.NewString(), Time: q.Lease}
	err = q.write(ctx, "claim job", func(tx *sql.Tx) error {
		id, err := q.queryID(ctx, tx, query, args)
		if err != nil || id == "" {
			return err
		}
		now := time.Now()
		if _, err := tx.ExecContext(ctx, `UPDATE jobs SET status = 'running', worker = ?, token = ?, due_at = ?, attempts = attempts + 1,
			started_at = coalesce(started_at, ?), version = version + 1 WHERE id = ?`, c.Worker, l.Token, millis(now.Add(q.Lease)), millis(now), id); err != nil {
			return err
		}
		l.Job, err = readJob(ctx, tx, id)
		ok = err == nil
		return err
	})
	return l, ok && err == nil, err
}

// update changes the job of a lease that is held.
func (q *Queue) update(ctx context.Context, doing string, l jobs.Lease, change string, args []any, more func(*sql.Tx) error) error {
	return q.write(ctx, doing, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE jobs SET "+change+", version = version + 1 WHERE id = ? AND token = ? AND status = 'running'", append(args, l.Job.ID, l.Token)...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = jobs.Lost(l.Job.ID)
			}
			return err
		}
		if more != nil {
			return more(tx)
		}
		return nil
	})
}

// Extend implements jobs.Queue.
func (q *Queue) Extend(ctx context.Context, l jobs.Lease, p jobs.Progress, outcomes map[int]jobs.Outcome) error {
	progress, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return q.update(ctx, "extend lease", l, "due_at = ?, progress = ?", []any{millis(time.Now().Add(q.Lease)), string(progress)}, func(tx *sql.Tx) error {
		for i, o := range outcomes {
			f := l.Job.Files[i]
			f.Outcome = o
			encoded, err := json.Marshal(f)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE files SET file = ? WHERE job = (SELECT seq FROM jobs WHERE id = ?) AND number = ?", string(encoded), l.Job.ID, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// Release implements jobs.Queue.
func (q *Queue) Release(ctx context.Context, l jobs.Lease, r jobs.Release) error {
	change := "token = '', worker = '', status = iif(cancelling, 'cancelled', 'queued'), ended_at = iif(cancelling, ?, NULL), cancelling = 0, due_at = ?, error = ?"
	args := []any{millis(time.Now()), millis(time.Now().Add(r.After)), r.Reason}
	if r.Parked {
		change, args = change+", attempts = attempts - 1", []any{args[0], 0, l.Job.Error}
	}
	return q.update(ctx, "give job back", l, change, args, nil)
}

// End implements jobs.Queue.
func (q *Queue) End(ctx context.Context, l jobs.Lease, s jobs.Status, reason string) error {
	err := q.update(ctx, "end job", l, "status = ?, error = ?, ended_at = ?, cancelling = 0, token = '', due_at = 0", []any{string(s), reason, millis(time.Now())}, nil)
	if err != nil {
		return err
	}
	return q.Discard(ctx, l.Job.Storage)
}
