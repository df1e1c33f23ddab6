package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits of what is answered at once. Zero values are the defaults.
type Limits struct {
	Concurrent int           // requests that ask models or search, at once; default 1024
	Queue      int           // that wait for one of them; default 256, beyond which the answer is 503
	Wait       time.Duration // in the queue at most; default 10 s

	RequestsPerMinute int // of one key; 0 is no limit
	ConcurrentPerKey  int // requests of one key at once; 0 is no limit
}

// limiter counts requests, in all and by key.
type limiter struct {
	limits Limits
	now    func() time.Time
	slots  chan struct{}
	queue  chan struct{}

	mu    sync.Mutex
	bykey map[string]*allowance
}

// allowance is what a key has left: a bucket that fills with time.
type allowance struct {
	tokens  float64
	at      time.Time
	running int
}

func newLimiter(l Limits, now func() time.Time) *limiter {
	setDefault(&l.Concurrent, 1024)
	setDefault(&l.Queue, 256)
	setDefault(&l.Wait, 10*time.Second)
	return &limiter{limits: l, now: now, slots: make(chan struct{}, l.Concurrent), queue: make(chan struct{}, l.Queue), bykey: map[string]*allowance{}}
}

// enter takes a place, which done gives back. It is refused with 429 when the key has used what it may, with 503 when
// the server has too much to do.
func (l *limiter) enter(ctx context.Context, key string, h http.Header) (done func(), err error) {
	leave, err := l.enterKey(key, h)
	if err != nil {
		return nil, err
	}
	if err := l.wait(ctx); err != nil {
		leave()
		return nil, err
	}
	return func() { <-l.slots; leave() }, nil
}

func (l *limiter) wait(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	busy := &fault{status: http.StatusServiceUnavailable, kind: "server_error", code: "overloaded", again: true, after: time.Second,
		message: "the server has too many requests at once; send it again in a moment"}
	select {
	case l.queue <- struct{}{}:
		defer func() { <-l.queue }()
	default:
		return busy
	}
	timer := time.NewTimer(l.limits.Wait)
	defer timer.Stop()
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return busy
	case <-ctx.Done():
		return errGone
	}
}

func (l *limiter) enterKey(key string, h http.Header) (leave func(), err error) {
	perMinute := float64(l.limits.RequestsPerMinute)
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.bykey[key]
	if a == nil {
		a = &allowance{tokens: perMinute, at: l.now()}
		l.bykey[key] = a
	}
	if most := l.limits.ConcurrentPerKey; most > 0 && a.running >= most {
		return nil, limited(fmt.Sprintf("rate limit: this key may have %d requests at once; wait until one is answered", most), time.Second)
	}
	if perMinute > 0 {
		now := l.now()
		a.tokens = min(perMinute, a.tokens+now.Sub(a.at).Seconds()*perMinute/60)
		a.at = now
		allowed := a.tokens >= 1
		if allowed {
			a.tokens--
		}
		full := time.Duration((perMinute - a.tokens) * 60 / perMinute * float64(time.Second))
		h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(l.limits.RequestsPerMinute))
		h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(int(a.tokens)))
		h.Set("X-Ratelimit-Reset-Requests", full.Round(time.Millisecond).String())
		if !allowed {
			next := time.Duration((1 - a.tokens) * 60 / perMinute * float64(time.Second))
			return nil, limited(fmt.Sprintf("rate limit: this key may send %d requests a minute", l.limits.RequestsPerMinute), next)
		}
	}
	a.running++
	return func() {
		l.mu.Lock()
		a.running--
		l.mu.Unlock()
	}, nil
}

func limited(message string, after time.Duration) error {
	return &fault{status: http.StatusTooManyRequests, kind: "rate_limit_error", code: "rate_limit_exceeded", message: message, after: after, again: true}
}
