package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"grounded/corpus"
)

// Traces says where spans are sent, by OTLP over HTTP.
type Traces struct {
	// Endpoint is the collector's base URL, such as http://localhost:4318; empty is OTEL_EXPORTER_OTLP_ENDPOINT's. The
	// other variables of OpenTelemetry count too: headers, certificates, timeout, sampler, service name, resource.
	Endpoint string
	// Sample is the share of requests that are traced, where the caller has not decided; nil is OTEL_TRACES_SAMPLER's,
	// or all.
	Sample *float64
	// Content puts the texts of questions and answers into spans.
	Content bool
}

// TracesOf is nil when neither a configured endpoint nor the environment asks for traces. The error is
// corpus.ErrInvalid for a protocol that is not spoken here.
func TracesOf(t Traces, env func(string) (string, bool)) (*Traces, error) {
	value := func(names ...string) string {
		for _, name := range names {
			if v, _ := env(name); strings.TrimSpace(v) != "" {
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	if strings.EqualFold(value("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	if t.Endpoint != "" {
		return &t, nil
	}
	if value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") == "" || strings.EqualFold(value("OTEL_TRACES_EXPORTER"), "none") {
		return nil, nil
	}
	if protocol := value("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "send traces: the protocol %q of OTEL_EXPORTER_OTLP_PROTOCOL is not spoken here", protocol),
			"set it to http/protobuf, and the endpoint to the collector's port for HTTP, usually 4318")
	}
	return &t, nil
}

// provider makes what keeps spans and sends them. It connects when there is something to send.
func (t Traces) provider(ctx context.Context, c Config, m *metrics) (*sdktrace.TracerProvider, error) {
	var options []otlptracehttp.Option
	if t.Endpoint != "" {
		u, err := url.Parse(t.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "send traces: %q is no endpoint", t.Endpoint), "write the base URL of a collector, such as http://localhost:4318")
		}
		const path = "/v1/traces"
		u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), path) + path
		options = append(options, otlptracehttp.WithEndpointURL(u.String()))
	}
	client := otlptracehttp.NewClient(options...)
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "send traces: %w", err)
	}
	own, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("grounded"), semconv.ServiceVersion(c.Version)),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "send traces: read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	settings := []sdktrace.TracerProviderOption{
		sdktrace.WithBatcher(&exporting{SpanExporter: exporter, metrics: m, log: c.Log}), sdktrace.WithResource(own),
	}
	if t.Sample != nil {
		settings = append(settings, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(*t.Sample))))
	}
	return sdktrace.NewTracerProvider(settings...), nil
}

// exporting tells when spans are lost: once, and again after one that went.
type exporting struct {
	sdktrace.SpanExporter
	metrics *metrics
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporting) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		e.failing.Store(false)
		return nil
	}
	e.metrics.lostSpans.Add(float64(len(spans)))
	if !e.failing.Swap(true) {
		e.log.Warn("traces are not sent; nothing else depends on them", "error", err.Error(), "spans", len(spans))
	}
	return nil // else it is told again, elsewhere
}

// Transport tells whoever is called which trace a request belongs to (W3C traceparent). Without traces it is base.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	if t.tracer == nil {
		return base
	}
	return propagating{base}
}

type propagating struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p propagating) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return p.base.RoundTrip(r)
}
