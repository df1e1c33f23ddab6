package nats_test

import (
	"context"
	"testing"

	"grounded/jobs"
	"grounded/jobs/jobstest"
	"grounded/jobs/nats"
	"grounded/jobs/nats/natstest"
)

func TestMain(m *testing.M) { jobstest.Main(m, openQueue) }

func openQueue(ctx context.Context, url string, o jobstest.Options) (jobs.Queue, error) {
	return nats.Open(ctx, nats.Config{URL: url, Lease: o.Lease, Retention: o.Retention, Abandoned: o.Abandoned})
}

// place is a server as a place of the suite.
type place struct{ *natstest.Server }

func (p place) Open(t testing.TB, o jobstest.Options) jobs.Queue {
	t.Helper()
	q, err := openQueue(t.Context(), p.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (p place) Argument() string { return p.URL() }

func TestSuite(t *testing.T) {
	jobstest.Run(t, func(t testing.TB) jobstest.Place { return place{natstest.Start(t, nil)} })
}

func TestWorkers(t *testing.T) {
	jobstest.RunWorkers(t, func(t testing.TB) jobstest.Place { return place{natstest.Start(t, nil)} })
}
