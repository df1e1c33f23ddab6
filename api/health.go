package api

import (
	"context"
	"net/http"
	"time"

	"grounded/wire"
)

func (s *Server) healthz(k *call) error { return k.json(wire.Status{Status: "ok"}) }

// readyTimeout is how long the store may take to answer.
const readyTimeout = 2 * time.Second

// readyz says whether the store answers. Models are not asked: they may be started, or paid, by asking.
func (s *Server) readyz(k *call) error {
	ctx, stop := context.WithTimeout(k.ctx, readyTimeout)
	defer stop()
	if _, err := s.engine.Store.Collections(ctx); err != nil {
		return &fault{status: http.StatusServiceUnavailable, kind: "server_error", code: "not_ready", message: "the store does not answer", again: true, cause: err}
	}
	return k.json(wire.Status{Status: "ready"})
}
