package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// HTTPRequest is a request while it is answered.
type HTTPRequest struct {
	t      *Telemetry
	span   trace.Span
	method string
	began  time.Time
}

// StartRequest begins a request. It is returned with its span, which belongs to the trace that its caller names.
func (t *Telemetry) StartRequest(r *http.Request) (*http.Request, *HTTPRequest) {
	t.metrics.inFlight.Inc()
	h := &HTTPRequest{t: t, method: method(r.Method), began: time.Now()}
	ctx := r.Context()
	if t.tracer != nil {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	ctx, h.span = t.start(ctx, h.method, trace.SpanKindServer)
	if t.tracer != nil {
		r = r.WithContext(ctx)
	}
	return r, h
}

// HTTPResult is how a request was answered.
type HTTPResult struct {
	Route  string // of the contract; empty for a path that is not there
	Status int    // StatusClientGone when the client went before it was answered
	Code   string // of the error, if there was one
	ID     string // of the request
}

// StatusClientGone is the status that nginx logs of a client that closed the connection.
const StatusClientGone = 499

// End counts the request.
func (h *HTTPRequest) End(r HTTPResult) {
	m := h.t.metrics
	m.inFlight.Dec()
	route := r.Route
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(h.method, route, strconv.Itoa(r.Status)).Inc()
	m.latency.WithLabelValues(h.method, route).Observe(time.Since(h.began).Seconds())
	if r.Code != "" {
		m.errors.WithLabelValues(r.Code).Inc()
	}
	if !h.span.IsRecording() {
		return
	}
	h.span.SetName(h.method + " " + route)
	h.span.SetAttributes(
		semconv.HTTPRequestMethodKey.String(h.method), semconv.HTTPRoute(route), semconv.HTTPResponseStatusCode(r.Status),
		attribute.String("grounded.request.id", r.ID))
	if r.Code != "" {
		h.span.SetAttributes(semconv.ErrorTypeKey.String(r.Code))
	}
	if r.Status >= http.StatusInternalServerError || r.Code != "" && r.Status < http.StatusBadRequest { // the latter within a stream
		h.span.SetStatus(codes.Error, r.Code)
	}
	h.span.End()
}

// Trace is the id of the request's trace, empty without one.
func (h *HTTPRequest) Trace() string {
	if c := h.span.SpanContext(); c.IsSampled() {
		return c.TraceID().String()
	}
	return ""
}

// method is one of HTTP's; whatever else a client sends is other.
func method(sent string) string {
	switch sent {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return sent
	}
	return "_OTHER"
}
