package model

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"grounded/corpus"
)

// Relay passes chat requests in OpenAI's form to a server that speaks it, with all that is in them: tools, response
// formats, images. It is safe for concurrent use.
type Relay struct {
	connection
}

// NewRelay connects to a chat model. A provider with a protocol of its own is corpus.ErrUnsupported, a key that is
// missing corpus.ErrForbidden.
func NewRelay(card Card, cfg Config) (*Relay, error) {
	switch card.Provider {
	case "openai", "azure", "google", "mistral", "local":
	default:
		return nil, corpus.Errorf(corpus.ErrUnsupported, "provider %q of model %q does not speak OpenAI's protocol", card.Provider, card.ID)
	}
	c, err := connect(card, cfg, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	return &Relay{c}, nil
}

// Card is the model's entry in the catalog.
func (r *Relay) Card() Card { return r.card }

// Send sends the fields of a chat completion, which it changes: the model's name is set, and what the server calls
// otherwise is renamed. The reply is JSON, or, if stream is set, events as the server sends them. The caller closes it.
// Errors are those of Chat.
func (r *Relay) Send(ctx context.Context, fields map[string]json.RawMessage, stream bool) (io.ReadCloser, error) {
	if err := r.adaptFields(fields); err != nil {
		return nil, err
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	ex := &exchange{stream: stream}
	req, err := http.NewRequestWithContext(withExchange(ctx, ex), http.MethodPost, r.endpoint(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	switch {
	case r.key != "" && r.card.Provider == "azure":
		req.Header.Set("Api-Key", r.key)
	case r.key != "":
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	resp, err := r.wire.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("ask %s: %w", r.card.ID, err)
	}
	return resp.Body, nil
}

func (r *Relay) endpoint() string {
	if r.card.Provider != "azure" {
		return r.baseURL + "/chat/completions"
	}
	version := r.card.APIVersion
	if version == "" {
		version = azureVersion
	}
	return r.baseURL + "/openai/deployments/" + url.PathEscape(r.card.Model) + "/chat/completions?api-version=" + url.QueryEscape(version)
}

// adaptFields says the same to each server in the words that it knows.
func (r *Relay) adaptFields(fields map[string]json.RawMessage) error {
	name, err := json.Marshal(r.card.Model)
	if err != nil {
		return err
	}
	fields["model"] = name
	openAI := r.card.Provider == "azure" || strings.HasPrefix(r.baseURL, "https://api.openai.com/")
	if openAI {
		rename(fields, "max_tokens", "max_completion_tokens")
	} else {
		rename(fields, "max_completion_tokens", "max_tokens")
		if bytes.Contains(fields["messages"], []byte(`"developer"`)) {
			if err := renameDevelopers(fields); err != nil {
				return err
			}
		}
	}
	if r.card.NoSampling {
		delete(fields, "temperature")
		delete(fields, "top_p")
	}
	if r.card.Provider == "mistral" {
		rename(fields, "seed", "random_seed")
		delete(fields, "stream_options") // it sends the usage anyway
	}
	return nil
}

func rename(fields map[string]json.RawMessage, from, to string) {
	value, ok := fields[from]
	if !ok {
		return
	}
	delete(fields, from)
	if _, ok := fields[to]; !ok {
		fields[to] = value
	}
}

// renameDevelopers gives the role that OpenAI's newer models call developer its older name.
func renameDevelopers(fields map[string]json.RawMessage) error {
	var messages []map[string]json.RawMessage
	if err := json.Unmarshal(fields["messages"], &messages); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "messages cannot be read: %w", err)
	}
	for _, m := range messages {
		if string(m["role"]) == `"developer"` {
			m["role"] = json.RawMessage(`"system"`)
		}
	}
	changed, err := json.Marshal(messages)
	fields["messages"] = changed
	return err
}
