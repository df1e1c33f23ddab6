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

// way leads to the scripted model.
type way struct {
	name, base string
	key        string // that it asks for
	share      int    // of the requests, one in so many
	took       []time.Duration
	spent      time.Duration // on all of its rounds
}

// BenchmarkPlainArm compares the plain arm with the same scripted model called directly, through a bare reverse proxy, and
// through LiteLLM's proxy where it is installed. They take turns in short rounds, since a machine is not as busy at one
// moment as at another. It reports what each adds to the median and to the 99th percentile of a whole answer, in
// microseconds, what grounded adds as a multiple of what the proxy adds, and answers a second.
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
	lite, key := liteLLM(b, upstream.URL)

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for _, stream := range []bool{false, true} {
		body := fmt.Appendf(nil, `{"model":"instant","stream":%t,"messages":[{"role":"system","content":"You help."},{"role":"user","content":"How many days of leave?"}]}`, stream)
		for _, at := range []int{1, 16} {
			b.Run(fmt.Sprintf("stream=%t/at-once=%d", stream, at), func(b *testing.B) {
				ways := []*way{{name: "direct", base: upstream.URL, share: 1}, {name: "proxy", base: proxy.URL, share: 1}, {name: "grounded", base: ours.URL, share: 1}}
				if lite != "" {
					ways = append(ways, &way{name: "litellm", base: lite, key: key, share: 10})
				}
				for _, w := range ways { // connections, and what is made once
					w.round(b, client, body, at, 10*at)
					w.took, w.spent = nil, 0
				}
				b.ResetTimer()
				for range b.N {
					for range 30 {
						for _, w := range ways {
							w.round(b, client, body, at, 160/w.share)
						}
					}
				}
				b.StopTimer()
				reportWays(b, ways)
			})
		}
	}
}

// round sends n requests, so many at once.
func (w *way) round(b *testing.B, client *http.Client, body []byte, atOnce, n int) {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		next atomic.Int64
		lost atomic.Int64 // a proxy that passes bodies on loses a stream now and then
	)
	began := time.Now()
	for range atOnce {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				began := time.Now()
				request, err := http.NewRequest(http.MethodPost, w.base+"/v1/chat/completions", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Authorization", "Bearer "+w.key)
				response, err := client.Do(request)
				if err != nil {
					lost.Add(1)
					continue
				}
				size, err := io.Copy(io.Discard, response.Body)
				response.Body.Close()
				took := time.Since(began)
				if err != nil || response.StatusCode != http.StatusOK || size < 100 {
					lost.Add(1)
					continue
				}
				mu.Lock()
				w.took = append(w.took, took)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.spent += time.Since(began)
	if w.name == "grounded" && lost.Load() > 0 {
		b.Errorf("%d answers were lost", lost.Load())
	}
}

func (w *way) percentile(p int) float64 {
	return float64(w.took[(len(w.took)-1)*p/100].Microseconds())
}

func reportWays(b *testing.B, ways []*way) {
	for _, w := range ways {
		if len(w.took) == 0 {
			b.Fatalf("%s answered nothing", w.name)
		}
		slices.Sort(w.took)
		b.ReportMetric(float64(len(w.took))/w.spent.Seconds(), w.name+"/s")
	}
	direct, added := ways[0], map[string]float64{}
	for _, w := range ways[1:] {
		for _, p := range []int{50, 99} {
			name := fmt.Sprintf("%s+p%d", w.name, p)
			added[name] = w.percentile(p) - direct.percentile(p)
			b.ReportMetric(added[name], name+"-µs")
		}
	}
	b.ReportMetric(direct.percentile(50), "direct-p50-µs")
	b.ReportMetric(direct.percentile(99), "direct-p99-µs")
	b.ReportMetric(added["grounded+p50"]/added["proxy+p50"], "×proxy-p50")
	b.ReportMetric(added["grounded+p99"]/added["proxy+p99"], "×proxy-p99")
	if of := ways[len(ways)-1]; of.name == "litellm" {
		b.ReportMetric(added["litellm+p50"]/added["grounded+p50"], "litellm-adds-×")
		b.ReportMetric(float64(len(ways[2].took))/ways[2].spent.Seconds()/(float64(len(of.took))/of.spent.Seconds()), "×litellm/s")
	}
	b.ReportMetric(0, "ns/op") // of all the ways together, which says nothing
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
