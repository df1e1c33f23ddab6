package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// allowance is what a key has left.
type allowance struct {
	requests, tokens bucket
	running          int
}

// bucket fills with time, up to what a minute allows. It is below zero after more was used than was estimated.
type bucket struct {
	level float64
	at    time.Time // zero: it is full
}

// fill adds what has become allowed since it was last filled.
func (b *bucket) fill(perMinute float64, now time.Time) {
	if b.at.IsZero() {
		b.level = perMinute
	}
	b.level = min(perMinute, b.level+now.Sub(b.at).Seconds()*perMinute/60)
	b.at = now
}

// take takes so many of what is counted, and tells OpenAI's headers what is left. When there are not enough it takes
// none and says how long it takes until there are.
func (b *bucket) take(n float64, perMinute int, now time.Time, what string, h http.Header) (wait time.Duration) {
	most := float64(perMinute)
	b.fill(most, now)
	n = min(n, most) // more than a full bucket is never there: what is over is owed afterwards
	if b.level >= n {
		b.level -= n
	} else {
		wait = filling(n-b.level, most)
	}
	h.Set("X-Ratelimit-Limit-"+what, strconv.Itoa(perMinute))
	h.Set("X-Ratelimit-Remaining-"+what, strconv.Itoa(max(0, int(b.level))))
	h.Set("X-Ratelimit-Reset-"+what, filling(most-b.level, most).Round(time.Millisecond).String())
	return wait
}

// filling is how long it takes until so much more is there.
func filling(n, perMinute float64) time.Duration {
	return time.Duration(n * 60 / perMinute * float64(time.Second))
}

// rateHeaders are those that a client may read.
var rateHeaders = []string{
	"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests",
	"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens",
}

// of is what a key has left. The limiter's lock is held.
func (l *limiter) of(key string) *allowance {
	a := l.bykey[key]
	if a == nil {
		a = &allowance{}
		l.bykey[key] = a
	}
	return a
}

// enterKey counts a request of a key; leave ends it.
func (l *limiter) enterKey(key string, h http.Header) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(key)
	if most := l.limits.ConcurrentPerKey; most > 0 && a.running >= most {
		return nil, limited("requests", fmt.Sprintf("rate limit: this key may have %d requests at once; wait until one is answered", most), time.Second)
	}
	if most := l.limits.RequestsPerMinute; most > 0 {
		if wait := a.requests.take(1, most, l.now(), "Requests", h); wait > 0 {
			return nil, limited("requests", fmt.Sprintf("rate limit: this key may send %d requests a minute", most), wait)
		}
	}
	a.running++
	return func() {
		l.mu.Lock()
		a.running--
		l.mu.Unlock()
	}, nil
}

// spend takes the tokens that a request will likely use; settle replaces them by those that it did use.
func (l *limiter) spend(key string, estimate int, h http.Header) (settle func(used int), err error) {
	most := l.limits.TokensPerMinute
	if most <= 0 {
		return func(int) {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(key)
	if wait := a.tokens.take(float64(estimate), most, l.now(), "Tokens", h); wait > 0 {
		return nil, limited("tokens", fmt.Sprintf("rate limit: this key may use %d tokens a minute, and this request needs about %d; "+
			"send it later, or ask for a shorter answer (max_tokens)", most, estimate), wait)
	}
	taken := min(estimate, most)
	return func(used int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.tokens.fill(float64(most), l.now())
		a.tokens.level = min(float64(most), a.tokens.level+float64(taken-used))
	}, nil
}

// limited refuses what goes over a rate, of requests or tokens.
func limited(kind, message string, after time.Duration) error {
	return &fault{status: http.StatusTooManyRequests, kind: kind, code: "rate_limit_exceeded", message: message, after: after, again: true}
}
