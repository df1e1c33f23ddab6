package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// metricsOf are a server's, by name with labels.
func (c *company) metricsOf(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, line := range strings.Split(c.send("GET", "/metrics", "admin", "").want(t, http.StatusOK).body, "\n") {
		if at := strings.LastIndexByte(line, ' '); at > 0 && !strings.HasPrefix(line, "#") {
			values[line[:at]] = line[at+1:]
		}
	}
	return values
}

func TestMetricsCountWhatTheServerDid(t *testing.T) {
	now := time.Now()
	c := open(t, func(config *Config) {
		config.Limits.RequestsPerMinute = 2
		config.Now = func() time.Time { return now }
	})
	c.job("alpha", "admin")
	for _, r := range []struct{ key, body string }{
		{"reader", `{"model":"parrot","messages":[{"role":"user","content":"hello"}]}`},
		{"writer", `{"model":"parrot","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello"}]}`},
		{"tenant", `{"model":"parrot","stream":true,"messages":[{"role":"user","content":"hello"}]}`},
		{"hr", `{"model":"parrot+rag","messages":[{"role":"user","content":"How many days of leave a year?"}]}`},
		{"reader-of-all", `{"model":"cut","stream":true,"messages":[{"role":"user","content":"hello"}]}`},
		{"admin", `{"model":"failing","messages":[{"role":"user","content":"hello"}]}`},
		{"admin", `{"model":"parrot","messages":[{"role":"user","content":"one too many"}]}`},
	} {
		c.send("POST", "/v1/chat/completions", r.key, r.body)
	}
	problems, err := promlint.New(strings.NewReader(c.send("GET", "/metrics", "admin", "").body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("not as Prometheus wants it: %v, %v", problems, err)
	}
	got := c.metricsOf(t)
	for name, want := range map[string]string{
		`grounded_http_requests_total{method="POST",route="/v1/chat/completions",status="200"}`: "5",
		`grounded_http_requests_total{method="POST",route="/v1/chat/completions",status="503"}`: "1",
		`grounded_http_requests_total{method="POST",route="/v1/chat/completions",status="429"}`: "1",
		`grounded_http_request_seconds_count{method="POST",route="/v1/chat/completions"}`:       "7",
		`grounded_http_errors_total{code="rate_limit_exceeded"}`:                                "1",
		`grounded_http_errors_total{code="upstream_unavailable"}`:                               "2", // one within a stream
		`grounded_http_requests_in_flight`:                                                      "1",
		`grounded_model_seconds_count{model="parrot",operation="chat",outcome="ok"}`:            "4",
		`grounded_model_seconds_count{model="failing",operation="chat",outcome="failed"}`:       "1",
		`grounded_model_seconds_count{model="cut",operation="chat",outcome="failed"}`:           "1",
		`grounded_model_first_token_seconds_count{model="parrot"}`:                              "3", // of the grounded arm's too
		`grounded_model_tokens_total{kind="prompt",model="parrot"}`:                             "400",
		`grounded_model_tokens_total{kind="completion",model="parrot"}`:                         "40",
		`grounded_model_cost_usd_total{model="parrot"}`:                                         "0.00048",
		`grounded_answers_total{arm="grounded",model="parrot",outcome="answered"}`:              "1",
		`grounded_answer_first_token_seconds_count{arm="grounded"}`:                             "1",
		`grounded_citations_total{origin="model",verified="true"}`:                              "1",
		`grounded_retrieval_seconds_count{mode="hybrid",outcome="ok"}`:                          "1",
		`grounded_store_seconds_count{operation="search",outcome="ok"}`:                         "1",
		`grounded_jobs{status="queued"}`:                                                        "1",
		`grounded_jobs{status="running"}`:                                                       "0",
		`grounded_http_queue_waiting`:                                                           "0",
		`grounded_model_seconds_count{model="words",operation="embeddings",outcome="ok"}`:       "",
		`grounded_build_info{commit="",version=""}`:                                             "1",
		`go_goroutines`:                 "",
		`process_resident_memory_bytes`: "",
	} {
		if value, ok := got[name]; !ok || want != "" && value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if t.Failed() {
		for name, value := range got {
			if strings.HasPrefix(name, "grounded_") && !strings.Contains(name, "_bucket") {
				t.Log(name, value)
			}
		}
	}
}

func TestWhatClientsSendIsNoLabel(t *testing.T) {
	c := open(t, nil)
	series := 0
	for i := range 3 {
		word := fmt.Sprintf("mine%d", i)
		for _, r := range [][2]string{
			{"GET", "/" + word}, {"POST", "/v1/" + word}, {strings.ToUpper(word), "/healthz"},
			{"GET", "/v1/models/" + word}, {"GET", "/api/collections/" + word}, {"GET", "/api/collections/alpha/documents/" + word},
		} {
			c.send(r[0], r[1], "admin", "")
		}
		c.send("POST", "/v1/chat/completions", "admin", `{"model":"`+word+`","messages":[{"role":"user","content":"`+word+`"}]}`)
		c.send("POST", "/api/answer", "admin", `{"question":"`+word+`","arm":"`+word+`"}`)
		c.send("POST", "/api/retrieve", "admin", `{"question":"`+word+`","mode":"`+word+`","collection":"`+word+`"}`)
		got := c.metricsOf(t)
		for name := range got {
			if strings.Contains(strings.ToLower(name), "mine") {
				t.Errorf("a client's word is a label: %s", name)
			}
		}
		if series == 0 {
			series = len(c.metricsOf(t))
		} else if len(got) != series {
			t.Errorf("%d series, %d before", len(got), series)
		}
	}
}

func TestMetricsAreAnAdmins(t *testing.T) {
	c := open(t, nil)
	for key, want := range map[string]int{"": http.StatusUnauthorized, "gk-wrong": http.StatusUnauthorized, "writer": http.StatusForbidden, "admin": http.StatusOK} {
		c.send("GET", "/metrics", key, "").want(t, want)
	}
}
