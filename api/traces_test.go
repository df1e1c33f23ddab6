package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"grounded/telemetry"
	"grounded/telemetry/telemetrytest"
)

// heard keeps what the models' servers are told of traces, by path.
type heard struct {
	mu      sync.Mutex
	parents map[string]string
}

func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.parents[r.URL.Path] = r.Header.Get("Traceparent")
	h.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// traced sends requests, and returns the spans of the server by name, those after the first of a name with a number.
func traced(t *testing.T, traces telemetry.Traces, send func(*company)) (map[string]telemetrytest.Span, *heard) {
	t.Helper()
	collector := telemetrytest.Start(t)
	traces.Endpoint = collector.URL
	observer, err := telemetry.New(t.Context(), telemetry.Config{Version: "1.2.3", Traces: &traces})
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{parents: map[string]string{}}
	c := open(t, func(config *Config) {
		config.Telemetry = observer
		config.Backend.Model.Transport = h
	})
	send(c)
	c.http.Close() // ends when all requests have
	if err := observer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := map[string]telemetrytest.Span{}
	for _, s := range collector.Spans() {
		name := s.Name
		for n := 2; spans[name].ID != ""; n++ {
			name = fmt.Sprint(s.Name, " ", n)
		}
		spans[name] = s
	}
	return spans, h
}

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
)

func TestATraceGoesFromTheCallerThroughRetrievalToTheModel(t *testing.T) {
	spans, heard := traced(t, telemetry.Traces{}, func(c *company) {
		c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot+rag","max_tokens":50,"messages":[{"role":"user","content":"How many days of leave a year?"}]}`,
			"Traceparent", "00-"+callersTrace+"-"+callersSpan+"-01", requestIDHeader, "mine-7").want(t, http.StatusOK)
		if !strings.Contains(c.log.text(), `"trace_id":"`+callersTrace+`"`) {
			t.Errorf("the log does not name the trace: %s", c.log.text())
		}
	})
	const server = "POST /v1/chat/completions"
	for _, want := range []struct {
		name, kind, parent string
		attributes         map[string]any
	}{
		{server, "SPAN_KIND_SERVER", "", map[string]any{
			"http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": int64(200), "grounded.request.id": "mine-7"}},
		{"retrieval", "SPAN_KIND_INTERNAL", server, map[string]any{
			"gen_ai.operation.name": "retrieval", "grounded.retrieval.mode": "hybrid", "grounded.retrieval.top_k": int64(10), "grounded.retrieval.passages": int64(2)}},
		{"embeddings words", "SPAN_KIND_CLIENT", "retrieval", map[string]any{
			"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "words", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": int64(7),
			"gen_ai.embeddings.dimension.count": int64(64)}},
		{"store search", "SPAN_KIND_CLIENT", "retrieval", map[string]any{"db.operation.name": "search"}},
		{"chat parrot", "SPAN_KIND_CLIENT", server, map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "parrot", "gen_ai.request.max_tokens": int64(50),
			"gen_ai.usage.input_tokens": int64(100), "gen_ai.usage.output_tokens": int64(10)}},
	} {
		got, ok := spans[want.name]
		parent := spans[want.parent].ID
		if want.parent == "" {
			parent = callersSpan
		}
		if !ok || got.Kind != want.kind || got.Parent != parent || got.Trace != callersTrace || got.Error != "" || got.Service != "grounded" {
			t.Errorf("%s is %+v, of %s", want.name, got, want.parent)
		}
		for name, value := range want.attributes {
			if got.Attributes[name] != value {
				t.Errorf("%s of %s is %v, want %v", name, want.name, got.Attributes[name], value)
			}
		}
	}
	for path, name := range map[string]string{"/v1/chat/completions": "chat parrot", "/v1/embeddings": "embeddings words"} {
		if want := "00-" + callersTrace + "-" + spans[name].ID + "-01"; heard.parents[path] != want {
			t.Errorf("the model's %s is told %q, want %q", path, heard.parents[path], want)
		}
	}
	noTexts(t, spans, "leave", "27 days")
}

// noTexts fails when an attribute has one of the words.
func noTexts(t *testing.T, spans map[string]telemetrytest.Span, words ...string) {
	t.Helper()
	for _, word := range words {
		if text := fmt.Sprint(spans); strings.Contains(text, word) {
			t.Errorf("the spans have %q: %s", word, text)
		}
	}
}

func TestSpansOfThePlainArmHaveWhatTheModelCounted(t *testing.T) {
	for _, content := range []bool{false, true} {
		spans, _ := traced(t, telemetry.Traces{Content: content}, func(c *company) {
			for _, stream := range []string{"true", "false"} {
				c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot","stream":`+stream+`,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"the private question"}]}`).want(t, http.StatusOK)
			}
		})
		for _, number := range []string{"", " 2"} {
			chat := spans["chat parrot"+number]
			if chat.Attributes["gen_ai.usage.output_tokens"] != int64(10) || chat.Parent != spans["POST /v1/chat/completions"+number].ID || chat.Error != "" {
				t.Errorf("%s: got %+v", number, chat)
			}
			if !content {
				noTexts(t, spans, "private", "never heard")
				continue
			}
			for name, want := range map[string]string{
				"gen_ai.input.messages":  `[{"role":"user","parts":[{"type":"text","content":"the private question"}]}]`,
				"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"I have never heard of it."}]}]`,
			} {
				if chat.Attributes[name] != want {
					t.Errorf("%s: %s is %v, want %s", number, name, chat.Attributes[name], want)
				}
			}
		}
	}
}

func TestSpansTellErrorsByTheirKind(t *testing.T) {
	spans, _ := traced(t, telemetry.Traces{}, func(c *company) {
		c.send("POST", "/v1/chat/completions", "reader", `{"model":"failing","messages":[{"role":"user","content":"the private question"}]}`).want(t, http.StatusServiceUnavailable)
	})
	if chat, server := spans["chat failing"], spans["POST /v1/chat/completions"]; chat.Error != "unavailable" || server.Error != "upstream_unavailable" {
		t.Errorf("got %+v and %+v", chat, server)
	}
	noTexts(t, spans, "private", "CUDA")
}
