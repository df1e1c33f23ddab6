package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"grounded/corpus"
	"grounded/model"
)

// relayed are the fields that a server of OpenAI's protocol is passed; others are ours, or would make it refuse.
var relayed = []string{
	"messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop", "n",
	"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format", "logprobs", "top_logprobs", "logit_bias",
	"frequency_penalty", "presence_penalty", "reasoning_effort", "verbosity", "prediction", "modalities", "audio", "user", "service_tier",
}

// plainChat answers without documents: the request goes to the model as it is.
func (s *Server) plainChat(k *call, r *chatRequest) error {
	relay, err := s.engine.relay(r.Model)
	if err != nil {
		return err
	}
	if relay == nil {
		return s.translatedChat(k, r)
	}
	var all map[string]json.RawMessage
	if err := k.decode(&all); err != nil {
		return err
	}
	fields := make(map[string]json.RawMessage, len(all))
	for _, name := range relayed {
		if value, ok := all[name]; ok && string(value) != "null" {
			fields[name] = value
		}
	}
	var seen relayedAnswer
	k.ctx, seen.call = s.config.Telemetry.StartChat(k.ctx, relay.Card(), r.plain())
	seen.texts = seen.call.Content()
	if r.Stream {
		err = s.relayStream(k, relay, fields, &seen)
	} else {
		err = s.relayWhole(k, r, relay, fields, &seen)
	}
	seen.call.End(seen.response, err)
	return err
}

// relayWhole passes an answer on when it is whole.
func (s *Server) relayWhole(k *call, r *chatRequest, relay *model.Relay, fields map[string]json.RawMessage, seen *relayedAnswer) error {
	delete(fields, "stream_options")
	reply, err := relay.Send(k.ctx, fields, false)
	if err != nil {
		return relayError(k, err)
	}
	defer reply.Close()
	whole, err := io.ReadAll(reply)
	if err != nil {
		return relayError(k, corpus.Errorf(corpus.ErrUnavailable, "%w", err))
	}
	seen.whole(whole)
	return s.relayReply(k, r, whole)
}

func relayError(k *call, err error) error {
	if k.ctx.Err() != nil {
		return stopped(k)
	}
	return upstream(err)
}

// relayReply passes an answer on under the name that the client used.
func (s *Server) relayReply(k *call, r *chatRequest, whole []byte) error {
	var reply map[string]json.RawMessage
	var choices []json.RawMessage
	if json.Unmarshal(whole, &reply) != nil || json.Unmarshal(reply["choices"], &choices) != nil || len(choices) == 0 {
		return upstream(corpus.Errorf(corpus.ErrUnavailable, "the reply has no choices"))
	}
	if r.N != nil && len(choices) < *r.N {
		return unsupported("n", "the model %s gave %d of %d answers; ask it %d times instead", r.Model, len(choices), *r.N, *r.N)
	}
	completion := struct {
		ID      string            `json:"id"`
		Object  string            `json:"object"`
		Created int64             `json:"created"`
		Model   string            `json:"model"`
		Choices []json.RawMessage `json:"choices"`
		Usage   json.RawMessage   `json:"usage,omitempty"`
		Tier    json.RawMessage   `json:"service_tier,omitempty"`
		Finger  json.RawMessage   `json:"system_fingerprint,omitempty"`
	}{newID("chatcmpl-"), "chat.completion", time.Now().Unix(), r.Model, choices, reply["usage"], reply["service_tier"], reply["system_fingerprint"]}
	return k.json(completion)
}

var (
	dataPrefix = []byte("data:")
	doneEvent  = []byte("[DONE]")
)

// relayStream passes events on as they come. A stream that breaks off ends with an error, since clients believe one
// that just ends.
func (s *Server) relayStream(k *call, relay *model.Relay, fields map[string]json.RawMessage, seen *relayedAnswer) error {
	w := s.stream(k)
	defer w.close()
	tell := func(f *fault) error { return w.data(f.openAI()) }
	reply, err := relay.Send(k.ctx, fields, true)
	if err != nil {
		return w.end(k.ctx, relayError(k, err), tell)
	}
	defer reply.Close()
	return w.end(k.ctx, s.relayEvents(k, w, reply, relay.Card().ID, seen), tell)
}

// maxEvent is the most bytes of one event.
const maxEvent = 8 << 20

// relayEvents sends what has arrived together as one piece.
func (s *Server) relayEvents(k *call, w *stream, reply io.Reader, name string, seen *relayedAnswer) error {
	lines := bufio.NewReaderSize(reply, 16<<10)
	own, err := json.Marshal(name)
	if err != nil {
		return err
	}
	e := relayedEvents{own: own, seen: seen}
	for {
		line, err := readLine(lines)
		if failed := e.add(line); failed != nil {
			if err := w.write(e.out); err != nil {
				return err
			}
			return failed
		}
		if err == nil && !e.done && bytes.IndexByte(buffered(lines), '\n') >= 0 {
			continue
		}
		if e.done || err == io.EOF && e.finished {
			return w.write(append(e.out, "data: [DONE]\n\n"...))
		}
		if len(e.out) > 0 {
			if err := w.write(e.out); err != nil {
				return err
			}
			e.out = e.out[:0]
		}
		switch {
		case err == nil:
		case k.ctx.Err() != nil:
			return stopped(k)
		case err == io.EOF:
			return upstream(corpus.Errorf(corpus.ErrUnavailable, "the stream ended before the answer did"))
		default:
			return upstream(corpus.Errorf(corpus.ErrUnavailable, "the stream broke off: %w", err))
		}
	}
}

// buffered is what has arrived and is not read yet.
func buffered(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered())
	return b
}

// readLine reads a line of any length up to maxEvent. It is valid until the next.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	whole := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) && len(whole) <= maxEvent {
		line, err = r.ReadSlice('\n')
		whole = append(whole, line...)
	}
	if len(whole) > maxEvent {
		return nil, corpus.Errorf(corpus.ErrLimit, "an event is over %d MB", maxEvent>>20)
	}
	return whole, err
}

// relayedEvents are events on their way to a client, with the model under the name that the client used.
type relayedEvents struct {
	out         []byte
	own, theirs []byte // the model's name, as JSON here, and with its key there
	finished    bool   // a finish reason was there
	done        bool   // [DONE] was there
	seen        *relayedAnswer
}

// add takes a line of the model's server. The error is one that the server sent.
func (e *relayedEvents) add(line []byte) error {
	event, isData := bytes.CutPrefix(line, dataPrefix)
	event = bytes.TrimSpace(event)
	switch {
	case !isData || len(event) == 0:
		return nil
	case bytes.Equal(event, doneEvent):
		e.done = true
		return nil
	case bytes.Contains(event, []byte(`"error"`)):
		if said := errorIn(event); said != nil {
			return upstream(said)
		}
	}
	finish := bytes.Contains(event, []byte(`"finish_reason":"`)) || bytes.Contains(event, []byte(`"finish_reason": "`))
	e.finished = e.finished || finish
	e.seen.event(event, finish)
	if e.theirs == nil {
		e.theirs = modelIn(event)
	}
	e.out = append(e.out, "data: "...)
	if before, after, found := bytes.Cut(event, e.theirs); found && len(e.theirs) > 0 {
		e.out = append(append(append(append(e.out, before...), `"model":`...), e.own...), after...)
	} else {
		e.out = append(e.out, event...)
	}
	e.out = append(e.out, "\n\n"...)
	return nil
}

// modelIn is where an event names its model, key and value: what the server calls it there may be a path. Inside of a
// text quotes are escaped, so that it can't be found there.
func modelIn(event []byte) []byte {
	const key = `"model":`
	at := bytes.Index(event, []byte(key))
	if at < 0 {
		return nil
	}
	var value json.RawMessage
	if json.NewDecoder(bytes.NewReader(event[at+len(key):])).Decode(&value) != nil {
		return nil
	}
	space := len(event[at+len(key):]) - len(bytes.TrimLeft(event[at+len(key):], " "))
	return bytes.Clone(event[at : at+len(key)+space+len(value)])
}

// errorIn reads an event that is an error instead of a piece of an answer.
func errorIn(event []byte) error {
	var e struct {
		Error   json.RawMessage `json:"error"`
		Choices json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(event, &e) != nil || len(e.Error) == 0 || string(e.Error) == "null" {
		return nil
	}
	return corpus.Errorf(corpus.ErrUnavailable, "the model's server says: %s", e.Error[:min(len(e.Error), 300)])
}

// translatedChat asks a model whose server has a protocol of its own.
func (s *Server) translatedChat(k *call, r *chatRequest) error {
	if err := r.textOnly("the model "+r.Model, "use a model whose provider speaks OpenAI's protocol"); err != nil {
		return err
	}
	chat, err := s.engine.chat(k.ctx, r.Model)
	if err != nil {
		return err
	}
	for i, m := range r.Messages {
		if m.Role == "tool" || m.Role == "function" {
			return unsupported("messages", "the model %s cannot read message %d of role %s", r.Model, i, m.Role)
		}
	}
	c := s.completion(k, r)
	defer c.close()
	response, err := chat.Complete(k.ctx, r.plain(), c.delta)
	if err != nil {
		return c.end(err)
	}
	return c.finish(response.Text, response.FinishReason, corpus.Usage{PromptTokens: response.PromptTokens, CompletionTokens: response.CompletionTokens}, nil, nil)
}
