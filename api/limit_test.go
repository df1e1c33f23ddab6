package api

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAKeyMaySendSoManyRequestsAMinute(t *testing.T) {
	now := time.Unix(1000, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	c := open(t, func(config *Config) { config.Limits.RequestsPerMinute, config.Now = 2, clock })
	body := `{"question":"leave"}`
	c.send("POST", "/api/retrieve", "reader", body).want(t, http.StatusOK)
	r := c.send("POST", "/api/retrieve", "reader", body).want(t, http.StatusOK)
	if r.header.Get("X-Ratelimit-Limit-Requests") != "2" || r.header.Get("X-Ratelimit-Remaining-Requests") != "0" || r.header.Get("X-Ratelimit-Reset-Requests") != "1m0s" {
		t.Errorf("got %v", r.header)
	}
	r = c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusTooManyRequests)
	if r.header.Get("Retry-After") != "30" || !strings.Contains(r.body, "rate limit") || r.header.Get("X-Should-Retry") != "true" {
		t.Errorf("got %v: %s", r.header, r.body)
	}
	c.send("POST", "/api/retrieve", "hr", body).want(t, http.StatusOK)
	c.send("GET", "/v1/models", "reader", "").want(t, http.StatusOK)
	mu.Lock()
	now = now.Add(31 * time.Second)
	mu.Unlock()
	c.send("POST", "/api/retrieve", "reader", body).want(t, http.StatusOK)
	c.send("POST", "/api/retrieve", "reader", body).want(t, http.StatusTooManyRequests)
}

func TestAKeyMayUseSoManyTokensAMinute(t *testing.T) {
	now := time.Unix(1000, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	c := open(t, func(config *Config) { config.Limits.TokensPerMinute, config.Now = 600, clock })
	ask := func(rest string) reply {
		return c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot","max_tokens":292,`+leaveQuestion+rest+`}`)
	}
	want := func(r reply, status int, remaining, reset string) reply {
		t.Helper()
		h := r.want(t, status).header
		if h.Get("X-Ratelimit-Limit-Tokens") != "600" || h.Get("X-Ratelimit-Remaining-Tokens") != remaining || h.Get("X-Ratelimit-Reset-Tokens") != reset {
			t.Errorf("got %v, want %s left, full in %s", h, remaining, reset)
		}
		return r
	}
	const usage = `"usage":{`
	// The question is estimated at 8 tokens, and the answer may have 292; the model counts 110 for both.
	want(ask(""), 200, "300", "30s")
	if r := want(ask(`,"stream":true`), 200, "190", "41s"); strings.Contains(r.body, usage) {
		t.Errorf("the usage was not asked for: %s", r.body)
	}
	if r := want(ask(`,"stream":true,"stream_options":{"include_usage":true}`), 200, "80", "52s"); !strings.Contains(r.body, usage) {
		t.Errorf("there is no usage: %s", r.body)
	}
	r := want(ask(""), http.StatusTooManyRequests, "270", "33s")
	if r.header.Get("Retry-After") != "3" || !strings.Contains(r.body, `"type":"tokens","param":null,"code":"rate_limit_exceeded"`) {
		t.Errorf("got %v: %s", r.header, r.body)
	}
	later(3 * time.Second)
	want(ask(`,"n":2`), http.StatusTooManyRequests, "300", "30s")
	// What fails before the model costs nothing, and what it needs without a model is small.
	c.send("POST", "/v1/chat/completions", "reader", `{"model":"failing","max_tokens":292,`+leaveQuestion+`}`).want(t, http.StatusServiceUnavailable)
	want(ask(""), 200, "0", "1m0s")
	c.send("POST", "/v1/embeddings", "reader", `{"model":"words","input":"leave"}`).want(t, 200)
	c.send("POST", "/api/retrieve", "hr", `{"question":"leave"}`).want(t, 200)
}

func TestWhatWasUsedBeyondTheEstimateIsOwed(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLimiter(Limits{TokensPerMinute: 60}, func() time.Time { return now })
	settle, err := l.spend("k", 1000, http.Header{}) // more than is ever there
	if err != nil {
		t.Fatal(err)
	}
	settle(90)
	if _, err := l.spend("k", 1, http.Header{}); faultOf(err).status != http.StatusTooManyRequests || faultOf(err).after != 31*time.Second {
		t.Errorf("got %v after %s", err, faultOf(err).after)
	}
	now = now.Add(31 * time.Second)
	if _, err := l.spend("k", 1, http.Header{}); err != nil {
		t.Error(err)
	}
	if _, err := l.spend("other", 60, http.Header{}); err != nil {
		t.Error(err)
	}
}

// hold keeps requests to the model "waiting" running until the model is released, which finish does.
func (c *company) hold(n int, key string) (finish func()) {
	c.Helper()
	before := c.models.count()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { c.send("POST", "/v1/chat/completions", key, `{"model":"waiting",`+leaveQuestion+`}`) })
	}
	eventually(c.TB, "the model is asked", func() bool { return c.models.count() == before+n })
	return func() { close(c.models.release); wg.Wait() }
}

func TestAKeyMayHaveSoManyRequestsAtOnce(t *testing.T) {
	c := open(t, func(config *Config) { config.Limits.ConcurrentPerKey = 2 })
	finish := c.hold(2, "reader")
	c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusTooManyRequests)
	c.send("POST", "/v1/chat/completions", "hr", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusOK)
	finish()
	c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusOK)
}

func TestABusyServerSaysSoEarly(t *testing.T) {
	c := open(t, func(config *Config) { config.Limits = Limits{Concurrent: 2, Queue: 1, Wait: 20 * time.Second} })
	finish := c.hold(2, "reader")
	queued := make(chan reply, 1)
	go func() {
		queued <- c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot",`+leaveQuestion+`}`)
	}()
	eventually(t, "a request waits", func() bool { return len(c.server.limiter.queue) == 1 })
	began := time.Now()
	r := c.send("POST", "/v1/chat/completions", "hr", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusServiceUnavailable)
	if took := time.Since(began); took > 5*time.Second || r.header.Get("Retry-After") != "1" || !strings.Contains(r.body, "overloaded") {
		t.Errorf("after %s: %v %s", took, r.header, r.body)
	}
	c.send("GET", "/healthz", "", "").want(t, http.StatusOK)
	finish()
	(<-queued).want(t, http.StatusOK)
}
