package model

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"grounded/corpus"
)

// BreakerConfig says when a server counts as down. Zero values are the defaults.
type BreakerConfig struct {
	Failures int           // attempts that failed, with no success between them; default 5
	Quiet    time.Duration // without any success, so that a crowd of requests that fail by chance is no verdict; default 3 s
	Pause    time.Duration // until one request tries it again; default 15 s
}

// Breakers keep servers that are down from being waited for by each request: its model fails at once, until one request
// has tried it again. They are shared by the connections of a program.
type Breakers struct {
	config BreakerConfig

	mu     sync.Mutex
	bycard map[string]*breaker
}

type breaker struct {
	circuit *gobreaker.TwoStepCircuitBreaker[struct{}]
	success atomic.Int64 // when the last was, in nanoseconds since 1970
}

// NewBreakers makes breakers that are closed.
func NewBreakers(c BreakerConfig) *Breakers {
	setDefault(&c.Failures, 5)
	setDefault(&c.Quiet, 3*time.Second)
	setDefault(&c.Pause, 15*time.Second)
	return &Breakers{config: c, bycard: map[string]*breaker{}}
}

// errNoVerdict is an outcome that tells nothing of the server.
var errNoVerdict = errors.New("the request was given up")

func (b *Breakers) of(card Card) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.bycard[card.ID]
	if one == nil {
		one = &breaker{}
		one.circuit = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Timeout: b.config.Pause,
			ReadyToTrip: func(c gobreaker.Counts) bool {
				return c.ConsecutiveFailures >= uint32(b.config.Failures) && time.Since(time.Unix(0, one.success.Load())) >= b.config.Quiet
			},
			IsExcluded: func(err error) bool { return errors.Is(err, errNoVerdict) },
		})
		b.bycard[card.ID] = one
	}
	return one
}

// admit asks whether a server may be tried. verdict is told what came of it.
func (b *Breakers) admit(card Card) (verdict func(context.Context, *failure), f *failure) {
	if b == nil {
		return func(context.Context, *failure) {}, nil
	}
	one := b.of(card)
	done, err := one.circuit.Allow()
	if err != nil {
		return nil, &failure{after: b.config.Pause, err: corpus.Hint(
			corpus.Errorf(corpus.ErrUnavailable, "the model's server has failed %d times in a row; it is tried again every %s", b.config.Failures, b.config.Pause),
			"see that it runs, or choose another model")}
	}
	return func(ctx context.Context, f *failure) {
		switch {
		case ctx.Err() != nil:
			done(errNoVerdict)
		case f != nil && f.down:
			done(f)
		default:
			one.success.Store(time.Now().UnixNano())
			done(nil)
		}
	}, nil
}
