package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"grounded/corpus"
)

var (
	dataPrefix = []byte("data:")
	doneEvent  = []byte("[DONE]")
)

// maxEvent is the most bytes of one event.
const maxEvent = 8 << 20

// relayEvents passes events on as they come; what has arrived together is sent as one piece. A stream that breaks off is
// an error, since clients believe one that just ends.
func (s *Server) relayEvents(c *completion, reply io.Reader, id string, standby bool, seen *relayedAnswer) (answered bool, err error) {
	k, w := c.call, c.events
	lines := bufio.NewReaderSize(reply, 8<<10)
	own, err := json.Marshal(id)
	if err != nil {
		return false, err
	}
	e := relayedEvents{own: own, usage: c.usage, spoke: !standby, seen: seen}
	defer func() { k.useReply(e.used) }()
	c.by(id)
	send := func(more string) error {
		if len(e.out)+len(more) == 0 {
			return nil
		}
		answered = true
		err := w.write(append(e.out, more...))
		e.out = e.out[:0]
		return err
	}
	for {
		line, err := readLine(lines)
		if err != nil && !wholeEvent(line) {
			line = nil // it was cut off
		}
		if failed := e.add(line); failed != nil {
			if e.spoke {
				if err := send(""); err != nil {
					return answered, err
				}
			}
			return answered, failed
		}
		if err == nil && !e.done && bytes.IndexByte(buffered(lines), '\n') >= 0 {
			continue
		}
		if e.done || err == io.EOF && e.finished {
			return true, send("data: [DONE]\n\n")
		}
		if e.spoke {
			if err := send(""); err != nil {
				return answered, err
			}
		}
		switch {
		case err == nil:
		case k.ctx.Err() != nil:
			return answered, stopped(k)
		case err == io.EOF:
			return answered, upstream(corpus.Errorf(corpus.ErrUnavailable, "the stream ended before the answer did"))
		default:
			return answered, upstream(corpus.Errorf(corpus.ErrUnavailable, "the stream broke off: %w", err))
		}
	}
}

// wholeEvent reports whether a line without its end is all of an event.
func wholeEvent(line []byte) bool {
	data := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("data:")))
	return string(data) == "[DONE]" || json.Valid(data)
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
		return nil, corpus.Errorf(corpus.ErrUnavailable, "an event is over %d MB", maxEvent>>20)
	}
	return whole, err
}

// relayedEvents are events on their way to a client, with the model under the name that the client used.
type relayedEvents struct {
	out         []byte
	own, theirs []byte // the model's name, as JSON here, and with its key there
	finished    bool   // a finish reason was there
	done        bool   // [DONE] was there
	spoke       bool   // something of the answer was there

	usage bool            // the client wants the usage
	used  json.RawMessage // it, once it was there
	seen  *relayedAnswer
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
	finish := valueOf(event, `"finish_reason":`) == '"'
	e.seen.event(event, finish)
	if usageIn(event, &e.used) && !e.usage {
		return nil
	}
	e.spoke = e.spoke || speaks(event)
	e.finished = e.finished || finish
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

// valueOf is the first byte of a key's value, which tells its kind; 0 when the key is not there.
func valueOf(event []byte, key string) byte {
	_, value, _ := bytes.Cut(event, []byte(key))
	if value = bytes.TrimLeft(value, " "); len(value) > 0 {
		return value[0]
	}
	return 0
}

// usageIn finds the usage in an event. only says that there is nothing else in it, which is sent to those who asked for it.
func usageIn(event []byte, used *json.RawMessage) (only bool) {
	if valueOf(event, `"usage":`) != '{' {
		return false
	}
	var e struct {
		Choices []json.RawMessage `json:"choices"`
		Usage   json.RawMessage   `json:"usage"`
	}
	if json.Unmarshal(event, &e) != nil || len(e.Usage) == 0 {
		return false
	}
	*used = e.Usage
	return len(e.Choices) == 0
}

// speaks reports whether an event has something of an answer, and not only whose turn it is.
func speaks(event []byte) bool {
	var e struct {
		Choices []struct {
			Delta  map[string]json.RawMessage `json:"delta"`
			Finish *string                    `json:"finish_reason"`
		} `json:"choices"`
	}
	if json.Unmarshal(event, &e) != nil {
		return true
	}
	for _, c := range e.Choices {
		for name, value := range c.Delta {
			if text := string(value); name != "role" && text != `""` && text != "null" {
				return true
			}
		}
		if c.Finish != nil {
			return true
		}
	}
	return false
}
