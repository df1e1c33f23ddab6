package api

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jobqueue "grounded/jobs/sqlite"
	"grounded/model"
	"grounded/store/sqlite"
)

// BenchmarkPlainArm compares the plain arm with the same scripted model called directly and through a bare reverse
// proxy, all in one run. It reports the median and the 99th percentile of a whole answer, in microseconds.
func BenchmarkPlainArm(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(instant))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	reverse := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	proxy := httptest.NewServer(reverse)
	defer proxy.Close()
	ours := httptest.NewServer(benchServer(b, upstream.URL))
	defer ours.Close()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for _, stream := range []bool{false, true} {
		body := fmt.Appendf(nil, `{"model":"instant","stream":%t,"messages":[{"role":"system","content":"You help."},{"role":"user","content":"How many days of leave?"}]}`, stream)
		for _, at := range []int{1, 16} {
			for _, way := range []struct{ name, base string }{{"direct", upstream.URL}, {"proxy", proxy.URL}, {"grounded", ours.URL}} {
				b.Run(fmt.Sprintf("stream=%t/at-once=%d/%s", stream, at, way.name), func(b *testing.B) {
					run(b, client, way.base+"/v1/chat/completions", body, at)
				})
			}
		}
	}
}

func benchServer(b *testing.B, upstream string) *Server {
	b.Helper()
	store, err := sqlite.Open(b.Context(), sqlite.Config{Path: b.TempDir() + "/grounded.db"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	queue, err := jobqueue.Open(b.Context(), jobqueue.Config{Path: b.TempDir() + "/jobs.db"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = queue.Close() })
	s, err := New(Config{Queue: queue, Backend: Backend{Store: store, Catalog: benchCatalog(b, upstream), Model: model.Config{LookupEnv: func(string) (string, bool) { return "", false }}}})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// run sends b.N requests, so many at once, and reports how long they took.
func run(b *testing.B, client *http.Client, address string, body []byte, atOnce int) {
	took := make([]time.Duration, b.N)
	var lost atomic.Int64 // a proxy that passes bodies on loses a stream now and then
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				began := time.Now()
				response, err := client.Post(address, "application/json", bytes.NewReader(body))
				if err != nil {
					lost.Add(1)
					continue
				}
				n, err := io.Copy(io.Discard, response.Body)
				response.Body.Close()
				took[i] = time.Since(began)
				if err != nil || response.StatusCode != http.StatusOK || n < 100 {
					lost.Add(1)
				}
			}
		})
	}
	b.ResetTimer()
	for i := range b.N {
		next <- i
	}
	close(next)
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(lost.Load()), "lost")
}

// instant is a model that answers at once, with twenty pieces where a stream is asked for.
func instant(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if !bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"1","object":"chat.completion","created":1,"model":"instant","choices":[{"index":0,"message":{"role":"assistant","content":"Everyone has 27 days of leave a year."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for range 20 {
		_, _ = io.WriteString(w, "data: "+`{"id":"1","object":"chat.completion.chunk","created":1,"model":"instant","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}`+"\n\n")
		w.(http.Flusher).Flush()
	}
	_, _ = io.WriteString(w, "data: "+`{"id":"1","object":"chat.completion.chunk","created":1,"model":"instant","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
}

func benchCatalog(b *testing.B, upstream string) model.Catalog {
	b.Helper()
	return catalogOf(b, fmt.Sprintf("models:\n  - {id: instant, provider: openai, base_url: %q, tasks: [chat], access: open, deployment: managed, context: 4096}\n", upstream+"/v1"))
}
