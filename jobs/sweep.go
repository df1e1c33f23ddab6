package jobs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"grounded/corpus"
	"grounded/eval"
)

// SweepEvaluations removes what evaluations left below a folder when the queue has forgotten their jobs and nothing was
// written to them for the retention; both, since another queue may share the folder. What is being written to stays, and
// so does what is not named like a job.
func SweepEvaluations(ctx context.Context, q Queue, folder string, retention time.Duration) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return corpus.Errorf(corpus.ErrUnavailable, "forget old evaluations: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if uuid.Validate(e.Name()) != nil || !e.IsDir() || time.Since(lastWritten(path)) < retention {
			continue
		}
		if _, err := q.Job(ctx, e.Name()); err == nil {
			continue
		} else if !errors.Is(err, corpus.ErrNotFound) {
			return err
		}
		if err := eval.Remove(path); err != nil && !errors.Is(err, eval.ErrBusy) {
			return err
		}
	}
	return nil
}

// lastWritten is when anything in a folder was last written; now, if that can't be told.
func lastWritten(folder string) (last time.Time) {
	info, err := os.Stat(folder)
	if err != nil {
		return time.Now()
	}
	last = info.ModTime()
	entries, err := os.ReadDir(folder)
	if err != nil {
		return time.Now()
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return time.Now()
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}
