package telemetry

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/telemetry/telemetrytest"
)

func TestTracesAreSentWhereTheConfigurationOrTheEnvironmentSays(t *testing.T) {
	const url = "http://localhost:4318"
	for _, test := range []struct {
		name     string
		endpoint string
		env      map[string]string
		on       bool
		err      string
	}{
		{name: "nothing is said"},
		{name: "configured", endpoint: url, on: true},
		{name: "environment", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url}, on: true},
		{name: "environment for traces", env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url + "/v1/traces", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, on: true},
		{name: "disabled", endpoint: url, env: map[string]string{"OTEL_SDK_DISABLED": "TRUE"}},
		{name: "no exporter", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "none"}},
		{name: "another protocol", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, err: "grpc"},
	} {
		got, err := TracesOf(Traces{Endpoint: test.endpoint}, func(name string) (string, bool) { v, ok := test.env[name]; return v, ok })
		if (got != nil) != test.on || test.err == "" && err != nil || test.err != "" && (!errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: got %+v, %v", test.name, got, err)
		}
	}
}

func TestAnEndpointIsABaseURL(t *testing.T) {
	for _, endpoint := range []string{"localhost:4318", "grpc://localhost:4317", "://", "http://"} {
		if _, err := New(t.Context(), Config{Traces: &Traces{Endpoint: endpoint}}); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%q: got %v", endpoint, err)
		}
	}
	for _, path := range []string{"", "/", "/v1/traces", "/collector", "/collector/v1/traces"} {
		var asked string
		collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.Path }))
		observer, err := New(t.Context(), Config{Traces: &Traces{Endpoint: collector.URL + path}})
		if err != nil {
			t.Fatal(err)
		}
		_, done := observer.StartJob(t.Context(), "ingest", "1", "c")
		done(nil)
		if err := observer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		collector.Close()
		if want := strings.TrimSuffix(strings.TrimSuffix(path, "/"), "/v1/traces") + "/v1/traces"; asked != want {
			t.Errorf("endpoint with path %q is asked at %q, want %q", path, asked, want)
		}
	}
}

func TestSpansThatAreLostAreCountedAndToldOnce(t *testing.T) {
	collector := httptest.NewServer(http.NotFoundHandler())
	defer collector.Close()
	var log bytes.Buffer
	observer, err := New(t.Context(), Config{Traces: &Traces{Endpoint: collector.URL}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 700 { // more than one batch
		_, done := observer.StartJob(t.Context(), "ingest", "1", "c")
		done(nil)
	}
	if err := observer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRecorder()
	observer.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(r.Body.String(), "grounded_trace_spans_lost_total 700") {
		t.Errorf("got %s", r.Body)
	}
	if n := strings.Count(log.String(), "traces are not sent"); n != 1 {
		t.Errorf("told %d times: %s", n, &log)
	}
}

func TestWhoeverCallsDecidesWhetherItIsTraced(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	none := 0.0
	for _, test := range []struct {
		name, parent string
		sample       *float64
		spans        int
	}{
		{"nothing is said", "", nil, 1},
		{"nothing is said, and none is wanted", "", &none, 0},
		{"the caller does", "00-" + trace + "-00f067aa0ba902b7-01", &none, 1},
		{"the caller does not", "00-" + trace + "-00f067aa0ba902b7-00", nil, 0},
		{"no header of the standard", "mine", nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			collector := telemetrytest.Start(t)
			observer, err := New(t.Context(), Config{Traces: &Traces{Endpoint: collector.URL, Sample: test.sample}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "/healthz", nil)
			r.Header.Set("Traceparent", test.parent)
			_, request := observer.StartRequest(r)
			request.End(HTTPResult{Route: "/healthz", Status: 200})
			if err := observer.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if spans := collector.Spans(); len(spans) != test.spans || (request.Trace() != "") != (test.spans > 0) {
				t.Errorf("got %v, trace %q", spans, request.Trace())
			}
		})
	}
}
