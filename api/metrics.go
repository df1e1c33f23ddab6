package api

import (
	"context"
	"math"
	"time"

	"grounded/jobs"
)

// showMetrics is GET /metrics.
func (s *Server) showMetrics(k *call) error {
	s.metrics.ServeHTTP(k.echo.Response(), k.echo.Request())
	return nil
}

// gauges tells what is read when somebody asks for metrics.
func (s *Server) gauges() error {
	t := s.config.Telemetry
	for _, g := range []struct {
		name, help string
		labels     map[string]string
		read       func() float64
	}{
		{"http_queue_waiting", "Requests that wait for a place (serve.queue).", nil, func() float64 { return float64(len(s.limiter.queue)) }},
		{"http_queue_running", "Requests that have a place (serve.concurrent).", nil, func() float64 { return float64(len(s.limiter.slots)) }},
		{"jobs", "Jobs in the queue, counted up to 1000; NaN when it does not answer.", status(jobs.Queued), func() float64 { return s.countJobs(jobs.Queued) }},
		{"jobs", "Jobs in the queue, counted up to 1000; NaN when it does not answer.", status(jobs.Running), func() float64 { return s.countJobs(jobs.Running) }},
	} {
		if err := t.Gauge(g.name, g.help, g.labels, g.read); err != nil {
			return err
		}
	}
	return nil
}

func status(s jobs.Status) map[string]string { return map[string]string{"status": string(s)} }

// countTimeout is how long the queue may take to tell its jobs.
const countTimeout = time.Second

func (s *Server) countJobs(status jobs.Status) float64 {
	ctx, stop := context.WithTimeout(context.Background(), countTimeout)
	defer stop()
	list, _, err := s.config.Queue.Jobs(ctx, jobs.Query{Status: status, Limit: 1000})
	if err != nil {
		return math.NaN()
	}
	return float64(len(list))
}
