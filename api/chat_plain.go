package api

import (
	"encoding/json"
	"errors"
	"io"

	"grounded/corpus"
	"grounded/model"
)

// relayed are the fields that a server of OpenAI's protocol is passed; others are ours, or would make it refuse.
var relayed = []string{
	"messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop", "n",
	"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format", "logprobs", "top_logprobs", "logit_bias",
	"frequency_penalty", "presence_penalty", "reasoning_effort", "verbosity", "prediction", "modalities", "audio", "user", "service_tier",
}

// plainChat answers without documents: the request goes to the model as it is. While its server can't answer, its
// fallbacks are asked.
func (s *Server) plainChat(k *call, r *chatRequest) error {
	cards, err := s.engine.Catalog.Fallbacks(r.Model)
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := k.decode(&all); err != nil {
		return err
	}
	c := s.completion(k, r)
	defer c.close()
	var first error
	for i, card := range cards {
		answered, err := s.askPlainly(c, card, all, i+1 < len(cards))
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
		if answered || k.ctx.Err() != nil || i == 0 && !passes(err) {
			return c.end(err)
		}
		if i+1 < len(cards) {
			s.fell(card, cards[i+1], err)
		}
	}
	return c.end(first)
}

// askPlainly asks one model. answered says whether the client has got something of its answer; with standby the
// beginning is held back until the model has said something.
func (s *Server) askPlainly(c *completion, card model.Card, all map[string]json.RawMessage, standby bool) (answered bool, err error) {
	relay, err := s.engine.relay(card.ID)
	switch {
	case err != nil:
		return false, err
	case relay == nil:
		err := s.translatedChat(c, card)
		return c.roled, err
	}
	k := c.call
	before := k.ctx
	defer func() { k.ctx = before }()
	seen := &relayedAnswer{}
	k.ctx, seen.call = s.config.Telemetry.StartChat(k.ctx, relay.Card(), c.request.plain())
	seen.texts = seen.call.Content()
	answered, err = s.relayChat(c, relay, relayedFields(all), standby, seen)
	seen.call.End(seen.response, err)
	return answered, err
}

// passes reports whether another model may answer. What this server refuses itself, no other would do.
func passes(err error) bool {
	var up upstreamError
	return errors.As(err, &up) && model.Passes(err)
}

func relayedFields(all map[string]json.RawMessage) map[string]json.RawMessage {
	fields := make(map[string]json.RawMessage, len(all))
	for _, name := range relayed {
		if value, ok := all[name]; ok && string(value) != "null" {
			fields[name] = value
		}
	}
	return fields
}

// relayChat passes a request on, and the answer back.
func (s *Server) relayChat(c *completion, relay *model.Relay, fields map[string]json.RawMessage, standby bool, seen *relayedAnswer) (answered bool, err error) {
	k := c.call
	if c.events != nil {
		if err := countStream(fields); err != nil {
			return false, err
		}
		reply, err := relay.Send(k.ctx, fields, true)
		if err != nil {
			return false, relayError(k, err)
		}
		defer reply.Close()
		return s.relayEvents(c, reply, relay.Card().ID, standby, seen)
	}
	delete(fields, "stream_options")
	reply, err := relay.Send(k.ctx, fields, false)
	if err != nil {
		return false, relayError(k, err)
	}
	defer reply.Close()
	whole, err := io.ReadAll(reply)
	if err != nil {
		return false, relayError(k, corpus.Errorf(corpus.ErrUnavailable, "%w", err))
	}
	seen.whole(whole)
	return relayReply(c, relay.Card().ID, whole)
}

// countStream asks for the usage of a stream, which limits are kept by.
func countStream(fields map[string]json.RawMessage) error {
	options := map[string]json.RawMessage{}
	if given, ok := fields["stream_options"]; ok {
		if err := json.Unmarshal(given, &options); err != nil {
			return invalid("stream_options", "stream_options cannot be read: %s", err)
		}
	}
	options["include_usage"] = json.RawMessage("true")
	var err error
	fields["stream_options"], err = json.Marshal(options)
	return err
}

func relayError(k *call, err error) error {
	if k.ctx.Err() != nil {
		return stopped(k)
	}
	return upstream(err)
}

// relayReply passes an answer on under the name that clients use.
func relayReply(c *completion, id string, whole []byte) (answered bool, err error) {
	var reply map[string]json.RawMessage
	var choices []json.RawMessage
	if json.Unmarshal(whole, &reply) != nil || json.Unmarshal(reply["choices"], &choices) != nil || len(choices) == 0 {
		return false, upstream(corpus.Errorf(corpus.ErrUnavailable, "the reply has no choices"))
	}
	c.call.useReply(reply["usage"])
	if n := c.request.N; n != nil && len(choices) < *n {
		return false, unsupported("n", "the model %s gave %d of %d answers; ask it %d times instead", id, len(choices), *n, *n)
	}
	c.by(id)
	completion := struct {
		ID      string            `json:"id"`
		Object  string            `json:"object"`
		Created int64             `json:"created"`
		Model   string            `json:"model"`
		Choices []json.RawMessage `json:"choices"`
		Usage   json.RawMessage   `json:"usage,omitempty"`
		Tier    json.RawMessage   `json:"service_tier,omitempty"`
		Finger  json.RawMessage   `json:"system_fingerprint,omitempty"`
	}{c.id, "chat.completion", c.made, c.model, choices, reply["usage"], reply["service_tier"], reply["system_fingerprint"]}
	return true, c.call.json(completion)
}

// translatedChat asks a model whose server has a protocol of its own.
func (s *Server) translatedChat(c *completion, card model.Card) error {
	k, r := c.call, c.request
	if err := r.textOnly("the model "+card.ID, "use a model whose provider speaks OpenAI's protocol"); err != nil {
		return err
	}
	chat, err := s.engine.alone(k.ctx, card.ID)
	if err != nil {
		return err
	}
	for i, m := range r.Messages {
		if m.Role == "tool" || m.Role == "function" {
			return unsupported("messages", "the model %s cannot read message %d of role %s", card.ID, i, m.Role)
		}
	}
	response, err := chat.Complete(k.ctx, r.plain(), func(d model.Delta) error {
		d.Model = card.ID
		return c.delta(d)
	})
	if err != nil {
		return err
	}
	c.by(card.ID)
	return c.finish(response.Text, response.FinishReason, corpus.Usage{PromptTokens: response.PromptTokens, CompletionTokens: response.CompletionTokens}, nil, nil)
}
