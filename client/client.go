// Package client speaks to a server of this program from Go: it asks questions, takes answers as they are written,
// uploads files and follows the jobs that ingest them. What is sent and received are the structs of wire, corpus, jobs
// and model; errors have the kinds of corpus, as if the work had been done in process.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"grounded/corpus"
	"grounded/wire"
)

// Config of a Client. URL must be set; other zero values are the defaults.
type Config struct {
	URL string // of the server: scheme, host, and the path that a proxy has it under, such as https://docs.example.com
	Key string // as `grounded keys new` printed it; empty for a server that asks for none
	// Groups narrow those of the key: a frontend names those of its user. nil leaves the key's.
	Groups []string

	Transport http.RoundTripper // default one like http.DefaultTransport, with its proxies
	Timeout   time.Duration     // of a call that is no upload, and of silence on a stream; default 11 min, which is over a server's own
	Attempts  int               // of a call that can be repeated; default 5
	Wait      time.Duration     // before the second attempt, doubled each time, where the server names none; default 500 ms
	// MaxWait is the longest that a server may ask to be waited for: beyond it the call fails at once. Default 1 min.
	MaxWait time.Duration
	// MaxBody is the most bytes of a reply, and of one event of a stream; default 256 MB.
	MaxBody int64
}

// Client calls one server. It is safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New makes a client. It makes no request; the error is corpus.ErrInvalid.
func New(c Config) (*Client, error) {
	base, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the server's key has characters that no key has"), "copy it again, without quotes and line ends")
	}
	setDefault(&c.Timeout, 11*time.Minute)
	setDefault(&c.Attempts, 5)
	setDefault(&c.Wait, 500*time.Millisecond)
	setDefault(&c.MaxWait, time.Minute)
	setDefault(&c.MaxBody, 256<<20)
	if c.Transport == nil {
		c.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ResponseHeaderTimeout: c.Timeout, // from when all is sent, so that an upload may take longer
			MaxIdleConnsPerHost:   16,
		}
	}
	return &Client{config: c, base: base, http: &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a key is for one server
	}}, nil
}

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q is no address of a server", text), "write it like http://127.0.0.1:8080 or https://docs.example.com")
	case u.User != nil:
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the server's address has a name or a password in it"), "leave them out: a key is given by itself")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, corpus.Errorf(corpus.ErrInvalid, "the server's address %q has a ? or a # in it", text)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), ""
	if strings.HasSuffix(u.Path, "/v1") {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q is the address for clients of OpenAI", text), "leave /v1 out")
	}
	return u, nil
}

// request is one call.
type request struct {
	method string
	path   []string // elements, as they are before they are escaped
	query  url.Values
	header http.Header
	body   any // sent as JSON; nil for none
	// stream writes the body instead, anew for each attempt; its type is contentType.
	stream      func(io.Writer) error
	contentType string
	// once is for calls that cost or change something each time: they are repeated only when the server has said that it
	// did nothing.
	once bool
	long bool // has no Timeout: it takes as long as it goes on
}

// call sends a request and decodes the reply.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var reply T
	if !r.long {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.config.Timeout)
		defer cancel()
	}
	response, err := c.send(ctx, r)
	if err != nil {
		return reply, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.config.MaxBody+1))
	switch {
	case err != nil:
		return reply, c.broken(ctx, err)
	case int64(len(body)) > c.config.MaxBody:
		return reply, corpus.Hint(corpus.Errorf(corpus.ErrLimit, "the server's reply has more than %d bytes", c.config.MaxBody), "ask for less at once")
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return reply, c.foreign(response)
	}
	return reply, nil
}

// send sends a request until it is answered with success, as often as is allowed.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var encoded []byte
	if r.body != nil {
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r.body); err != nil {
			return nil, unwritable("request", err)
		}
		encoded = buffer.Bytes()
	}
	for attempt := 1; ; attempt++ {
		response, err := c.attempt(ctx, r, encoded)
		if err == nil {
			return response, nil
		}
		wait, again := c.again(r, err, attempt)
		if !again {
			return nil, err
		}
		if pause(ctx, wait) != nil {
			return nil, c.broken(ctx, ctx.Err())
		}
	}
}

// attempt sends a request once. Its response is one of success.
func (c *Client) attempt(ctx context.Context, r request, encoded []byte) (*http.Response, error) {
	var body io.Reader
	contentType := r.contentType
	var written *writing
	switch {
	case r.stream != nil:
		written = write(r.stream)
		defer written.close()
		body = written
	case encoded != nil:
		body, contentType = bytes.NewReader(encoded), "application/json"
	}
	address := c.base.JoinPath(escaped(r.path)...)
	address.RawQuery = r.query.Encode()
	q, err := http.NewRequestWithContext(ctx, r.method, address.String(), body)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make the request: %w", err)
	}
	for name, values := range r.header {
		q.Header[name] = values
	}
	if contentType != "" {
		q.Header.Set("Content-Type", contentType)
	}
	if c.config.Groups != nil {
		q.Header.Set("Grounded-Groups", strings.Join(c.config.Groups, ","))
	}
	if c.config.Key != "" {
		q.Header.Set("Authorization", "Bearer "+c.config.Key)
	}
	response, err := c.http.Do(q)
	if written != nil && written.failed() != nil { // of reading what is sent, whatever the server made of it
		if response != nil {
			response.Body.Close()
		}
		return nil, written.failed()
	}
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.refused(response)
}

// unwritable says why a value has no JSON, without the words of package json.
func unwritable(what string, err error) error {
	var inner *json.MarshalerError
	for errors.As(err, &inner) {
		err = inner.Err
	}
	return corpus.Errorf(corpus.ErrInvalid, "write the %s: %w", what, err)
}

func escaped(path []string) []string {
	out := make([]string, len(path))
	for i, p := range path {
		out[i] = url.PathEscape(p)
	}
	return out
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ready asks whether the server's store and queue of jobs answer.
func (c *Client) Ready(ctx context.Context) error {
	_, err := call[wire.Status](ctx, c, request{method: "GET", path: []string{"readyz"}})
	return err
}

// Healthy asks whether the server answers at all.
func (c *Client) Healthy(ctx context.Context) error {
	_, err := call[wire.Status](ctx, c, request{method: "GET", path: []string{"healthz"}})
	return err
}
