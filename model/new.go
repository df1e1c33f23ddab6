package model

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
	"github.com/tmc/langchaingo/llms/ollama"
	"github.com/tmc/langchaingo/llms/openai"

	"grounded/corpus"
)

// azureVersion is that of Azure's API where the card names none.
const azureVersion = "2024-10-21"

// localPath stands for the path before the endpoints of a local model, whose address is known once it runs.
const (
	localPath = "/local"
	localBase = "http://local.invalid" + localPath
)

// connection is a card made ready for calls: its address, its key, and the wire to it.
type connection struct {
	card    Card
	baseURL string
	key     string
	wire    *wire
}

// connect finds what a card needs. A key that is missing is ErrForbidden, before any call.
func connect(card Card, cfg Config, defaultTimeout time.Duration) (connection, error) {
	cfg = withDefaults(cfg, card, defaultTimeout)
	if card.Model == "" {
		card.Model = card.ID
	}
	c := connection{card: card}
	var err error
	if c.baseURL, err = baseURL(card, cfg); err != nil {
		return c, err
	}
	if card.APIKeyEnv != "" {
		key, _ := cfg.LookupEnv(card.APIKeyEnv)
		if c.key = strings.TrimSpace(key); c.key == "" {
			return c, corpus.Hint(corpus.Errorf(corpus.ErrForbidden, "model %q needs a key, and %s is not set", card.ID, card.APIKeyEnv),
				"set "+card.APIKeyEnv+" to your key, or choose a model that runs here: grounded models --deployment local")
		}
	}
	c.wire, err = newWire(card, cfg)
	return c, err
}

func withDefaults(cfg Config, card Card, timeout time.Duration) Config {
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = os.LookupEnv
	}
	if cfg.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		cfg.Transport = t
	}
	setDefault(&cfg.Attempts, 6)
	setDefault(&cfg.MinDelay, 500*time.Millisecond)
	setDefault(&cfg.MaxDelay, 30*time.Second)
	if len(card.Fallback) > 0 {
		setDefault(&cfg.MaxElapsed, 10*time.Second)
		setDefault(&cfg.FirstWait, 30*time.Second)
	}
	setDefault(&cfg.MaxElapsed, 5*time.Minute)
	setDefault(&cfg.Timeout, timeout)
	setDefault(&cfg.IdleTimeout, time.Minute)
	setDefault(&cfg.Concurrency, card.Concurrency)
	setDefault(&cfg.Concurrency, 4)
	return cfg
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// baseURL is the card's, or what the environment says, or the provider's own.
func baseURL(card Card, cfg Config) (string, error) {
	if card.Provider == "local" && cfg.Start != nil {
		return localBase, nil
	}
	if card.BaseURL != "" {
		base, err := expandEnv(card.BaseURL, cfg.LookupEnv)
		if err != nil {
			return "", corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "base_url of model %q: %w", card.ID, err), corpus.HintOf(err))
		}
		return strings.TrimSuffix(base, "/"), nil
	}
	switch card.Provider {
	case "openai":
		if base, ok := cfg.LookupEnv("OPENAI_BASE_URL"); ok && base != "" {
			return strings.TrimSuffix(base, "/"), nil
		}
		return "https://api.openai.com/v1", nil
	case "mistral":
		return "https://api.mistral.ai/v1", nil
	case "google":
		return "https://generativelanguage.googleapis.com/v1beta/openai", nil
	case "anthropic":
		return "https://api.anthropic.com/v1", nil
	case "ollama":
		host, _ := cfg.LookupEnv("OLLAMA_HOST")
		return OllamaURL(host), nil
	}
	return "", corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "model %q has no base_url", card.ID),
		"write base_url in the model's catalog entry")
}

// OllamaURL is the address that a value of OLLAMA_HOST means: a URL, or a host with or without a port; empty is
// http://127.0.0.1:11434.
func OllamaURL(host string) string {
	host = strings.TrimSuffix(strings.TrimSpace(host), "/")
	if host == "" {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if at := strings.Index(host, "://"); at >= 0 {
		return host
	}
	host = strings.Replace(host, "0.0.0.0", "127.0.0.1", 1) // what a server listens on is no address to call
	if !regexp.MustCompile(`:\d+$`).MatchString(host) {
		host += ":11434"
	}
	return scheme + host
}

var envReference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expandEnv replaces each ${NAME}; one that is not set is ErrInvalid.
func expandEnv(s string, lookup func(string) (string, bool)) (string, error) {
	missing := ""
	s = envReference.ReplaceAllStringFunc(s, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := lookup(name)
		if (!ok || value == "") && missing == "" {
			missing = name
		}
		return value
	})
	if missing != "" {
		return "", corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s is not set", missing), "set "+missing+" in the environment")
	}
	return s, nil
}

// token is the key, or what stands for none where langchaingo insists on one.
func (c connection) token() string {
	if c.key == "" {
		return "none"
	}
	return c.key
}

// openAI is langchaingo's client for all that speak OpenAI's protocol. Mistral and Google are among them, since
// langchaingo's own client for Mistral ignores contexts, and the one for Google brings its whole cloud SDK.
func (c connection) openAI(model string) (*openai.LLM, error) {
	options := []openai.Option{
		openai.WithToken(c.token()), openai.WithBaseURL(c.baseURL), openai.WithHTTPClient(c.wire.client()),
		openai.WithModel(model), openai.WithEmbeddingModel(model), openai.WithOrganization(""),
	}
	if c.card.RequestDimensions && c.card.Dimensions > 0 {
		options = append(options, openai.WithEmbeddingDimensions(c.card.Dimensions))
	}
	if c.card.Provider == "azure" {
		options = append(options, openai.WithAPIType(openai.APITypeAzure))
		version := c.card.APIVersion
		if version == "" {
			version = azureVersion
		}
		options = append(options, openai.WithAPIVersion(version))
	}
	return openai.New(options...)
}

func (c connection) ollama(model string) (*ollama.LLM, error) {
	options := []ollama.Option{ollama.WithModel(model), ollama.WithServerURL(c.baseURL), ollama.WithHTTPClient(c.wire.client())}
	if c.card.Context > 0 && c.card.Does(TaskChat) {
		options = append(options, ollama.WithRunnerNumCtx(c.card.Context)) // else Ollama cuts prompts at its own default
	}
	return ollama.New(options...)
}

// chatClient is langchaingo's model for the card's provider.
func (c connection) chatClient() (llms.Model, error) {
	switch c.card.Provider {
	case "openai", "azure", "google", "mistral", "local":
		return c.openAI(c.card.Model)
	case "ollama":
		return c.ollama(c.card.Model)
	case "anthropic":
		return anthropic.New(anthropic.WithToken(c.token()), anthropic.WithModel(c.card.Model),
			anthropic.WithBaseURL(c.baseURL), anthropic.WithHTTPClient(c.wire.client()))
	}
	return nil, corpus.Errorf(corpus.ErrUnsupported, "provider %q of model %q has no chat", c.card.Provider, c.card.ID)
}

type embeddingClient interface {
	CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error)
}

// embeddingClient is langchaingo's embedder under its batching layer, which rewrites the caller's strings.
func (c connection) embeddingClient(model string) (embeddingClient, error) {
	switch c.card.Provider {
	case "openai", "azure", "google", "mistral", "local":
		return c.openAI(model)
	case "ollama":
		return c.ollama(model)
	}
	return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "provider %q of model %q has no embeddings", c.card.Provider, c.card.ID),
		"choose a model with the task embedding: grounded models --task embedding")
}
