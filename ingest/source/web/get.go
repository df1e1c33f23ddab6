package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"grounded/ingest/parse"
	"grounded/ingest/source"
)

const (
	maxRedirects = 10
	attempts     = 3
	// longestWait that a server may ask for before another try.
	longestWait = time.Minute
)

// answer is a response to a GET, of status 200 or 304. Its body must be closed.
type answer struct {
	*http.Response
	url  *url.URL // after redirections
	done context.CancelFunc
}

func (a *answer) close() {
	a.Body.Close()
	a.done()
}

func codeOf(err error) parse.ErrorCode { return parse.CodeOf(err) }

// get asks for an address, as robots.txt allows, follows redirections and tries again what may pass. The answer's
// body is bound to the client's time limit.
func (c *Client) get(ctx context.Context, u *url.URL, header http.Header) (*answer, error) {
	for redirects := 0; ; redirects++ {
		h := c.host(u)
		if err := h.allows(ctx, u); err != nil {
			return nil, err
		}
		if err := h.wait(ctx); err != nil {
			return nil, err
		}
		got, err := c.try(ctx, u, header)
		if err != nil {
			return nil, err
		}
		to, err := got.redirection()
		if to == nil && err == nil {
			return got.checked()
		}
		got.close()
		switch {
		case err != nil:
			return nil, err
		case redirects == maxRedirects:
			return nil, source.Errorf(source.Unreachable, "It redirects more than %d times.", maxRedirects)
		}
		u = to
	}
}

// redirection returns where to go instead; nil if this is the answer.
func (a *answer) redirection() (*url.URL, error) {
	switch a.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := a.Location()
	if err != nil {
		return nil, source.Errorf(source.Unreachable, "It redirects to nowhere.")
	}
	to = normal(to)
	if reason := unfit(to); reason != "" {
		return nil, source.Errorf(source.Unreachable, "It redirects to %s: %s.", to, reason)
	}
	return to, nil
}

// try sends a request up to three times, until there is an answer that will stay what it is.
func (c *Client) try(ctx context.Context, u *url.URL, header http.Header) (*answer, error) {
	wait := c.config.Backoff
	h := c.host(u)
	for attempt := 1; ; attempt++ {
		if err := h.silent(); err != nil {
			return nil, err
		}
		got, err := c.once(ctx, u, header)
		var private privateError
		refused := errors.As(err, &private)
		if ctx.Err() == nil && !refused {
			h.heard(err)
		}
		if err == nil && !isPassing(got.StatusCode) {
			return got, nil
		}
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case refused:
			err = source.Errorf(source.Forbidden, "%s", private.Error()+".")
		case err != nil:
			err = source.Errorf(source.Unreachable, "%s does not answer: %s.", u.Host, netReason(err))
		default:
			err = source.Errorf(source.Unreachable, "The server answers %s.", got.Status)
			if asked := retryAfter(got.Header); asked > 0 {
				wait = min(asked, longestWait)
			}
			got.close()
		}
		if attempt == attempts || codeOf(err) != source.Unreachable {
			return nil, err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, longestWait)
	}
}

// checked returns the answer, or closes it and fails.
func (a *answer) checked() (*answer, error) {
	switch s := a.StatusCode; {
	case s == http.StatusOK, s == http.StatusNotModified:
		return a, nil
	case s == http.StatusNotFound, s == http.StatusGone:
		a.close()
		return nil, source.Errorf(source.Gone, "The server says that it is not there (%d).", s)
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		a.close()
		return nil, source.Errorf(source.Unreachable, "The server refuses to give it without a login (%d).", s)
	}
	a.close()
	return nil, source.Errorf(source.Unreachable, "The server answers %s.", a.Status)
}

func (c *Client) once(ctx context.Context, u *url.URL, header http.Header) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	request.Header.Set("User-Agent", c.config.UserAgent)
	response, err := c.http.Do(request)
	if err != nil {
		cancel()
		return nil, err
	}
	return &answer{response, u, cancel}, nil
}

// isPassing reports whether a status may be another in a moment.
func isPassing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter is the wait that a server asks for; 0 if it doesn't.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// netReason is the cause without the address around it.
func netReason(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		if at.Timeout() {
			return "it took too long"
		}
		err = at.Err
	}
	return err.Error()
}

// readAll reads a body of at most limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, source.Errorf(source.Unreachable, "It broke off: %s.", netReason(err))
	}
	if int64(len(data)) > limit {
		return nil, source.Errorf(parse.TooLarge, "It has more than %d MB.", limit>>20)
	}
	return data, nil
}
