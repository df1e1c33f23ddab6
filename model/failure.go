package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"grounded/corpus"
)

// failure is why one attempt failed, and whether another may succeed.
type failure struct {
	err     error
	retry   bool
	after   time.Duration // that the server asks to wait
	tooLong bool          // the input is more than the server takes at once
	down    bool          // the server itself has trouble, whatever it is asked
	refused bool          // the server answered with an error's status
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// TooLong reports whether the error says that a request was larger than the model takes.
func TooLong(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.tooLong
}

// Refused reports whether the server answered a request with an error's status, so that no model worked on it.
func Refused(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.refused
}

// RetryAfter is how long to wait before the request of a failed call is sent again; 0 when nobody said.
func RetryAfter(err error) time.Duration {
	var f *failure
	if errors.As(err, &f) {
		return f.after
	}
	return 0
}

// tooLongPhrases are what servers say when the input is over their limits: OpenAI and vLLM, Anthropic, llama-server,
// Ollama, TEI, Mistral, Cohere.
var tooLongPhrases = []string{
	"context_length_exceeded", "context length", "context size", "context window", "maximum input length",
	"too long", "too large", "too many tokens", "max_tokens_per_request", "maximum allowed batch size",
	"must have less than", "exceeds the limit", "exceed max", "larger than the max", "array too long",
}

// quotaPhrases are what servers say when waiting won't help.
var quotaPhrases = []string{"insufficient_quota", "exceeded your current quota", "credit balance is too low", "billing_hard_limit"}

func containsAny(s string, phrases []string) bool {
	s = strings.ToLower(s)
	for _, p := range phrases {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// failedStatus reads a reply whose status is an error.
func failedStatus(card Card, resp *http.Response, body []byte, now time.Time) *failure {
	said := serverMessage(body)
	text := fmt.Sprintf("HTTP %d", resp.StatusCode)
	if said != "" {
		text += ": " + said
	}
	f := &failure{after: retryAfter(resp.Header, now), refused: true}
	kind, hint := corpus.ErrInvalid, ""
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		kind = corpus.ErrForbidden
		if card.APIKeyEnv != "" {
			hint = "check the key in " + card.APIKeyEnv + ", and that it may use this model"
		} else {
			hint = "the server wants a key: name its variable as api_key_env in the model's catalog entry"
		}
	case code == http.StatusPaymentRequired || containsAny(string(body), quotaPhrases):
		kind, hint = corpus.ErrLimit, "the account has no quota left: add credit, or choose another model"
	case code == http.StatusNotFound:
		kind = corpus.ErrNotFound
		hint = "check model and base_url in the model's catalog entry"
		if card.Provider == "ollama" {
			hint = "fetch the model first: ollama pull " + card.Model
		}
	case code == http.StatusTooManyRequests:
		f.retry, kind = true, corpus.ErrUnavailable
		hint = "the server limits the rate of requests: lower concurrency in the model's catalog entry, or try later"
	case code == http.StatusRequestEntityTooLarge || code < 500 && containsAny(string(body), tooLongPhrases) ||
		code == http.StatusInternalServerError && containsAny(said, []string{"input is too large", "input length exceeds", "exceeds the context"}):
		f.tooLong, kind = true, corpus.ErrLimit
		hint = "the input is longer than the model takes: use fewer or shorter passages, or a model with a larger context"
	case code == http.StatusNotImplemented:
		kind = corpus.ErrUnsupported
	case code >= 500 || code == http.StatusRequestTimeout || code == http.StatusTooEarly:
		f.retry, f.down, kind = true, true, corpus.ErrUnavailable
		hint = "the model's server has trouble: try again, or choose another model"
	}
	f.err = corpus.Hint(corpus.Errorf(kind, "%s", text), hint)
	return f
}

// serverMessage finds what an error's body says: {"error": {"message": …}}, {"error": …}, {"message": …},
// {"detail": …}, the first of a list of them, or else the beginning of the text.
func serverMessage(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return shorten(string(body))
	}
	for range 4 {
		switch x := v.(type) {
		case string:
			return shorten(x)
		case []any:
			if len(x) == 0 {
				return ""
			}
			v = x[0]
		case map[string]any:
			found := false
			for _, key := range []string{"error", "message", "detail", "msg"} {
				if inner, ok := x[key]; ok && inner != nil {
					v, found = inner, true
					break
				}
			}
			if !found {
				return shorten(string(body))
			}
		default:
			return shorten(fmt.Sprint(x))
		}
	}
	return shorten(string(body))
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}

// retryAfter is how long the server asks to wait: Retry-After-Ms, or Retry-After in seconds or as a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// failedTransport reads an error below HTTP: refused, reset, timed out, cut off. All of them may pass.
func failedTransport(card Card, ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause // our own timeouts
	}
	hint := "check that the server runs and that base_url in the model's catalog entry is right"
	switch card.Provider {
	case "ollama":
		hint = "start Ollama with: ollama serve"
	case "local":
		hint = "see the model's log for why it stopped"
	}
	return &failure{err: corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%w", err), hint), retry: true, down: true}
}
