package model

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"grounded/corpus"
)

func TestARelaySaysTheSameInTheWordsOfEachServer(t *testing.T) {
	for _, test := range []struct {
		name string
		card Card
		path string
		want map[string]any
		gone []string
	}{
		{"any server", Card{ID: "m", Provider: "openai", Model: "inside"}, "/chat/completions",
			map[string]any{"model": "inside", "max_tokens": 7.0, "temperature": 1.0, "seed": 3.0}, []string{"max_completion_tokens"}},
		{"one that refuses sampling", Card{ID: "m", Provider: "openai", NoSampling: true}, "/chat/completions",
			map[string]any{"model": "m", "max_tokens": 7.0}, []string{"temperature", "top_p"}},
		{"mistral", Card{ID: "m", Provider: "mistral"}, "/chat/completions",
			map[string]any{"random_seed": 3.0}, []string{"seed", "stream_options"}},
		{"azure", Card{ID: "m", Provider: "azure", Model: "d/1", APIKeyEnv: "KEY"}, "/openai/deployments/d%2F1/chat/completions?api-version=" + azureVersion,
			map[string]any{"max_completion_tokens": 7.0}, []string{"max_tokens"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, reply(http.StatusOK, `{"choices":[]}`))
			test.card.BaseURL = s.URL
			r, err := NewRelay(test.card, quick("KEY", "k"))
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(`{"max_completion_tokens":7,"temperature":1,"top_p":1,"seed":3,"stream_options":{},"messages":[{"role":"developer","content":"x"}]}`), &fields); err != nil {
				t.Fatal(err)
			}
			body, err := r.Send(t.Context(), fields, false)
			if err != nil {
				t.Fatal(err)
			}
			body.Close()
			got := s.request(t, 0)
			for name, want := range test.want {
				if got.body[name] != want {
					t.Errorf("%s is %v, want %v", name, got.body[name], want)
				}
			}
			for _, name := range test.gone {
				if got.body[name] != nil {
					t.Errorf("%s is sent: %v", name, got.body[name])
				}
			}
			role := got.body["messages"].([]any)[0].(map[string]any)["role"]
			if got.path != test.path || (role == "developer") != (test.card.Provider == "azure") {
				t.Errorf("sent to %s with the role %s", got.path, role)
			}
			if key := got.header.Get("Api-Key"); (key == "k") != (test.card.Provider == "azure") {
				t.Errorf("the key is %q", key)
			}
		})
	}
}

func TestARelayTriesAgainAndStreams(t *testing.T) {
	s := serve(t, reply(http.StatusServiceUnavailable, ""), stream(false, chunk("a"), "", "data: [DONE]"))
	r, err := NewRelay(Card{ID: "m", Provider: "openai", BaseURL: s.URL}, quick())
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Send(t.Context(), map[string]json.RawMessage{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n") || s.count() != 2 {
		t.Errorf("got %q, %v after %d requests", text, err, s.count())
	}
}

func TestARelayIsForServersOfOpenAIsProtocol(t *testing.T) {
	for _, provider := range []string{"anthropic", "ollama"} {
		if _, err := NewRelay(Card{ID: "m", Provider: provider}, quick()); !errors.Is(err, corpus.ErrUnsupported) {
			t.Errorf("%s: %v", provider, err)
		}
	}
	s := serve(t, reply(http.StatusBadRequest, `{"error":{"message":"maximum context length is 10"}}`))
	r, err := NewRelay(Card{ID: "m", Provider: "openai", BaseURL: s.URL}, quick())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Send(t.Context(), map[string]json.RawMessage{}, false); !TooLong(err) {
		t.Errorf("got %v", err)
	}
}
