package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/model"
	"grounded/wire"
)

func (s *Server) healthz(k *call) error { return k.json(wire.Status{Status: "ok"}) }

// readyTimeout is how long each part may take to answer.
const readyTimeout = 2 * time.Second

// part is something that the server needs.
type part struct {
	name   string // as a client is told
	needed bool   // without it no request can be answered
	check  func(context.Context) error
}

// parts are what readiness looks at. Models are not needed: all replicas use the same ones, so that none would be left to
// search, to answer from a fallback, or to say what is wrong.
func (s *Server) parts() []part {
	e := s.engine
	parts := []part{
		{"store", true, func(ctx context.Context) error {
			_, err := e.Store.Collection(ctx, s.config.Collection)
			return unlessMissing(err)
		}},
		{"queue of jobs", true, func(ctx context.Context) error {
			_, err := s.config.Queue.Job(ctx, "00000000-0000-0000-0000-000000000000")
			return unlessMissing(err)
		}},
	}
	for _, m := range []struct{ name, id string }{{"chat model", e.Chat}, {"embedding model", e.Embedding}, {"reranker", e.Rerank}} {
		if m.id != "" {
			parts = append(parts, part{m.name, false, func(ctx context.Context) error { return s.reach.model(ctx, e, m.id) }})
		}
	}
	return parts
}

// unlessMissing is nil for what answered that it has no such thing.
func unlessMissing(err error) error {
	if errors.Is(err, corpus.ErrNotFound) {
		return nil
	}
	return err
}

// readiness is the answer of GET /readyz.
type readiness struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// readyz says whether all that the server needs answers, and names what does not: with 503 when no request can be
// answered, as degraded when it is models. They are not asked anything that would be paid, and local ones are not started.
func (s *Server) readyz(k *call) error {
	if s.stopping.Err() != nil {
		return errStopping
	}
	parts := s.parts()
	failed := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			ctx, stop := context.WithTimeout(k.ctx, readyTimeout)
			defer stop()
			done := make(chan error, 1)
			go func() { done <- p.check(ctx) }()
			select {
			case failed[i] = <-done:
			case <-ctx.Done(): // whatever the part does with its context
				failed[i] = corpus.Errorf(corpus.ErrUnavailable, "no answer in %s", readyTimeout)
			}
		})
	}
	wg.Wait()
	if k.ctx.Err() != nil {
		return stopped(k)
	}
	ready := readiness{Status: "ready", Checks: map[string]string{}}
	var names []string
	var causes []error
	needed := false
	for i, p := range parts {
		ready.Checks[p.name] = "ok"
		if failed[i] != nil {
			ready.Status, ready.Checks[p.name] = "degraded", "does not answer"
			needed = needed || p.needed
			names = append(names, p.name)
			causes = append(causes, fmt.Errorf("%s: %w", p.name, failed[i]))
		}
	}
	if needed {
		return &fault{status: http.StatusServiceUnavailable, kind: "server_error", code: "not_ready", again: true, cause: errors.Join(causes...),
			message: "not ready: " + strings.Join(names, ", ") + "; the server's log says why, under the request's id"}
	}
	if len(causes) > 0 {
		s.config.Log.Warn("degraded", "request_id", k.echo.Response().Header().Get(requestIDHeader), "error", errors.Join(causes...))
	}
	return k.json(ready)
}

// How long it counts that a model was reached, and that it was not: readiness is asked often, and by many.
const (
	reachedFor    = 10 * time.Second
	notReachedFor = time.Second
)

// reachability remembers which models were reached.
type reachability struct {
	now    func() time.Time
	mu     sync.Mutex
	models map[string]*reached
}

type reached struct {
	mu    sync.Mutex // held while the model is looked at
	err   error
	until time.Time
}

func (r *reachability) model(ctx context.Context, e *engine, id string) error {
	r.mu.Lock()
	m := r.models[id]
	if m == nil {
		m = &reached{}
		r.models[id] = m
	}
	r.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.now().Before(m.until) {
		return m.err
	}
	// Others wait for the result, so that it is not up to this request whether it is had.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer stop()
	var card model.Card
	if card, m.err = e.Catalog.Get(id); m.err == nil {
		m.err = model.Reach(ctx, card, e.modelConfig(card))
	}
	m.until = r.now().Add(reachedFor)
	if m.err != nil {
		m.until = r.now().Add(notReachedFor)
	}
	return m.err
}
