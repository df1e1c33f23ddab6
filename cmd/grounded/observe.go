package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/jobs"
	"grounded/telemetry"
)

// flushTimeout is how long the last traces may take to be sent.
const flushTimeout = 5 * time.Second

// observe begins to tell how a process that runs on does: metrics, on an address of their own if one is configured, and
// traces if they are asked for. stop sends what is left.
func (p *program) observe(ctx context.Context, s *services, log *slog.Logger) (stop func() error, err error) {
	c := s.config
	traces, err := telemetry.TracesOf(telemetry.Traces{Endpoint: c.Tracing.Endpoint, Sample: c.Tracing.SampleRatio, Content: c.Tracing.Content}, s.env)
	if err != nil {
		return nil, err
	}
	if s.telemetry, err = telemetry.New(ctx, telemetry.Config{Version: version, Commit: commit(), Traces: traces, Log: log}); err != nil {
		return nil, err
	}
	var serving sync.WaitGroup
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	if address := c.Metrics.Address; address != "" {
		var listen net.ListenConfig
		listener, err := listen.Listen(ctx, "tcp", address)
		if err != nil {
			end()
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "listen on %s for metrics: %w", address, err), "choose another metrics.address, or stop what listens there")
		}
		log.Info("metrics are served", "address", "http://"+listener.Addr().String()+"/metrics")
		serving.Go(func() {
			if err := s.telemetry.Serve(ctx, listener); err != nil {
				log.Error("metrics are not served any more", "error", err.Error())
			}
		})
	}
	return func() error {
		end()
		serving.Wait()
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer stop()
		if err := s.telemetry.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	}, nil
}

// observed tells of each attempt at a job.
func (s *services) observed(handle jobs.Handler) jobs.Handler {
	return func(ctx context.Context, t *jobs.Task) error {
		ctx, done := s.telemetry.StartJob(ctx, t.Job.Kind, t.Job.ID, t.Job.Collection)
		err := handle(ctx, t)
		done(err)
		return err
	}
}

// countDocument counts what became of a document.
func (s *services) countDocument(d ingest.DocumentDone) {
	s.telemetry.Document(telemetry.Document{
		Outcome: d.Outcome, Pages: d.Pages, Written: d.Chunks.Written, Reused: d.Chunks.Reused, Embedded: d.Chunks.Embedded,
		Took: time.Duration(d.Seconds * float64(time.Second)),
	})
}
