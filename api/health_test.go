package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"grounded/jobs"
)

// hanging is a queue that gives no answer, and does not hear that nobody waits for one.
type hanging struct {
	jobs.Queue
	release chan struct{}
}

func (h hanging) Job(context.Context, string) (jobs.Job, error) {
	<-h.release
	return jobs.Job{}, nil
}

func TestReadinessNamesWhatDoesNotAnswer(t *testing.T) {
	now := time.Now()
	c := open(t, func(config *Config) { config.Now = func() time.Time { return now } })
	r := c.send("GET", "/readyz", "", "").want(t, http.StatusOK)
	for _, word := range []string{`"status":"ready"`, `"store":"ok"`, `"queue of jobs":"ok"`, `"chat model":"ok"`, `"embedding model":"ok"`} {
		if !strings.Contains(r.body, word) {
			t.Errorf("there is no %s in %s", word, r.body)
		}
	}

	notReady := func(names ...string) {
		t.Helper()
		r := c.send("GET", "/readyz", "", "").want(t, http.StatusServiceUnavailable)
		if !strings.Contains(r.body, `"not ready: `+strings.Join(names, ", ")+`; `) || !strings.Contains(r.body, `"code":"not_ready"`) {
			t.Errorf("got %s, want %v", r.body, names)
		}
		if strings.Contains(r.body, c.models.URL) || strings.Contains(r.body, "sql") {
			t.Errorf("it tells what is inside: %s", r.body)
		}
	}
	c.models.Close()
	c.send("GET", "/readyz", "", "").want(t, http.StatusOK) // asked a moment ago
	now = now.Add(reachedFor)
	r = c.send("GET", "/readyz", "", "").want(t, http.StatusOK)
	for _, word := range []string{`"status":"degraded"`, `"store":"ok"`, `"chat model":"does not answer"`, `"embedding model":"does not answer"`} {
		if !strings.Contains(r.body, word) || strings.Contains(r.body, c.models.URL) {
			t.Errorf("there is no %s in %s", word, r.body)
		}
	}
	if log := c.log.text(); !strings.Contains(log, "chat model: reach parrot") || !strings.Contains(log, "refused") {
		t.Errorf("the log does not say why: %s", log)
	}
	if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	notReady("store", "chat model", "embedding model")
	if err := c.queue.Close(); err != nil {
		t.Fatal(err)
	}
	notReady("store", "queue of jobs", "chat model", "embedding model")
}

func TestReadinessWaitsForNothingLong(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c := open(t, func(config *Config) { config.Queue = hanging{config.Queue, release} })
	if r := c.send("GET", "/readyz", "", "").want(t, http.StatusServiceUnavailable); !strings.Contains(r.body, `not ready: queue of jobs;`) {
		t.Error(r.body)
	}
}

func TestHealthAnswersHead(t *testing.T) {
	c := open(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := c.send("HEAD", path, "", "").want(t, http.StatusOK); r.body != "" {
			t.Errorf("HEAD %s has a body: %s", path, r.body)
		}
	}
}
