package eval

import (
	"fmt"
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
	return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "it may cost %s more, with %s spent, which is over the limit of %s", usd(cost), usd(b.spent), usd(*b.limit)),
		"raise --max-cost, or ask for less")
}

// reserve keeps the estimated cost of a call, or fails with corpus.ErrLimit when it could exceed the limit.
func (b *budget) reserve(cost *float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit == nil || cost == nil || *cost == 0 {
		return nil
	}
	if b.spent+b.pending+*cost > *b.limit {
		return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "the next call could exceed the limit of %s; %s is spent", usd(*b.limit), usd(b.spent)),
			"give the same command a higher --max-cost: it goes on where it stopped")
	}
	b.pending += *cost
	return nil
}

// usd shows an amount so that small ones differ from nothing.
func usd(amount float64) string {
	if amount != 0 && amount < .01 {
		return fmt.Sprintf("$%.6f", amount)
	}
	return fmt.Sprintf("$%.4f", amount)
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

// costOf is what a model's answer cost, in US dollars, at the price of the one that gave it; nil when that is not known.
func costOf(card model.Card, r model.Response) *float64 {
	if r.Fallback != nil {
		card = *r.Fallback
	}
	if r.PromptTokens == nil || r.CompletionTokens == nil {
		return nil
	}
	return card.Cost(*r.PromptTokens, *r.CompletionTokens)
}

// spent is what calls cost, in US dollars: what is known of the answer, else the estimate, which is never less than it was.
// Calls that were not made, were answered by a cache, or that the server refused, cost nothing. It is nil when no price is known.
func spent(calls []Call, known, estimate *float64, err error) *float64 {
	made := 0
	for _, c := range calls {
		if !c.Cached {
			made++
		}
	}
	switch {
	case len(calls) > 0 && made == 0, err != nil && (len(calls) == 0 || made == 1 && model.Refused(err)):
		return new(float64)
	case err == nil && known != nil:
		return known
	}
	return estimate
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
