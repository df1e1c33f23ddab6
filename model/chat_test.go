package model

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

func chatCard(provider, base string) Card {
	return Card{ID: "talk", Provider: provider, BaseURL: base, Model: "m", Tasks: []Task{TaskChat}, Context: 1000, MaxOutput: 100}
}

func newChat(t *testing.T, card Card, cfg Config) Chat {
	t.Helper()
	c, err := NewChat(t.Context(), card, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// protocols are the providers with a whole and a streamed answer "Hello, world" of 9 and 3 tokens each.
var protocols = []struct {
	provider, path string
	whole          string
	lines          []string
}{
	{"openai", "/chat/completions", openAIWhole, openAILines},
	{"azure", "/openai/deployments/m/chat/completions?api-version=2024-10-21", openAIWhole, openAILines},
	{"google", "/chat/completions", openAIWhole, openAILines},
	{"mistral", "/chat/completions", openAIWhole, openAILines},
	{
		"anthropic", "/messages",
		`{"type":"message","role":"assistant","content":[{"type":"text","text":"Hello, "},{"type":"text","text":"world"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":3}}`,
		[]string{
			`data: {"type":"message_start","message":{"id":"1","model":"m","role":"assistant","type":"message","usage":{"input_tokens":9,"output_tokens":1}}}`, ``,
			`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, ``,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello, "}}`, ``,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"world"}}`, ``,
			`data: {"type":"content_block_stop","index":0}`, ``,
			`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}`, ``,
			`data: {"type":"message_stop"}`, ``,
		},
	},
	{
		"ollama", "/api/chat",
		`{"message":{"role":"assistant","content":"Hello, world"},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":3}`,
		[]string{
			`{"message":{"role":"assistant","content":"Hello, "},"done":false}`,
			`{"message":{"role":"assistant","content":"world"},"done":false}`,
			`{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":3}`,
		},
	},
}

const openAIWhole = `{"choices":[{"message":{"role":"assistant","content":"Hello, world"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3}}`

var openAILines = []string{
	`: a comment`, chunk("Hello, "), ``, chunk("world"), ``,
	`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, ``,
	`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`, ``,
	`data: [DONE]`,
}

var hello = Request{Messages: []Message{{"system", "be kind"}, {"user", "hi"}, {"assistant", "yes?"}, {"system", "be short"}, {"user", "greet"}}}

func TestEachProviderAnswersWholeAndStreamed(t *testing.T) {
	for _, p := range protocols {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s streamed %t", p.provider, streamed), func(t *testing.T) {
				answer := reply(200, p.whole)
				if streamed {
					answer = stream(false, p.lines...)
				}
				s := serve(t, answer)
				c := newChat(t, chatCard(p.provider, s.URL), quick())
				var pieces []string
				var onDelta func(Delta) error
				if streamed {
					onDelta = func(d Delta) error { pieces = append(pieces, d.Text); return nil }
				}
				got, err := c.Complete(t.Context(), hello, onDelta)
				if err != nil {
					t.Fatal(err)
				}
				if got.Text != "Hello, world" || got.FinishReason != "stop" {
					t.Errorf("text %q, finish reason %q", got.Text, got.FinishReason)
				}
				if got.PromptTokens == nil || *got.PromptTokens != 9 || got.CompletionTokens == nil || *got.CompletionTokens != 3 {
					t.Errorf("usage is %v and %v", got.PromptTokens, got.CompletionTokens)
				}
				if streamed != (got.FirstToken > 0) || got.Total <= 0 || streamed && strings.Join(pieces, "|") != "Hello, |world" {
					t.Errorf("first token after %s of %s, pieces %q", got.FirstToken, got.Total, pieces)
				}
				if r := s.request(t, 0); r.path != p.path {
					t.Errorf("request to %s, want %s", r.path, p.path)
				}
			})
		}
	}
}

func TestSettingsThatAreNotGivenAreNotSentAndThoseThatAreArrive(t *testing.T) {
	zero, half, seven := 0.0, 0.5, 7
	for _, p := range protocols {
		t.Run(p.provider, func(t *testing.T) {
			s := serve(t, reply(200, p.whole))
			c := newChat(t, chatCard(p.provider, s.URL), quick())
			given := hello
			given.Temperature, given.TopP, given.Seed, given.MaxTokens, given.Stop = &zero, &half, &seven, 42, []string{"END"}
			for _, r := range []Request{hello, given} {
				if _, err := c.Complete(t.Context(), r, nil); err != nil {
					t.Fatal(err)
				}
			}
			settings := func(i int) map[string]any {
				body := s.request(t, i).body
				if inner, ok := body["options"].(map[string]any); ok {
					return inner
				}
				return body
			}
			for _, name := range []string{"temperature", "top_p", "seed", "random_seed", "stop"} {
				if v, ok := settings(0)[name]; ok {
					t.Errorf("%s was sent as %v, though not given", name, v)
				}
			}
			got := settings(1)
			if got["temperature"] != 0.0 || got["top_p"] != 0.5 {
				t.Errorf("temperature and top_p arrived as %v and %v", got["temperature"], got["top_p"])
			}
			limit, seed := "max_tokens", "seed"
			switch p.provider {
			case "azure":
				limit = "max_completion_tokens"
			case "ollama":
				limit = "num_predict"
				if got["num_ctx"] != 1000.0 {
					t.Errorf("num_ctx is %v, want the card's context", got["num_ctx"])
				}
			case "mistral":
				seed = "random_seed"
			}
			if got[limit] != 42.0 || p.provider != "anthropic" && got[seed] != 7.0 {
				t.Errorf("limit and seed arrived as %v and %v", got[limit], got[seed])
			}
		})
	}
}

func TestSystemMessagesAreJoinedAtTheHead(t *testing.T) {
	s := serve(t, reply(200, openAIWhole))
	if _, err := newChat(t, chatCard("openai", s.URL), quick()).Complete(t.Context(), hello, nil); err != nil {
		t.Fatal(err)
	}
	messages := s.request(t, 0).body["messages"].([]any)
	first := messages[0].(map[string]any)
	if len(messages) != 4 || first["role"] != "system" || first["content"] != "be kind\n\nbe short" {
		t.Errorf("messages are %v", messages)
	}
}

func TestAModelWithoutSamplingGetsNoTemperature(t *testing.T) {
	s := serve(t, reply(200, openAIWhole))
	card := chatCard("openai", s.URL)
	card.NoSampling = true
	zero := 0.0
	r := hello
	r.Temperature, r.TopP = &zero, &zero
	if _, err := newChat(t, card, quick()).Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	if body := s.request(t, 0).body; body["temperature"] != nil || body["top_p"] != nil {
		t.Errorf("request is %v", body)
	}
}

func TestUsageIsUnknownWhenTheServerDoesNotSay(t *testing.T) {
	s := serve(t, reply(200, `{"choices":[{"message":{"content":"x"},"finish_reason":"length"}]}`))
	got, err := newChat(t, chatCard("openai", s.URL), quick()).Complete(t.Context(), hello, nil)
	if err != nil || got.PromptTokens != nil || got.CompletionTokens != nil || got.FinishReason != "length" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAStreamThatIsCutOrBreaksIsAnError(t *testing.T) {
	for _, p := range protocols {
		for _, c := range []struct {
			name string
			cut  bool
		}{{"connection lost", true}, {"ended early", false}} {
			t.Run(p.provider+" "+c.name, func(t *testing.T) {
				half := p.lines[:len(p.lines)/2]
				s := serve(t, stream(c.cut, half...))
				_, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(t.Context(), hello, func(Delta) error { return nil })
				if !errors.Is(err, corpus.ErrUnavailable) {
					t.Errorf("error is %v, want ErrUnavailable", err)
				}
			})
		}
	}
}

func TestAnErrorInTheMidstOfAStreamIsTold(t *testing.T) {
	for provider, line := range map[string]string{
		"openai":    `data: {"error":{"message":"the engine fell over"}}`,
		"anthropic": `data: {"type":"error","error":{"type":"overloaded_error","message":"the engine fell over"}}`,
		"ollama":    `{"error":"the engine fell over"}`,
	} {
		s := serve(t, stream(false, line))
		_, err := newChat(t, chatCard(provider, s.URL), quick()).Complete(t.Context(), hello, func(Delta) error { return nil })
		if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "the engine fell over") {
			t.Errorf("%s: error is %v", provider, err)
		}
	}
}

func TestABadChatReplyIsRefused(t *testing.T) {
	for _, p := range protocols {
		for _, body := range []string{`{}`, `garbage`} {
			s := serve(t, reply(200, body))
			if got, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(t.Context(), hello, nil); !errors.Is(err, corpus.ErrUnavailable) {
				t.Errorf("%s, %s: got %+v, %v", p.provider, body, got, err)
			}
		}
	}
}

func TestEachProviderMapsErrorsAndTriesAgain(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.provider, func(t *testing.T) {
			s := serve(t, reply(500, `{"error":"x"}`), reply(429, `{}`, "Retry-After-Ms", "5"), reply(200, p.whole))
			if _, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(t.Context(), hello, nil); err != nil || s.count() != 3 {
				t.Errorf("after %d requests: %v", s.count(), err)
			}
			for status, kind := range map[int]error{401: corpus.ErrForbidden, 404: corpus.ErrNotFound, 413: corpus.ErrLimit, 400: corpus.ErrInvalid} {
				s := serve(t, reply(status, `{"error":{"message":"because"}}`))
				_, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(t.Context(), hello, func(Delta) error { return nil })
				if !errors.Is(err, kind) || !strings.Contains(err.Error(), "because") || s.count() != 1 || !Refused(err) {
					t.Errorf("status %d after %d requests: %v", status, s.count(), err)
				}
			}
		})
	}
}

func TestWhatNoModelWorkedOnIsRefused(t *testing.T) {
	gone := serve(t)
	gone.Close()
	broken := serve(t, reply(200, `garbage`))
	for name, c := range map[string]struct {
		url  string
		want bool
	}{"never reached": {gone.URL, true}, "a reply that can't be read": {broken.URL, false}} {
		if _, err := newChat(t, chatCard("openai", c.url), quick()).Complete(t.Context(), hello, nil); err == nil || Refused(err) != c.want {
			t.Errorf("%s: %v is refused: %t", name, err, Refused(err))
		}
	}
}

func TestTheCallersErrorEndsTheStreamAndComesBack(t *testing.T) {
	enough := errors.New("enough")
	for _, p := range protocols {
		s := serve(t, stream(false, p.lines...))
		n := 0
		_, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(t.Context(), hello, func(Delta) error { n++; return enough })
		if err != enough || n != 1 {
			t.Errorf("%s: error is %v after %d pieces", p.provider, err, n)
		}
	}
}

func TestCancellingEndsTheRequestUpstream(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.provider, func(t *testing.T) {
			gone := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				stream(false, p.lines[:len(p.lines)/2]...)(w, r)
				<-r.Context().Done()
				close(gone)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := newChat(t, chatCard(p.provider, s.URL), quick()).Complete(ctx, hello, func(Delta) error { cancel(); return nil })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
			select {
			case <-gone:
			case <-time.After(5 * time.Second):
				t.Error("the request upstream went on")
			}
		})
	}
}

func TestAStreamThatStallsTimesOut(t *testing.T) {
	for _, p := range protocols {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			stream(false, p.lines[:len(p.lines)/2]...)(w, r)
			<-r.Context().Done()
		})
		cfg := quick()
		cfg.IdleTimeout = 100 * time.Millisecond
		_, err := newChat(t, chatCard(p.provider, s.URL), cfg).Complete(t.Context(), hello, func(Delta) error { return nil })
		if !errors.Is(err, corpus.ErrUnavailable) {
			t.Errorf("%s: error is %v", p.provider, err)
		}
	}
}

func TestBadMessagesAreRefused(t *testing.T) {
	s := serve(t, reply(200, openAIWhole))
	c := newChat(t, chatCard("openai", s.URL), quick())
	for _, r := range []Request{{}, {Messages: []Message{{"tool", "x"}}}} {
		if _, err := c.Complete(t.Context(), r, nil); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("error is %v", err)
		}
	}
}

func TestLlamaServerCountsItsTokens(t *testing.T) {
	s := serve(t, reply(200, `{"tokens":[1,2,3]}`))
	card := chatCard("openai", s.URL+"/v1")
	card.Tokenizer = "llama-server"
	n, err := newChat(t, card, quick()).CountTokens(t.Context(), "a b c")
	if err != nil || n != 3 {
		t.Errorf("counted %d, %v", n, err)
	}
	if r := s.request(t, 0); r.path != "/tokenize" || r.body["content"] != "a b c" {
		t.Errorf("request is %+v", r)
	}
}
