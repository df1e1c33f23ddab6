package telemetry

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"grounded/corpus"
)

// Config of a Telemetry. The zero value has metrics and no traces.
type Config struct {
	Version, Commit string // of the program
	Traces          *Traces
	Log             *slog.Logger // is told when spans are lost; nil is nobody
}

// Telemetry takes what happens. It is safe for concurrent use.
type Telemetry struct {
	metrics *metrics
	tracer  trace.Tracer // nil without traces
	content bool
	close   func(context.Context) error
}

// New makes a Telemetry. Close must be called. The error is corpus.ErrInvalid for traces that can't be sent.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	t := &Telemetry{metrics: newMetrics(c.Version, c.Commit)}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Traces == nil {
		return t, nil
	}
	provider, err := c.Traces.provider(ctx, c, t.metrics)
	if err != nil {
		return nil, err
	}
	t.tracer = provider.Tracer("grounded", trace.WithInstrumentationVersion(c.Version), trace.WithSchemaURL(semconv.SchemaURL))
	t.content, t.close = c.Traces.Content, provider.Shutdown
	return t, nil
}

// Close sends the spans that are left, for as long as the context lasts.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.close == nil {
		return nil
	}
	return t.close(ctx)
}

// start begins a span, one that records nothing where there are no traces.
func (t *Telemetry) start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	if t.tracer == nil {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
}

// end ends a span, with the kind of its error. What an error says is not told: it may repeat a question.
func end(ctx context.Context, span trace.Span, err error, attributes ...attribute.KeyValue) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attributes...)
	if err != nil {
		kind := errorType(ctx, err)
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		span.SetStatus(codes.Error, kind)
	}
	span.End()
}

// errorType is the kind of an error as a word.
func errorType(ctx context.Context, err error) string {
	for _, kind := range []error{
		corpus.ErrNotFound, corpus.ErrInvalid, corpus.ErrConflict, corpus.ErrForbidden, corpus.ErrLimit, corpus.ErrUnsupported,
		corpus.ErrCorrupt, corpus.ErrFull, corpus.ErrUnavailable,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case ctx.Err() != nil:
		return "cancelled"
	}
	return semconv.ErrorTypeOther.Value.AsString()
}
