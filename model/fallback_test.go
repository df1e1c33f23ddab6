package model

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

func TestFallbacksThatMeanNothingAreRefused(t *testing.T) {
	for _, c := range []struct{ name, fallbacks, want string }{
		{"unknown", "a: [nobody]", `fallback of model "a": model "nobody" is not in the catalog`},
		{"itself", "a: [a]", "circle: a → a"},
		{"a circle", "a: [c, b]; b: [c]; c: [a]", "circle: a → c → a"},
		{"no chat model", "a: [e]", "must have the task chat"},
		{"of no chat model", "e: [a]", "must have the task chat"},
		{"fine", "a: [b, c]; b: [c]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(withFallbacks(t, c.fallbacks))
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTheFallbacksOfFallbacksComeAfterThem(t *testing.T) {
	catalog, err := Load(withFallbacks(t, "a: [b, c]; b: [d]; c: [d]"))
	if err != nil {
		t.Fatal(err)
	}
	cards, err := catalog.Fallbacks("a")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, card := range cards {
		ids = append(ids, card.ID)
	}
	if got := strings.Join(ids, " "); got != "a b c d" {
		t.Errorf("got %s", got)
	}
}

// withFallbacks is a file of a catalog with the chat models a to d, the embedder e, and fallbacks such as "a: [b]; b: [c]".
func withFallbacks(t *testing.T, fallbacks string) string {
	t.Helper()
	of := map[string]string{}
	for part := range strings.SplitSeq(fallbacks, "; ") {
		id, list, _ := strings.Cut(part, ": ")
		of[id] = ", fallback: " + list
	}
	text := "models:\n"
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		task := "chat"
		if id == "e" {
			task = "embedding"
		}
		text += fmt.Sprintf("  - {id: %s, provider: openai, tasks: [%s]%s}\n", id, task, of[id])
	}
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnotherModelAnswersWhenOneCannot(t *testing.T) {
	answer := stream(false, chunk("hi"), `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "data: [DONE]")
	for _, c := range []struct {
		name  string
		first http.HandlerFunc
		falls bool
	}{
		{"500", reply(500, ""), true},
		{"429", reply(429, `{"error":{"message":"slow down"}}`), true},
		{"429 for an hour", reply(429, `{}`, "Retry-After", "3600"), true},
		{"no quota", reply(429, `{"error":{"code":"insufficient_quota"}}`), true},
		{"hangs", hang, true},
		{"breaks off before the first token", stream(true, `data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}`), true},
		{"hangs before the first token", func(w http.ResponseWriter, r *http.Request) {
			stream(false, `data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}`)(w, r)
			hang(w, r)
		}, true},
		{"breaks off after the first token", stream(true, chunk("a")), false},
		{"400", reply(400, `{"error":{"message":"no such field"}}`), false},
		{"401", reply(401, ""), false},
		{"too long", reply(400, `{"error":{"code":"context_length_exceeded"}}`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cards := []Card{
				{ID: "first", Provider: "openai", BaseURL: serve(t, c.first).URL, Fallback: []string{"keyless", "second"}},
				{ID: "keyless", Provider: "openai", BaseURL: "http://127.0.0.1:1", APIKeyEnv: "NOT_SET"},
				{ID: "second", Provider: "openai", BaseURL: serve(t, answer).URL},
			}
			cfg := quick()
			cfg.Timeout, cfg.FirstWait, cfg.IdleTimeout, cfg.Attempts = time.Hour, 200*time.Millisecond, 200*time.Millisecond, 2
			var told []string
			chat, err := NewChats(cards, func(c Card) (Chat, error) { return NewChat(t.Context(), c, cfg) }, func(from, to Card, _ error) { told = append(told, from.ID+" "+to.ID) })
			if err != nil {
				t.Fatal(err)
			}
			var by []string
			response, err := chat.Complete(t.Context(), Request{Messages: []Message{{Role: "user", Content: "hi"}}}, func(d Delta) error {
				by = append(by, d.Model)
				return nil
			})
			if !c.falls {
				if err == nil || len(told) > 0 {
					t.Errorf("got %+v, %v; told %v", response, err, told)
				}
				return
			}
			if err != nil || response.Text != "hi" || response.Fallback == nil || response.Fallback.ID != "second" ||
				strings.Join(by, " ") != "second" || strings.Join(told, ", ") != "first keyless, keyless second" {
				t.Errorf("got %+v, %v by %v, told %v", response, err, by, told)
			}
		})
	}
}

func TestWhenNoneAnswersTheErrorIsThatOfTheFirst(t *testing.T) {
	down, refuses := serve(t, reply(503, `{"error":"the first"}`)), serve(t, reply(400, `{"error":"the second"}`))
	cards := []Card{{ID: "a", Provider: "openai", BaseURL: down.URL}, {ID: "b", Provider: "openai", BaseURL: refuses.URL}}
	chat, err := NewChats(cards, func(c Card) (Chat, error) { return NewChat(t.Context(), c, quick()) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = chat.Complete(t.Context(), Request{Messages: []Message{{Role: "user", Content: "hi"}}}, nil)
	if !errors.Is(err, corpus.ErrUnavailable) || errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "the first") || !strings.Contains(err.Error(), "the second") {
		t.Errorf("got %v", err)
	}
}

func TestABreakerLetsOneRequestTryAgainAfterItsPause(t *testing.T) {
	s := serve(t, reply(500, ""), reply(500, ""), reply(429, "{}"), reply(500, ""), stream(true), reply(200, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`))
	cfg := quick()
	cfg.Attempts, cfg.Breakers = 1, NewBreakers(BreakerConfig{Failures: 2, Quiet: time.Nanosecond, Pause: 50 * time.Millisecond})
	chat, err := NewChat(t.Context(), Card{ID: "m", Provider: "openai", BaseURL: s.URL}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(stream func(Delta) error) error {
		_, err := chat.Complete(t.Context(), Request{Messages: []Message{{Role: "user", Content: "hi"}}}, stream)
		return err
	}
	for range 2 {
		if err := ask(nil); err == nil {
			t.Fatal("there was an answer")
		}
	}
	err = ask(nil)
	if !errors.Is(err, corpus.ErrUnavailable) || s.count() != 2 || RetryAfter(err) != 50*time.Millisecond {
		t.Fatalf("got %v after %d requests", err, s.count())
	}
	again := func(stream func(Delta) error) error { // as soon as the server is asked again
		t.Helper()
		before := s.count()
		for deadline := time.Now().Add(10 * time.Second); ; {
			if err := ask(stream); s.count() > before {
				return err
			}
			if time.Now().After(deadline) {
				t.Fatal("the server is not asked again")
			}
		}
	}
	if err := again(nil); err == nil { // 429: it is up
		t.Fatal("there was an answer")
	}
	for _, way := range []func(Delta) error{nil, func(Delta) error { return nil }} { // down again, the second time by a stream without anything in it
		if err := ask(way); err == nil || s.count() > 5 {
			t.Fatalf("got %v after %d requests", err, s.count())
		}
	}
	if err := again(nil); err != nil {
		t.Error(err)
	}
	if err := ask(nil); err != nil {
		t.Error(err)
	}
}

func TestFailuresAmongSuccessesOpenNoBreaker(t *testing.T) {
	b, card := NewBreakers(BreakerConfig{Failures: 2, Quiet: time.Hour}), Card{ID: "m"}
	for _, f := range []*failure{nil, {down: true}, {down: true}, {down: true}} {
		verdict, refused := b.admit(card)
		if refused != nil {
			t.Fatal(refused)
		}
		verdict(t.Context(), f)
	}
	if _, refused := b.admit(card); refused != nil {
		t.Error(refused)
	}
}

func TestARequestIsRefusedWhenEnoughWaitForTheModel(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		reply(200, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)(w, r)
	})
	cfg := quick()
	cfg.Concurrency, cfg.Queue = 1, 1
	made, err := NewChat(t.Context(), Card{ID: "m", Provider: "openai", BaseURL: s.URL}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		_, err := made.Complete(t.Context(), Request{Messages: []Message{{Role: "user", Content: "hi"}}}, nil)
		return err
	}
	answered := make(chan error, 2)
	for range 2 {
		go func() { answered <- ask() }()
	}
	for deadline := time.Now().Add(10 * time.Second); s.count() != 1 || made.(*chat).wire.waiting.Load() != 1; {
		if time.Now().After(deadline) {
			t.Fatal("no request waits")
		}
		<-time.After(time.Millisecond)
	}
	if err := ask(); !errors.Is(err, corpus.ErrUnavailable) || RetryAfter(err) != time.Second {
		t.Errorf("got %v", err)
	}
	close(release)
	for range 2 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
}
