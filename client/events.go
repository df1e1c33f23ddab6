package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"grounded/corpus"
	"grounded/wire"
)

// errLong is for an event over the bound.
var errLong = errors.New("an event is too long")

// readEvents reads server-sent events (HTML standard, section 9.2) and passes on those with data, until one of them
// fails or the stream ends. No event may have more than limit bytes.
func readEvents(r io.Reader, limit int64, use func(name string, data []byte) error) error {
	in := bufio.NewReader(r)
	var name string
	var data []byte
	has := false
	for {
		line, err := readLine(in, limit-int64(len(data)))
		if err != nil {
			return err // an event without its blank line is not whole
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			if has {
				if err := use(name, data); err != nil {
					return err
				}
			}
			name, data, has = "", nil, false
		case string(field) == "event":
			name = string(value)
		case string(field) == "data":
			if has {
				data = append(data, '\n')
			}
			data, has = append(data, value...), true
		}
	}
}

// readLine reads a line without its end.
func readLine(in *bufio.Reader, limit int64) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		if int64(len(line)+len(piece)) > limit {
			return nil, errLong
		}
		line = append(line, piece...)
		if err == nil {
			return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// errWhole ends the reading of a stream whose last event was there.
var errWhole = errors.New("the last event was read")

// stream sends a request that is answered by events, and passes on all but the last, which it returns.
func stream[T any](ctx context.Context, c *Client, r request, use func(name string, data []byte) error) (T, error) {
	var last T
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	r.header = http.Header{"Accept": {"text/event-stream"}}
	response, err := c.send(inner, r)
	if err != nil {
		return last, err
	}
	defer response.Body.Close()
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return last, c.foreign(response)
	}
	silent := time.AfterFunc(c.config.Timeout, cancel)
	defer silent.Stop()
	var own error // of use
	err = readEvents(&watched{response.Body, func() { silent.Reset(c.config.Timeout) }}, c.config.MaxBody, func(name string, data []byte) error {
		switch name {
		case wire.EventDone:
			if err := json.Unmarshal(data, &last); err != nil {
				return err
			}
			return errWhole
		case wire.EventError:
			var p wire.Problem
			if err := json.Unmarshal(data, &p); err != nil {
				return err
			}
			own = &Error{Problem: p, Kind: kindOf(p)}
			return own
		}
		own = use(name, data)
		return own
	})
	switch {
	case errors.Is(err, errWhole):
		return last, nil
	case own != nil:
		return last, own
	case errors.Is(err, errLong):
		return last, corpus.Errorf(corpus.ErrLimit, "an event of the server has more than %d bytes", c.config.MaxBody)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		err = fmt.Errorf("nothing came for %s", c.config.Timeout)
	}
	return last, c.broken(ctx, err)
}

// watched tells of all that is read.
type watched struct {
	io.Reader
	read func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.read()
	return n, err
}
