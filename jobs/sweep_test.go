package jobs_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/jobs"
	"grounded/jobs/sqlite"
)

func TestWhatOldEvaluationsLeftIsForgotten(t *testing.T) {
	q, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "jobs.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	j, err := jobs.SubmitEvaluation(t.Context(), q, jobs.Limits{}, jobs.Job{Collection: "c"}, jobs.EvaluationSpec{}, []dataset.Question{{ID: "a", Question: "Why?"}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	made := func(name string, written time.Time) string {
		path := filepath.Join(folder, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(path, "items.jsonl")
		if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for at, path := range map[string]time.Time{file: written, path: old} {
			if err := os.Chtimes(at, path, path); err != nil {
				t.Fatal(err)
			}
		}
		return name
	}
	gone := made(uuid.NewString(), old)
	busy := made(uuid.NewString(), old)
	keep := []string{made(j.ID, old), made(uuid.NewString(), time.Now()), made("mine", old), busy}
	lock, err := eval.LockRun(filepath.Join(folder, busy))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(folder, busy, "lock"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(folder, busy), old, old); err != nil {
		t.Fatal(err)
	}
	sweep := func() (left []string) {
		t.Helper()
		if err := jobs.SweepEvaluations(t.Context(), q, folder, time.Hour); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, e.Name())
		}
		return left
	}
	slices.Sort(keep)
	if left := sweep(); !slices.Equal(left, keep) {
		t.Errorf("left are %q, want %q; %s is old and has no job", left, keep, gone)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if left := sweep(); slices.Contains(left, busy) {
		t.Errorf("%s is written to no more, and still there", busy)
	}
	if err := jobs.SweepEvaluations(t.Context(), q, filepath.Join(folder, "none"), time.Hour); err != nil {
		t.Errorf("no folder: %v", err)
	}
}
