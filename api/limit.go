package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Limits of what is answered at once. Zero values are the defaults.
type Limits struct {
	Concurrent int           // requests that ask models or search, at once; default 1024
	Queue      int           // that wait for one of them; default 256, beyond which the answer is 503
	Wait       time.Duration // in the queue at most; default 10 s

	RequestsPerMinute int // of one key; 0 is no limit
	TokensPerMinute   int // of one key, of prompts, answers and embeddings; 0 is no limit
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
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			return cause
		}
		return errGone
	}
}
