// Package telemetrytest is a collector of traces in the process of a test.
package telemetrytest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one that was sent. Ids are hex.
type Span struct {
	Name, Kind        string // the kind as in SPAN_KIND_SERVER
	Trace, ID, Parent string
	Error             string // type of the error, if it ended with one
	Attributes        map[string]any
	Service           string
}

// Collector takes spans over OTLP/HTTP.
type Collector struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []Span
	header http.Header
}

// Start starts a collector. It ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil {
			t.Errorf("the spans cannot be read: %v", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.header = r.Header
		for _, resource := range request.ResourceSpans {
			service, _ := attributes(resource.Resource.Attributes)["service.name"].(string)
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					c.spans = append(c.spans, spanOf(s, service))
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func spanOf(s *trace.Span, service string) Span {
	out := Span{
		Name: s.Name, Kind: s.Kind.String(), Service: service, Attributes: attributes(s.Attributes),
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
	}
	if s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR {
		out.Error, _ = out.Attributes["error.type"].(string)
	}
	return out
}

func attributes(list []*common.KeyValue) map[string]any {
	out := map[string]any{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.Key] = v.IntValue
		case *common.AnyValue_DoubleValue:
			out[a.Key] = v.DoubleValue
		case *common.AnyValue_BoolValue:
			out[a.Key] = v.BoolValue
		default:
			out[a.Key] = a.Value.String()
		}
	}
	return out
}

// Spans are those that were sent so far, in that order.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Header is that of the last request.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}
