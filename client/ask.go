package client

import (
	"context"
	"encoding/json"

	"grounded/corpus"
	"grounded/wire"
)

// Retrieve finds the passages that a question is about.
func (c *Client) Retrieve(ctx context.Context, q wire.Question) (wire.Retrieved, error) {
	return call[wire.Retrieved](ctx, c, request{method: "POST", path: []string{"api", "retrieve"}, body: q})
}

// Event is what happens before an answer is whole. One of the fields is set.
type Event struct {
	Passages []corpus.Passage // that the answer is made from, once, before its first text
	Delta    string           // text as the model writes it
	Citation *corpus.Citation // checked, when the text is whole
}

// Answer answers a question. With use, which an error from ends the call, events come as they happen. An answer that
// breaks off is an error, whatever came of it; it isn't asked for again, since answers cost.
func (c *Client) Answer(ctx context.Context, q wire.Question, use func(Event) error) (corpus.Answer, error) {
	r := request{method: "POST", path: []string{"api", "answer"}, once: true}
	if q.Stream = use != nil; !q.Stream {
		r.body = q
		return call[corpus.Answer](ctx, c, r)
	}
	r.body = q
	return stream[corpus.Answer](ctx, c, r, func(name string, data []byte) error {
		var e Event
		switch name {
		case wire.EventRetrieved:
			var p wire.Passages
			if err := json.Unmarshal(data, &p); err != nil {
				return unreadable(name, err)
			}
			e.Passages = p.Passages
		case wire.EventDelta:
			var d wire.Delta
			if err := json.Unmarshal(data, &d); err != nil {
				return unreadable(name, err)
			}
			e.Delta = d.Text
		case wire.EventCitation:
			e.Citation = &corpus.Citation{}
			if err := json.Unmarshal(data, e.Citation); err != nil {
				return unreadable(name, err)
			}
		default:
			return nil // of a newer server
		}
		return use(e)
	})
}

// Compare answers a question by each of its models and arms. With use each answer comes as it is finished. What fails
// is in its answer.
func (c *Client) Compare(ctx context.Context, q wire.Question, use func(wire.ComparedAnswer) error) (wire.Comparison, error) {
	r := request{method: "POST", path: []string{"api", "compare"}, once: true}
	if q.Stream = use != nil; !q.Stream {
		r.body = q
		return call[wire.Comparison](ctx, c, r)
	}
	r.body = q
	return stream[wire.Comparison](ctx, c, r, func(name string, data []byte) error {
		if name != wire.EventAnswer {
			return nil
		}
		var a wire.ComparedAnswer
		if err := json.Unmarshal(data, &a); err != nil {
			return unreadable(name, err)
		}
		return use(a)
	})
}

func unreadable(name string, err error) error {
	return corpus.Errorf(corpus.ErrUnsupported, "read event %s of the server: %w", name, err)
}
