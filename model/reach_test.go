package model

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

func TestReachAsksForTheListOfModelsWithTheKey(t *testing.T) {
	for _, test := range []struct {
		name   string
		card   Card
		status int
		path   string
		header string
		err    error
	}{
		{"openai", Card{Provider: "openai"}, 200, "/models", "Authorization=Bearer secret", nil},
		{"ollama", Card{Provider: "ollama"}, 200, "/api/tags", "Authorization=Bearer secret", nil},
		{"azure", Card{Provider: "azure"}, 200, "/openai/models", "Api-Key=secret", nil},
		{"anthropic", Card{Provider: "anthropic"}, 200, "/models", "X-Api-Key=secret", nil},
		{"a header of the card's", Card{Provider: "openai", Headers: map[string]string{"Team": "${KEY}"}}, 200, "/models", "Team=secret", nil},
		{"no list", Card{Provider: "openai"}, 404, "/models", "", nil},
		{"busy", Card{Provider: "openai"}, 429, "/models", "", nil},
		{"wrong key", Card{Provider: "openai"}, 401, "/models", "", corpus.ErrForbidden},
		{"it loads its model", Card{Provider: "openai"}, 503, "/models", "", corpus.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			card := test.card
			card.ID, card.BaseURL, card.APIKeyEnv = "m", server.URL, "KEY"
			err := Reach(t.Context(), card, Config{LookupEnv: func(string) (string, bool) { return "secret", true }})
			if !errors.Is(err, test.err) || test.err == nil && err != nil {
				t.Errorf("got %v", err)
			}
			name, value, _ := strings.Cut(test.header, "=")
			if asked.Method != "GET" || asked.URL.Path != test.path || name != "" && asked.Header.Get(name) != value {
				t.Errorf("asked is %s %s with %v", asked.Method, asked.URL, asked.Header)
			}
		})
	}
}

func TestReachFailsWhereNothingAnswers(t *testing.T) {
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	for _, address := range []string{closed.URL, silent.URL} {
		if err := Reach(ctx, Card{ID: "m", Provider: "openai", BaseURL: address}, Config{}); err == nil {
			t.Errorf("%s is reached", address)
		}
	}
	err := Reach(t.Context(), Card{ID: "m", Provider: "openai", APIKeyEnv: "KEY"}, Config{LookupEnv: func(string) (string, bool) { return "", false }})
	if !errors.Is(err, corpus.ErrForbidden) {
		t.Errorf("without a key: got %v", err)
	}
}

func TestReachStartsNoLocalModel(t *testing.T) {
	venv := t.TempDir()
	cfg := Config{
		LookupEnv: func(name string) (string, bool) { return venv, name == "GROUNDED_VENV" },
		Start: func(context.Context, Card) (string, error) {
			t.Error("it was started")
			return "", nil
		},
	}
	card := Card{ID: "m", Provider: "local", Command: []string{"{venv}/serve", "--port", "{port}"}}
	if err := Reach(t.Context(), card, cfg); !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(corpus.HintOf(err), "make models") {
		t.Errorf("it is not installed: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(venv, "serve"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Reach(t.Context(), card, cfg); err != nil {
		t.Errorf("it is installed: got %v", err)
	}
	for _, command := range [][]string{{"no-such-server", "--model", "{venv}/serve"}, {"{venv}/serve", "--model", "{venv}/serve", "--lora", filepath.Join(venv, "gone.gguf")}} {
		card.Command = command
		if err := Reach(t.Context(), card, cfg); !errors.Is(err, corpus.ErrUnavailable) {
			t.Errorf("%q is not there: got %v", command, err)
		}
	}
}
