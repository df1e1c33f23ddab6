package model

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"grounded/corpus"
)

// Reach looks whether a model can be asked, without asking it: nothing is paid, and a local model is not started. A
// server that answers is enough, but for one that refuses the key (corpus.ErrForbidden) or is itself out of order
// (corpus.ErrUnavailable). ctx bounds the time.
func Reach(ctx context.Context, card Card, cfg Config) error {
	c, err := connect(card, cfg, time.Minute)
	if err != nil {
		return err
	}
	if card.Provider == "local" && cfg.Start != nil {
		return installed(card, c.wire.cfg.LookupEnv)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.listing(), nil)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "reach %s: %w", card.ID, err)
	}
	switch {
	case c.key == "":
	case card.Provider == "azure":
		req.Header.Set("Api-Key", c.key)
	case card.Provider == "anthropic":
		req.Header.Set("X-Api-Key", c.key)
		req.Header.Set("Anthropic-Version", "2023-06-01")
	default:
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, value := range c.wire.headers {
		req.Header.Set(name, value)
	}
	resp, err := c.wire.cfg.Transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("reach %s: %w", card.ID, failedTransport(card, ctx, err))
	}
	defer resp.Body.Close()
	refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
	if !refused && resp.StatusCode < http.StatusInternalServerError {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return fmt.Errorf("reach %s: %w", card.ID, failedStatus(card, resp, said, time.Now()))
}

// listing is where a server lists its models, which costs nothing. One that does not know it answers all the same.
func (c connection) listing() string {
	switch c.card.Provider {
	case "ollama":
		return c.baseURL + "/api/tags"
	case "azure":
		version := c.card.APIVersion
		if version == "" {
			version = azureVersion
		}
		return c.baseURL + "/openai/models?api-version=" + url.QueryEscape(version)
	}
	return c.baseURL + "/models"
}

// installed reports whether what starts a local model is there.
func installed(card Card, lookup func(string) (string, bool)) error {
	venv, _ := FindVenv(lookup)
	for i, arg := range card.Command {
		path := strings.ReplaceAll(arg, "{venv}", venv)
		_, err := os.Stat(path)
		switch {
		case strings.HasPrefix(arg, "{venv}"):
		case i == 0:
			_, err = exec.LookPath(arg)
		case !slices.Contains([]string{"-m", "--model", "--lora"}, card.Command[i-1]):
			continue
		}
		if err != nil {
			return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "reach %s: %s is not there", card.ID, path),
				"install the local models with: make models, or choose a model elsewhere")
		}
	}
	return nil
}
