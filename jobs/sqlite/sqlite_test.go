package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"grounded/jobs"
	"grounded/jobs/jobstest"
	"grounded/jobs/sqlite"
)

func TestMain(m *testing.M) { jobstest.Main(m, openQueue) }

func openQueue(ctx context.Context, path string, o jobstest.Options) (jobs.Queue, error) {
	return sqlite.Open(ctx, sqlite.Config{Path: path, Lease: o.Lease, Retention: o.Retention, Abandoned: o.Abandoned})
}

// folder is a place of the suite.
type folder string

func (f folder) Open(t testing.TB, o jobstest.Options) jobs.Queue {
	t.Helper()
	q, err := openQueue(t.Context(), f.Argument(), o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (folder) Restart(testing.TB) {}

func (f folder) Argument() string { return filepath.Join(string(f), "jobs.db") }

func TestSuite(t *testing.T) {
	jobstest.Run(t, func(t testing.TB) jobstest.Place { return folder(t.TempDir()) })
}

func TestWorkers(t *testing.T) {
	jobstest.RunWorkers(t, func(t testing.TB) jobstest.Place { return folder(t.TempDir()) })
}
