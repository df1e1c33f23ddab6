package nats_test

import (
	"testing"

	"grounded/jobs"
	"grounded/jobs/jobstest"
	"grounded/jobs/nats"
	"grounded/jobs/nats/natstest"
)

// place is a server as a place of the suite.
type place struct{ *natstest.Server }

func (p place) Open(t testing.TB, o jobstest.Options) jobs.Queue {
	t.Helper()
	q, err := nats.Open(t.Context(), nats.Config{URL: p.URL(), Lease: o.Lease, Retention: o.Retention, Abandoned: o.Abandoned})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (p place) Argument() string { return p.URL() }

func TestSuite(t *testing.T) {
	jobstest.Run(t, func(t testing.TB) jobstest.Place { return place{natstest.Start(t, nil)} })
}
