package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"grounded/corpus"
)

// maxReply is the most bytes that a whole reply may have: 2,048 vectors of 4,096 numbers as JSON fit.
const maxReply = 256 << 20

var errTimeout = errors.New("the server did not answer in time")

// wire is the http.RoundTripper under an adapter. It starts local models, bounds the requests at once, repeats what
// may succeed later, and keeps the errors that the layer above would make unrecognisable.
type wire struct {
	card    Card
	cfg     Config
	headers map[string]string
	slots   chan struct{}
	waiting atomic.Int64 // for a slot
}

// exchange is one call through the wire. It travels in the request's context, since the client in between knows
// nothing of it.
type exchange struct {
	// edit changes the request's body before it is sent.
	edit func(body map[string]any)
	// read looks at a whole reply of status 200 and may replace it; readable if nil.
	read func(body []byte) ([]byte, *failure)
	// stream says that the reply is read as it comes; line, if it is set, is given each of its lines.
	stream bool
	line   func(line []byte)

	err error // why it failed, with its kind and hint
}

type exchangeKey struct{}

func withExchange(ctx context.Context, ex *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, ex)
}

func newWire(card Card, cfg Config) (*wire, error) {
	w := &wire{card: card, cfg: cfg, headers: map[string]string{}, slots: make(chan struct{}, cfg.Concurrency)}
	for name, value := range card.Headers {
		expanded, err := expandEnv(value, cfg.LookupEnv)
		if err != nil {
			return nil, corpus.Errorf(corpus.ErrInvalid, "header %s of model %q: %w", name, card.ID, err)
		}
		w.headers[name] = expanded
	}
	return w, nil
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// RoundTrip sends the request until it succeeds, cannot succeed, or the attempts are used up.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	ex, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		ex = &exchange{}
	}
	resp, err := w.exchange(ctx, req, ex)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		ex.err = err
		return nil, err
	}
	return resp, nil
}

func (w *wire) exchange(ctx context.Context, req *http.Request, ex *exchange) (*http.Response, error) {
	body, err := requestBody(req, ex.edit)
	if err != nil {
		return nil, err
	}
	if err := w.enter(ctx); err != nil {
		return nil, err
	}
	release := func() { <-w.slots }

	began := time.Now()
	for attempt := 1; ; attempt++ {
		verdict, f := w.cfg.Breakers.admit(w.card)
		if f != nil {
			release()
			return nil, f
		}
		resp, f := w.attempt(ctx, req, body, ex, release)
		if f == nil {
			if b, streamed := resp.Body.(*streamBody); streamed {
				b.verdict = verdict // once something of it has come
			} else {
				verdict(ctx, nil)
			}
			return resp, nil
		}
		verdict(ctx, f)
		wait := w.backoff(attempt, f.after)
		if ctx.Err() != nil || !f.retry || attempt >= w.cfg.Attempts || time.Since(began)+wait > w.cfg.MaxElapsed {
			release()
			return nil, given(f, attempt, wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
}

// enter waits for a place among the requests at once.
func (w *wire) enter(ctx context.Context) error {
	select {
	case w.slots <- struct{}{}:
		return nil
	default:
	}
	busy := func(and string, args ...any) *failure {
		return &failure{after: time.Second, err: corpus.Hint(
			corpus.Errorf(corpus.ErrUnavailable, "the model has %d requests at once, and "+and, append([]any{w.cfg.Concurrency}, args...)...),
			"try again in a moment, or raise concurrency in the model's catalog entry")}
	}
	n := w.waiting.Add(1)
	defer w.waiting.Add(-1)
	if w.cfg.Queue > 0 && n > int64(w.cfg.Queue) {
		return busy("as many as may are waiting")
	}
	var late <-chan time.Time
	if w.cfg.QueueWait > 0 {
		timer := time.NewTimer(w.cfg.QueueWait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-late:
		return busy("none of them ended within %s", w.cfg.QueueWait)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// given is the error after the last attempt.
func given(f *failure, attempts int, wait time.Duration) error {
	if attempts == 1 && f.after == 0 {
		return f
	}
	text := fmt.Sprintf("%d attempts", attempts)
	if attempts == 1 {
		text = "1 attempt"
	}
	if f.after > 0 {
		text += fmt.Sprintf(", the server asks to wait %s", wait.Round(time.Millisecond))
	}
	return fmt.Errorf("%w (%s)", f, text)
}

// backoff is the time to wait after so many attempts: doubling, with jitter, and no less than the server asks.
func (w *wire) backoff(attempts int, asked time.Duration) time.Duration {
	d := w.cfg.MaxDelay
	if attempts < 20 {
		d = min(d, w.cfg.MinDelay<<(attempts-1))
	}
	d = d/2 + rand.N(d/2+1)
	return max(d, asked)
}

func requestBody(req *http.Request, edit func(map[string]any)) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil || edit == nil {
		return body, err
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("edit the request: %w", err)
	}
	edit(fields)
	return json.Marshal(fields)
}

// attempt sends the request once. With a streamed reply, release is called when its body is closed; else it
// is called before a reply is returned. After a failure it has not been called.
func (w *wire) attempt(ctx context.Context, req *http.Request, body []byte, ex *exchange, release func()) (*http.Response, *failure) {
	req = req.Clone(ctx)
	if w.cfg.Start != nil && w.card.Provider == "local" {
		base, err := w.cfg.Start(ctx, w.card)
		if err != nil {
			return nil, &failure{err: err}
		}
		if err := rebase(req.URL, base); err != nil {
			return nil, &failure{err: err}
		}
		req.Host = ""
	}
	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	limit := w.cfg.Timeout
	if ex.stream && len(w.card.Fallback) > 0 {
		limit = min(limit, w.cfg.FirstWait) // another can begin
	}
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w (%s)", errTimeout, limit)) })
	stop := func() { timer.Stop(); cancel(nil) }

	req = req.WithContext(ctx)
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	for name, value := range w.headers {
		req.Header.Set(name, value)
	}
	resp, err := w.cfg.Transport.RoundTrip(req)
	if err != nil {
		f := failedTransport(w.card, ctx, err)
		stop()
		return nil, f
	}
	if resp.StatusCode >= 400 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		stop()
		return nil, failedStatus(w.card, resp, said, time.Now())
	}
	reader := &idleReader{body: resp.Body, timer: timer, idle: w.cfg.IdleTimeout, ctx: ctx, caller: caller}
	if ex.stream {
		resp.Body = &streamBody{reader: reader, line: ex.line, done: func() { stop(); release() }}
		return resp, nil
	}
	whole, err := io.ReadAll(io.LimitReader(reader, maxReply+1))
	resp.Body.Close()
	if err != nil {
		f := failedTransport(w.card, ctx, fmt.Errorf("the reply broke off: %w", err))
		stop()
		return nil, f
	}
	stop()
	if len(whole) > maxReply {
		return nil, &failure{err: corpus.Errorf(corpus.ErrLimit, "the reply is over %d MB", maxReply>>20)}
	}
	read := ex.read
	if read == nil {
		read = readable
	}
	whole, f := read(whole)
	if f != nil {
		return nil, f
	}
	release()
	resp.Body = io.NopCloser(bytes.NewReader(whole))
	resp.ContentLength = int64(len(whole))
	return resp, nil
}

// readable refuses a reply of status 200 that is no JSON, or an error after all.
func readable(body []byte) ([]byte, *failure) {
	if !json.Valid(body) {
		return nil, notJSON(body)
	}
	var reply struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &reply) == nil && len(reply.Error) > 0 && string(reply.Error) != "null" {
		return nil, errorReply(body)
	}
	return body, nil
}

// rebase puts the address of a local model that runs in the place of the one that stands for it.
func rebase(u *url.URL, base string) error {
	b, err := url.Parse(base)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "base URL of the local model: %w", err)
	}
	u.Scheme, u.Host = b.Scheme, b.Host
	if endpoint, ok := strings.CutPrefix(u.Path, localPath); ok {
		u.Path = strings.TrimSuffix(b.Path, "/") + endpoint
	}
	return nil
}

// idleReader restarts the timer with each piece that arrives.
type idleReader struct {
	body  io.Reader
	timer *time.Timer
	idle  time.Duration
	ctx   context.Context // ends with the timer

	caller context.Context
}

func (r *idleReader) Read(p []byte) (int, error) {
	r.timer.Reset(r.idle)
	n, err := r.body.Read(p)
	if err != nil && err != io.EOF {
		if cause := context.Cause(r.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

// streamBody is a streamed reply whose lines are looked at as they pass.
type streamBody struct {
	reader  *idleReader
	line    func([]byte)
	done    func()
	verdict func(context.Context, *failure) // nil once it was given
	rest    []byte
	closed  bool
}

// judge tells whether anything of the reply came.
func (b *streamBody) judge(n int, err error) {
	var f *failure
	if n == 0 && err != nil {
		f = &failure{err: err, down: true}
	}
	if b.verdict != nil && (n > 0 || err != nil) {
		b.verdict(b.reader.caller, f)
		b.verdict = nil
	}
}

func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	b.judge(n, err)
	if b.line == nil {
		return n, err
	}
	b.rest = append(b.rest, p[:n]...)
	for {
		at := bytes.IndexByte(b.rest, '\n')
		if at < 0 {
			break
		}
		b.line(bytes.TrimSpace(b.rest[:at]))
		b.rest = b.rest[at+1:]
	}
	if err == io.EOF && len(b.rest) > 0 {
		b.line(bytes.TrimSpace(b.rest))
		b.rest = nil
	}
	return n, err
}

func (b *streamBody) Close() error {
	err := b.reader.body.(io.Closer).Close()
	if !b.closed {
		b.closed = true
		b.judge(0, errNoVerdict)
		b.done()
	}
	return err
}
