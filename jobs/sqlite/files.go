package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"grounded/corpus"
	"grounded/jobs"
)

func (q *Queue) folder(storage string) string { return filepath.Join(q.Files, storage) }

func (q *Queue) file(storage string, index int) string {
	return filepath.Join(q.folder(storage), strconv.Itoa(index))
}

// Put implements jobs.Queue.
func (q *Queue) Put(ctx context.Context, storage string, index int, r io.Reader) error {
	doing := "keep the upload"
	if err := os.MkdirAll(q.folder(storage), 0o700); err != nil {
		return q.fail(doing, err)
	}
	name := q.file(storage, index)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return q.fail(doing, err)
	}
	_, err = io.Copy(f, &readerWith{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = syncFolder(q.folder(storage))
	}
	if err != nil {
		return q.fail(doing, errors.Join(err, os.Remove(name)))
	}
	return nil
}

// readerWith ends with its context.
type readerWith struct {
	ctx context.Context
	r   io.Reader
}

func (r *readerWith) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Discard implements jobs.Queue.
func (q *Queue) Discard(_ context.Context, storage string) error {
	return q.fail("discard the upload", os.RemoveAll(q.folder(storage)))
}

// Place implements jobs.Queue. Where it can it only gives the content another name.
func (q *Queue) Place(ctx context.Context, j jobs.Job, index int, path string) error {
	doing := fmt.Sprintf("read upload %d of job %s", index, j.ID)
	from := q.file(j.Storage, index)
	err := os.Link(from, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return q.fail(doing, err)
	}
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "%s: its file is gone", doing), "upload it again, and leave the folder "+q.Files+" to this program")
	}
	if err != nil {
		return q.fail(doing, err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return q.fail(doing, err)
	}
	_, err = io.Copy(out, &readerWith{ctx, in})
	return q.fail(doing, errors.Join(err, out.Close()))
}

// Sweep implements jobs.Queue.
func (q *Queue) Sweep(ctx context.Context) error {
	doing := "forget old jobs"
	// In small steps, so that others can write between them.
	for {
		result, err := q.db.ExecContext(ctx, "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE ended_at < ? LIMIT 500)", millis(time.Now().Add(-q.Retention)))
		if err != nil {
			return q.fail(doing, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			break
		}
	}
	folders, err := os.ReadDir(q.Files)
	if err != nil {
		return q.fail(doing, err)
	}
	for _, folder := range folders {
		written, err := lastWritten(q.folder(folder.Name()))
		if err != nil || time.Since(written) < q.Abandoned {
			continue // gone meanwhile, or may be on its way
		}
		var needed bool
		err = q.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM jobs WHERE storage = ? AND status IN ('queued', 'running'))", folder.Name()).Scan(&needed)
		if err != nil {
			return q.fail(doing, err)
		}
		if !needed {
			if err := q.Discard(ctx, folder.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastWritten is when anything in a folder was last written.
func lastWritten(folder string) (time.Time, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return time.Time{}, err
	}
	last := info.ModTime()
	entries, err := os.ReadDir(folder)
	if err != nil {
		return time.Time{}, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last, nil
}
