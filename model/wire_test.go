package model

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"grounded/corpus"
)

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		first http.HandlerFunc
	}{
		{"429 with Retry-After-Ms", reply(429, `{"error":{"message":"slow down"}}`, "Retry-After-Ms", "20")},
		{"500", reply(500, `oops`)},
		{"503 while loading", reply(503, `{"error":{"message":"Loading model"}}`)},
		{"529 overloaded", reply(529, `{}`)},
		{"408", reply(408, ``)},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(`{"data":`))
		}},
		{"connection closed", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
		{"garbage", reply(200, `<html>`)},
		{"hangs", hang},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.first, vectorsOf(3))
			cfg := quick()
			cfg.Timeout = 200 * time.Millisecond
			got, err := newEmbedder(t, embedCard(s.URL), cfg).Embed(t.Context(), Query, []string{"a"})
			if err != nil || len(got.Vectors) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			if s.count() != 2 {
				t.Errorf("%d requests, want 2", s.count())
			}
		})
	}
}

func TestWhatCannotPassIsNotTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		kind   error
		want   string
		hint   string
	}{
		{"401", 401, `{"error":{"message":"Incorrect API key"}}`, corpus.ErrForbidden, "HTTP 401: Incorrect API key", "MY_KEY"},
		{"403", 403, `{"error":"no access"}`, corpus.ErrForbidden, "HTTP 403: no access", "MY_KEY"},
		{"404", 404, `{"message":"no such model"}`, corpus.ErrNotFound, "HTTP 404: no such model", "base_url"},
		{"400", 400, `[{"error":{"message":"bad field"}}]`, corpus.ErrInvalid, "HTTP 400: bad field", ""},
		{"402", 402, `{}`, corpus.ErrLimit, "HTTP 402", "credit"},
		{"429 out of quota", 429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`, corpus.ErrLimit, "quota", "credit"},
		{"501", 501, `not here`, corpus.ErrUnsupported, "HTTP 501: not here", ""},
		{"too long, one short text", 400, `{"error":{"code":"context_length_exceeded","message":"maximum context length is 8"}}`, corpus.ErrLimit, "maximum context length", "shorter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, reply(c.status, c.body))
			card := embedCard(s.URL)
			card.APIKeyEnv = "MY_KEY"
			_, err := newEmbedder(t, card, quick("MY_KEY", "sesame")).Embed(t.Context(), Query, []string{"a"})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || !strings.Contains(corpus.HintOf(err), c.hint) {
				t.Errorf("error is %v with hint %q", err, corpus.HintOf(err))
			}
			if s.count() != 1 {
				t.Errorf("%d requests, want 1", s.count())
			}
			if got := s.request(t, 0).header.Get("Authorization"); got != "Bearer sesame" {
				t.Errorf("authorization is %q", got)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Error("the error shows the key")
			}
		})
	}
}

func TestTheErrorAfterTheLastAttemptSaysWhatHappened(t *testing.T) {
	s := serve(t, reply(503, `{"error":{"message":"engine is overloaded"}}`))
	_, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(t.Context(), Query, []string{"a"})
	const want = "embed 1 texts with emb: HTTP 503: engine is overloaded (3 attempts)"
	if !errors.Is(err, corpus.ErrUnavailable) || err.Error() != want || corpus.HintOf(err) == "" {
		t.Errorf("error is %q with hint %q, want %q", err, corpus.HintOf(err), want)
	}
	if s.count() != 3 {
		t.Errorf("%d requests, want 3", s.count())
	}
}

func TestAServerThatAsksToWaitTooLongIsGivenUpAtOnce(t *testing.T) {
	s := serve(t, reply(429, `{}`, "Retry-After", "3600"))
	began := time.Now()
	_, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(t.Context(), Query, []string{"a"})
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "the server asks to wait 1h0m0s") {
		t.Errorf("error is %v", err)
	}
	if s.count() != 1 || time.Since(began) > 5*time.Second {
		t.Errorf("%d requests in %s", s.count(), time.Since(began))
	}
}

func TestRetryAfterIsReadAsSecondsMillisecondsOrDate(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "2", 2 * time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", "Sun, 01 Mar 2026 12:00:07 GMT", 7 * time.Second},
		{"Retry-After", "Sun, 01 Mar 2026 11:00:00 GMT", 0},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After", "soon", 0},
		{"X-Other", "2", 0},
	} {
		h := http.Header{}
		h.Set(c.name, c.value)
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	s := serve(t, vectorsOf(3))
	s.Close()
	_, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(t.Context(), Query, []string{"a"})
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "refused (3 attempts)") || !strings.Contains(corpus.HintOf(err), "base_url") {
		t.Errorf("error is %v with hint %q", err, corpus.HintOf(err))
	}
}

func TestAMissingKeyIsNamedBeforeAnyCall(t *testing.T) {
	s := serve(t, vectorsOf(3))
	card := embedCard(s.URL)
	card.APIKeyEnv = "MY_KEY"
	_, err := NewEmbedder(t.Context(), card, quick("MY_KEY", " "))
	if !errors.Is(err, corpus.ErrForbidden) || !strings.Contains(err.Error(), "MY_KEY is not set") {
		t.Errorf("error is %v", err)
	}
}

func TestHeadersAndAddressesTakeVariablesAndNameTheMissingOne(t *testing.T) {
	s := serve(t, vectorsOf(3))
	card := embedCard("${MY_URL}/v1")
	card.Headers = map[string]string{"X-Team": "${TEAM}"}
	if _, err := newEmbedder(t, card, quick("MY_URL", s.URL, "TEAM", "docs")).Embed(t.Context(), Query, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	if got := s.request(t, 0).header.Get("X-Team"); got != "docs" {
		t.Errorf("header is %q", got)
	}
	for _, env := range [][]string{{"MY_URL", s.URL}, {"TEAM", "docs"}} {
		_, err := NewEmbedder(t.Context(), card, quick(env...))
		if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "is not set") {
			t.Errorf("with %v the error is %v", env, err)
		}
	}
}

func TestALocalModelIsStartedBeforeEachAttempt(t *testing.T) {
	dead := serve(t, vectorsOf(3))
	dead.Close()
	s := serve(t, vectorsOf(3))
	var starts atomic.Int64
	cfg := quick()
	cfg.Start = func(ctx context.Context, card Card) (string, error) {
		if starts.Add(1) == 1 {
			return dead.URL + "/v1", nil
		}
		return s.URL + "/v1", nil
	}
	card := embedCard("/v1")
	card.Provider = "local"
	if _, err := newEmbedder(t, card, cfg).Embed(t.Context(), Query, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	if r := s.request(t, 0); r.path != "/v1/embeddings" || starts.Load() != 2 {
		t.Errorf("request to %s after %d starts", r.path, starts.Load())
	}

	cfg.Start = func(context.Context, Card) (string, error) {
		return "", corpus.Errorf(corpus.ErrUnavailable, "it is not installed")
	}
	_, err := newEmbedder(t, card, cfg).Embed(t.Context(), Query, []string{"a"})
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "it is not installed") {
		t.Errorf("error is %v", err)
	}
}

func TestOllamasAddressIsReadFromItsVariable(t *testing.T) {
	for host, want := range map[string]string{
		"":                      "http://127.0.0.1:11434",
		"box":                   "http://box:11434",
		"0.0.0.0:8080":          "http://127.0.0.1:8080",
		"https://ollama.local/": "https://ollama.local",
	} {
		if got := OllamaURL(host); got != want {
			t.Errorf("OLLAMA_HOST=%q is %s, want %s", host, got, want)
		}
	}
}
