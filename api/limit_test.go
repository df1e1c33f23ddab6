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
