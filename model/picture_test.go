package model

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"grounded/corpus"
)

func TestPicturesAreShownInEachProvidersForm(t *testing.T) {
	pictures := []Picture{{"image/png", []byte("\x89PNG")}}
	want := map[string]string{
		"openai":    `"url":"data:image/png;base64,iVBORw=="`,
		"mistral":   `"url":"data:image/png;base64,iVBORw=="`,
		"google":    `"url":"data:image/png;base64,iVBORw=="`,
		"ollama":    `"images":["iVBORw=="]`,
		"anthropic": `"data":"iVBORw=="`,
	}
	for _, p := range protocols {
		if want[p.provider] == "" {
			continue
		}
		body := ""
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			all, _ := io.ReadAll(r.Body)
			body = string(all)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, p.whole)
		}))
		defer server.Close()
		c := newChat(t, chatCard(p.provider, server.URL), Config{LookupEnv: func(string) (string, bool) { return "key", true }})
		if _, err := c.Complete(t.Context(), Request{Messages: []Message{{"user", "What is this?"}}, Pictures: pictures}, nil); err != nil {
			t.Errorf("%s: %v", p.provider, err)
			continue
		}
		if !strings.Contains(body, want[p.provider]) || !strings.Contains(body, "What is this?") {
			t.Errorf("%s was sent %s", p.provider, body)
		}
	}
	c := newChat(t, chatCard("openai", "http://127.0.0.1:1"), Config{})
	_, err := c.Complete(t.Context(), Request{Messages: []Message{{"user", "a"}, {"assistant", "b"}}, Pictures: pictures}, nil)
	if !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
