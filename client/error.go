package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"grounded/corpus"
	"grounded/wire"
)

// Error is what the server said instead of an answer. errors.Is tells its kind, one of corpus's, if it has one.
type Error struct {
	wire.Problem
	Kind       error         // nil for a fault of the server
	RetryAfter time.Duration // that the server asks to be waited; 0 if it named none
	again      bool          // the server did nothing, and may the next time
	proxied    bool          // a proxy says it: what the server did is not known
}

// Error is the server's sentence. What is to be done is part of it.
func (e *Error) Error() string {
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		return e.Detail + " (request " + e.RequestID + ")"
	}
	return e.Detail
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// kinds is the table from codes and statuses to the kinds of error; codes go before.
var kinds = []struct {
	code   string
	status int
	kind   error
}{
	{"unsupported", 0, corpus.ErrUnsupported},
	{"context_length_exceeded", 0, corpus.ErrLimit},
	{"corrupt", 0, corpus.ErrCorrupt},
	{"", http.StatusBadRequest, corpus.ErrInvalid},
	{"", http.StatusUnauthorized, corpus.ErrForbidden},
	{"", http.StatusForbidden, corpus.ErrForbidden},
	{"", http.StatusNotFound, corpus.ErrNotFound},
	{"", http.StatusMethodNotAllowed, corpus.ErrUnsupported},
	{"", http.StatusConflict, corpus.ErrConflict},
	{"", http.StatusRequestEntityTooLarge, corpus.ErrLimit},
	{"", http.StatusUnsupportedMediaType, corpus.ErrUnsupported},
	{"", http.StatusTooManyRequests, corpus.ErrLimit},
	{"", http.StatusBadGateway, corpus.ErrUnavailable},
	{"", http.StatusServiceUnavailable, corpus.ErrUnavailable},
	{"", http.StatusGatewayTimeout, corpus.ErrUnavailable},
	{"", http.StatusInsufficientStorage, corpus.ErrFull},
}

func kindOf(p wire.Problem) error {
	for _, k := range kinds {
		if k.code != "" && k.code == p.Code || k.status != 0 && k.status == p.Status {
			return k.kind
		}
	}
	return nil
}

// maxProblem is the most bytes of a problem that are read.
const maxProblem = 64 << 10

// refused reads why a request was not answered with success.
func (c *Client) refused(r *http.Response) error {
	var p wire.Problem
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxProblem))
	if json.Unmarshal(text, &p) != nil || p.Detail == "" || p.Code == "" {
		return c.foreign(r)
	}
	p.Status = r.StatusCode
	e := &Error{Problem: p, Kind: kindOf(p), RetryAfter: retryAfter(r.Header, time.Now()), again: r.Header.Get("X-Should-Retry") == "true"}
	switch {
	case r.StatusCode == http.StatusUnauthorized:
		return corpus.Hint(e, c.keyHint())
	case r.StatusCode == http.StatusNotFound && p.Param == "collection":
		return corpus.Hint(e, "`grounded collections` lists those that there are for this key")
	}
	return e
}

func (c *Client) keyHint() string {
	if c.config.Key == "" {
		return "this server asks for a key, as `grounded keys new` prints it there; set GROUNDED_API_KEY to it"
	}
	return "the server does not know the key, or it has expired; ask whoever runs it for another"
}

// foreign is the error for a reply that no server of this program makes.
func (c *Client) foreign(r *http.Response) error {
	kind, what := corpus.ErrInvalid, "with status "+strconv.Itoa(r.StatusCode)
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
		what += " and " + media
	}
	hint := "check the address: it is the one that `grounded serve` prints, without a path unless a proxy adds one"
	switch {
	case r.StatusCode >= 300 && r.StatusCode < 400 && r.Header.Get("Location") != "":
		hint = "it sends callers to " + r.Header.Get("Location") + "; give that server's address instead, if it is the one"
	case r.StatusCode == http.StatusBadGateway || r.StatusCode == http.StatusServiceUnavailable || r.StatusCode == http.StatusGatewayTimeout || r.StatusCode == http.StatusTooManyRequests:
		kind, hint = kindOf(wire.Problem{Status: r.StatusCode}), "a proxy is there, and the server behind it is not, or is busy; try again later"
		return corpus.Hint(&Error{Kind: kind, RetryAfter: retryAfter(r.Header, time.Now()), proxied: true,
			Problem: wire.Problem{Status: r.StatusCode, Detail: fmt.Sprintf("%s answers %s", c.base, what)}}, hint)
	}
	return corpus.Hint(corpus.Errorf(kind, "%s answers %s, as no server of grounded does", c.base, what), hint)
}

// unreachable is the error for a server that could not be asked.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return c.broken(ctx, err)
	}
	cause := err
	for { // the address is said once
		inner := errors.Unwrap(cause)
		var op *net.OpError
		if inner == nil || errors.As(cause, &op) && cause == error(op) {
			break
		}
		cause = inner
	}
	hint := "check the address and the network"
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		hint = "check the name of the server"
	case errors.Is(err, syscall.ECONNREFUSED):
		hint = "is it running there? Begin one with: grounded serve"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		hint = "the server speaks http, not https"
	case strings.Contains(err.Error(), "certificate"):
		hint = "its certificate must be signed by an authority that this machine trusts (SSL_CERT_FILE names others)"
	}
	return corpus.Hint(&unreachableError{corpus.Errorf(corpus.ErrUnavailable, "reach %s: %w", c.base, cause)}, hint)
}

// unreachableError is that of a call that may be repeated.
type unreachableError struct{ error }

func (e *unreachableError) Unwrap() error { return e.error }

// broken is the error for a reply that was not received whole.
func (c *Client) broken(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case ctx.Err() != nil:
		return corpus.Errorf(corpus.ErrUnavailable, "%s did not answer in time: %w", c.base, context.Cause(ctx))
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the connection to %s broke off before the reply was whole: %w", c.base, err),
		"the server may have been stopped; ask again")
}

// again says whether, and after which time, a call is sent again.
func (c *Client) again(r request, err error, attempt int) (time.Duration, bool) {
	wait := min(c.config.Wait<<min(attempt-1, 10), c.config.MaxWait)
	wait = wait/2 + rand.N(wait/2+1)
	var e *Error
	var gone *unreachableError
	switch {
	case attempt >= c.config.Attempts:
		return 0, false
	case errors.As(err, &e) && (e.again || e.proxied && !r.once):
		if e.RetryAfter > c.config.MaxWait {
			return 0, false
		}
		return max(wait, e.RetryAfter), true
	case errors.As(err, &gone):
		var name *net.DNSError
		nobody := errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &name) // is there: a person should know at once
		return wait, !r.once && !nobody
	}
	return 0, false
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<20 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
