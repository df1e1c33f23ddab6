package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// StartJob begins an attempt at a job, and returns the context to work with. done ends it.
func (t *Telemetry) StartJob(ctx context.Context, kind, id, collection string) (_ context.Context, done func(error)) {
	ctx, span := t.start(ctx, "job "+kind, trace.SpanKindConsumer)
	return ctx, func(err error) {
		end(ctx, span, err, attribute.String("grounded.job.id", id), attribute.String("grounded.collection", collection))
	}
}

// JobEnded counts a job by its kind and the status that it ended with.
func (t *Telemetry) JobEnded(kind, status string) {
	t.metrics.jobsEnded.WithLabelValues(kind, status).Inc()
}

// Document is what became of one that was ingested.
type Document struct {
	Outcome                   string
	Pages                     int // that were read
	Written, Reused, Embedded int // chunks, and of which the vectors were stored before or made
	Took                      time.Duration
}

// Document counts one. Took is 0 when there was nothing to do.
func (t *Telemetry) Document(d Document) {
	m := t.metrics
	m.documents.WithLabelValues(d.Outcome).Inc()
	m.pages.Add(float64(d.Pages))
	m.chunks.WithLabelValues("written").Add(float64(d.Written))
	m.chunks.WithLabelValues("reused").Add(float64(d.Reused))
	m.chunks.WithLabelValues("embedded").Add(float64(d.Embedded))
	if d.Took > 0 {
		m.documentTimes.Observe(d.Took.Seconds())
	}
}
