package model

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a server that gives its replies one after the other, the last again and again, and keeps the requests.
type script struct {
	*httptest.Server
	mu       sync.Mutex
	replies  []http.HandlerFunc
	requests []request
}

type request struct {
	path   string
	header http.Header
	body   map[string]any
}

func serve(t *testing.T, replies ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{replies: replies}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Errorf("request is not JSON: %s", body)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.requests = append(s.requests, request{r.URL.RequestURI(), r.Header, fields})
		reply := s.replies[min(len(s.requests), len(s.replies))-1]
		s.mu.Unlock()
		reply(w, r)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func (s *script) request(t *testing.T, i int) request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.requests) {
		t.Fatalf("there were %d requests, want more than %d", len(s.requests), i)
	}
	return s.requests[i]
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// reply answers with a status, a body, and headers as pairs.
func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// stream answers with lines that are sent at once each, and breaks the connection off if cut.
func stream(cut bool, lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, line := range lines {
			io.WriteString(w, line+"\n")
			w.(http.Flusher).Flush()
		}
		if cut {
			panic(http.ErrAbortHandler)
		}
	}
}

// hang answers nothing until the client gives up.
func hang(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// vectorsOf answers an embedding request in OpenAI's form with a vector a text that depends on the text alone.
func vectorsOf(dimensions int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Input []string }
		json.NewDecoder(r.Body).Decode(&req)
		type datum struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		var out struct {
			Data  []datum        `json:"data"`
			Usage map[string]int `json:"usage"`
		}
		for i, text := range req.Input {
			out.Data = append(out.Data, datum{i, vectorOf(text, dimensions)})
		}
		out.Usage = map[string]int{"prompt_tokens": 10 * len(req.Input)}
		json.NewEncoder(w).Encode(out)
	}
}

func vectorOf(text string, dimensions int) []float32 {
	v := make([]float32, dimensions)
	for i := range v {
		v[i] = float32(math.Sin(float64(len(text)*(i+1)))) + 2
	}
	return v
}

// quick is a configuration that retries without waiting long.
func quick(env ...string) Config {
	return Config{
		MinDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond, Attempts: 3,
		LookupEnv: func(name string) (string, bool) {
			for i := 0; i+1 < len(env); i += 2 {
				if env[i] == name {
					return env[i+1], true
				}
			}
			return "", false
		},
	}
}

func chunk(text string) string {
	return fmt.Sprintf(`data: {"choices":[{"index":0,"delta":{"content":%q}}]}`, text)
}
