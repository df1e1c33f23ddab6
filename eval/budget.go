package eval

import (
	"sync"

	"grounded/corpus"
	"grounded/model"
)

// budget holds calls to a limit of US dollars: what is spent, and what is reserved for calls that are being made.
type budget struct {
	limit          *float64 // nil is none
	mu             sync.Mutex
	spent, pending float64
}

// allows refuses work that may cost more than is left, with corpus.ErrLimit.
func (b *budget) allows(cost float64) error {
	if b.limit == nil || cost == 0 || b.spent+cost <= *b.limit {
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "it may cost $%.4f more, with $%.4f spent, which is over the limit of $%.4f", cost, b.spent, *b.limit),
		"raise --max-cost, or ask for less")
}

// reserve keeps the estimated cost of a call, or fails with corpus.ErrLimit when it could exceed the limit.
func (b *budget) reserve(cost *float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit == nil || cost == nil {
		return nil
	}
	if b.spent+b.pending+*cost > *b.limit {
		return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "the next call could exceed the limit of $%.4f; $%.4f is spent", *b.limit, b.spent),
			"give the same command a higher --max-cost: it goes on where it stopped")
	}
	b.pending += *cost
	return nil
}

// settle frees what was reserved and books what was spent.
func (b *budget) settle(reserved, spent *float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit != nil && reserved != nil {
		b.pending -= *reserved
	}
	if spent != nil {
		b.spent += *spent
	}
}

func (b *budget) total() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// atOnce is how many calls are made to a model at the same time.
func atOnce(wanted int, c model.Card) int {
	switch {
	case wanted > 0:
		return wanted
	case c.Provider == "local":
		return 1
	}
	return 4
}
