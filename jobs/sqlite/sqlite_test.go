package sqlite_test

import (
	"path/filepath"
	"testing"

	"grounded/jobs"
	"grounded/jobs/jobstest"
	"grounded/jobs/sqlite"
)

// folder is a place of the suite.
type folder string

func (f folder) Open(t testing.TB, o jobstest.Options) jobs.Queue {
	t.Helper()
	q, err := sqlite.Open(t.Context(), sqlite.Config{Path: f.Argument(), Lease: o.Lease, Retention: o.Retention, Abandoned: o.Abandoned})
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
