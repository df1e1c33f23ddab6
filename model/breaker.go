package model

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"grounded/corpus"
)

// Breakers keep servers that are down from being waited for by each request: after several failures in a row a model
// fails at once, until one request has tried it again. They are shared by the connections of a program.
type Breakers struct {
	failures int
	pause    time.Duration

	mu     sync.Mutex
	bycard map[string]*gobreaker.TwoStepCircuitBreaker[struct{}]
}

// NewBreakers makes breakers that open after so many failed attempts in a row (default 5), for so long (default 15 s).
func NewBreakers(failures int, pause time.Duration) *Breakers {
	setDefault(&failures, 5)
	setDefault(&pause, 15*time.Second)
	return &Breakers{failures: failures, pause: pause, bycard: map[string]*gobreaker.TwoStepCircuitBreaker[struct{}]{}}
}

// errNoVerdict is an outcome that tells nothing of the server.
var errNoVerdict = errors.New("the request was given up")

func (b *Breakers) of(card Card) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	breaker := b.bycard[card.ID]
	if breaker == nil {
		breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Timeout:     b.pause,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= uint32(b.failures) },
			IsExcluded:  func(err error) bool { return errors.Is(err, errNoVerdict) },
		})
		b.bycard[card.ID] = breaker
	}
	return breaker
}

// admit asks whether a server may be tried. verdict is told what came of it.
func (b *Breakers) admit(card Card) (verdict func(context.Context, *failure), f *failure) {
	if b == nil {
		return func(context.Context, *failure) {}, nil
	}
	done, err := b.of(card).Allow()
	if err != nil {
		return nil, &failure{after: b.pause, err: corpus.Hint(
			corpus.Errorf(corpus.ErrUnavailable, "the model's server has failed %d times in a row; it is tried again every %s", b.failures, b.pause),
			"see that it runs, or choose another model")}
	}
	return func(ctx context.Context, f *failure) {
		switch {
		case ctx.Err() != nil:
			done(errNoVerdict)
		case f != nil && f.down:
			done(f)
		default:
			done(nil)
		}
	}, nil
}
