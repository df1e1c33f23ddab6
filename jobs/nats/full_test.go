package nats_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/jobs/jobstest"
	"grounded/jobs/nats"
	"grounded/jobs/nats/natstest"
)

func TestAServerWithoutRoomRefusesUploadsAndLosesNoJob(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) jobs.Queue{
		"server": func(t *testing.T) jobs.Queue {
			return place{natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 4 << 20 })}.Open(t, jobstest.Options{})
		},
		"bucket": func(t *testing.T) jobs.Queue {
			q, err := nats.Open(t.Context(), nats.Config{URL: natstest.Start(t, nil).URL(), MaxBytes: 4 << 20})
			if err != nil {
				t.Fatal(err)
			}
			return q
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := open(t)
			defer q.Close()
			jobstest.Full(t, q)
		})
	}
}

func TestServersThatCannotKeepJobsAreNamed(t *testing.T) {
	without := natstest.Start(t, func(o *server.Options) { o.JetStream = false })
	secret := natstest.Start(t, func(o *server.Options) { o.Authorization = "secret" })
	gone := natstest.Start(t, nil)
	gone.Stop()
	for name, c := range map[string]struct {
		config nats.Config
		kind   error
	}{
		"no address":        {nats.Config{}, corpus.ErrInvalid},
		"negative":          {nats.Config{URL: gone.URL(), Lease: -1}, corpus.ErrInvalid},
		"without JetStream": {nats.Config{URL: without.URL()}, corpus.ErrUnsupported},
		"without the token": {nats.Config{URL: secret.URL()}, corpus.ErrForbidden},
		"nobody there":      {nats.Config{URL: gone.URL()}, corpus.ErrUnavailable},
	} {
		q, err := nats.Open(t.Context(), c.config)
		if err == nil {
			q.Close()
		}
		if !errors.Is(err, c.kind) || name != "negative" && corpus.HintOf(err) == "" {
			t.Errorf("%s: got %v (hint %q), want one that is %q, with a hint", name, err, corpus.HintOf(err), c.kind)
		}
	}
	q, err := nats.Open(t.Context(), nats.Config{URL: secret.URL(), Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
}

// TestPartsOfUploadsThatBrokeOffAreForgotten leaves what a process that was killed in an upload leaves: chunks without
// an object.
func TestPartsOfUploadsThatBrokeOffAreForgotten(t *testing.T) {
	p := place{natstest.Start(t, nil)}
	q := p.Open(t, jobstest.Options{Abandoned: 1})
	defer q.Close()
	s, err := jobs.NewIngest(q, jobs.Limits{}, jobs.Job{Collection: "c"}, jobs.IngestSpec{})
	if err == nil {
		_, err = s.Add(t.Context(), "a.md", nil, strings.NewReader("text"))
	}
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := natsgo.Connect(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := js.Publish(t.Context(), "$O.grounded-uploads.C.broken", bytes.Repeat([]byte("x"), 1000)); err != nil {
			t.Fatal(err)
		}
	}
	chunks := func() int {
		t.Helper()
		stream, err := js.Stream(t.Context(), "OBJ_grounded-uploads")
		if err != nil {
			t.Fatal(err)
		}
		info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter("$O.grounded-uploads.C.>"))
		if err != nil {
			t.Fatal(err)
		}
		return len(info.State.Subjects)
	}
	if n := chunks(); n != 3 { // a file, the list of files, and what is broken
		t.Fatalf("there are %d objects", n)
	}
	if err := q.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := chunks(); n != 2 {
		t.Errorf("there are %d objects, want 2", n)
	}
	if err := q.Place(t.Context(), j, 0, t.TempDir()+"/a"); err != nil {
		t.Error(err)
	}
}
