package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"grounded/corpus"
)

// Fallbacks are a card and those that stand by for it, in the order in which they are asked. The error is ErrNotFound.
func (c Catalog) Fallbacks(id string) ([]Card, error) {
	card, err := c.Get(id)
	if err != nil {
		return nil, err
	}
	cards := []Card{card}
	for i := 0; i < len(cards); i++ { // the list grows by theirs; it ends, since Load refuses circles
		for _, next := range cards[i].Fallback {
			card, err := c.Get(next)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(cards, func(known Card) bool { return known.ID == next }) {
				cards = append(cards, card)
			}
		}
	}
	return cards, nil
}

// checkFallbacks refuses fallbacks that are not there, do not chat, or lead back to where they came from.
func (c Catalog) checkFallbacks() error {
	for _, card := range c.cards {
		for _, id := range card.Fallback {
			next, err := c.Get(id)
			if err != nil {
				return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "fallback of model %q: %w", card.ID, err), corpus.HintOf(err))
			}
			if !next.Does(TaskChat) || !card.Does(TaskChat) {
				return corpus.Errorf(corpus.ErrInvalid, "fallback of model %q is %q: both must have the task chat", card.ID, id)
			}
		}
	}
	for _, card := range c.cards {
		if path := c.circle(card, nil); path != nil {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "fallbacks go in a circle: %s", strings.Join(path, " → ")),
				"leave out one of them; the fallbacks of a fallback are used too")
		}
	}
	return nil
}

// circle is a way along fallbacks that comes to a model twice; nil if there is none.
func (c Catalog) circle(card Card, path []string) []string {
	if at := slices.Index(path, card.ID); at >= 0 {
		return append(path[at:], card.ID)
	}
	path = append(slices.Clone(path), card.ID)
	for _, id := range card.Fallback {
		next, err := c.Get(id)
		if err != nil {
			return nil
		}
		if found := c.circle(next, path); found != nil {
			return found
		}
	}
	return nil
}

// Passes reports whether another model may answer what this one could not: its server is down, limits the rate, did not
// begin in time, or the account has no quota left.
func Passes(err error) bool {
	return errors.Is(err, corpus.ErrUnavailable) || errors.Is(err, corpus.ErrLimit) && !TooLong(err)
}

// fallback is a chat model with others that stand by for it.
type fallback struct {
	chats []Chat
	told  func(from, to Card, err error)
}

// newFallback is the first of the models, for which the others answer in turn when Passes says so of its error and nothing
// of its answer has come yet. told, if it is not nil, hears of it.
func newFallback(chats []Chat, told func(from, to Card, err error)) Chat {
	if len(chats) == 1 {
		return chats[0]
	}
	if told == nil {
		told = func(Card, Card, error) {}
	}
	return &fallback{chats, told}
}

// Card is that of the model that is asked first.
func (f *fallback) Card() Card { return f.chats[0].Card() }

// CountTokens counts as the first that can.
func (f *fallback) CountTokens(ctx context.Context, text string) (n int, err error) {
	for _, c := range f.chats {
		n, failed := c.CountTokens(ctx, text)
		if failed == nil {
			return n, nil
		}
		err = errors.Join(err, failed)
		if ctx.Err() != nil {
			break
		}
	}
	return 0, err
}

func (f *fallback) Complete(ctx context.Context, r Request, stream func(Delta) error) (Response, error) {
	var first error
	for i, c := range f.chats {
		begun := false
		deltas := stream
		if stream != nil {
			deltas = func(d Delta) error {
				begun = true
				if i > 0 {
					d.Model = c.Card().ID
				}
				return stream(d)
			}
		}
		response, err := c.Complete(ctx, r, deltas)
		if err == nil && i > 0 {
			card := c.Card()
			response.Fallback = &card
		}
		if first == nil {
			first = err
		}
		switch {
		case err == nil, begun, ctx.Err() != nil, i == 0 && !Passes(err):
			return response, err
		case i > 0:
			first = fmt.Errorf("%w; in its place %v", first, err)
		}
		if i+1 < len(f.chats) {
			f.told(c.Card(), f.chats[i+1].Card(), err)
		}
	}
	return Response{}, first
}

// unconnected stands for a model that can't be asked, such as one whose key is not set.
type unconnected struct {
	card Card
	err  error
}

func (u unconnected) Card() Card { return u.card }

func (u unconnected) CountTokens(context.Context, string) (int, error) { return 0, u.err }

func (u unconnected) Complete(context.Context, Request, func(Delta) error) (Response, error) {
	return Response{}, u.err
}

// NewChats connects to the first of the models, for which the others stand by; one of those that can't be connected is
// passed over when its turn comes. Errors are those of connect for the first.
func NewChats(cards []Card, connect func(Card) (Chat, error), told func(from, to Card, err error)) (Chat, error) {
	var chats []Chat
	for i, card := range cards {
		chat, err := connect(card)
		switch {
		case err == nil:
		case i == 0:
			return nil, err
		default:
			chat = unconnected{card, err}
		}
		chats = append(chats, chat)
	}
	return newFallback(chats, told), nil
}
