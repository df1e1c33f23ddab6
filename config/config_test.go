package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
)

func none(string) (string, bool) { return "", false }

func TestExampleParses(t *testing.T) {
	if _, err := Parse([]byte(Example), none); err != nil {
		t.Fatalf("the example as it is printed: %v", err)
	}
}

func TestVariablesAreReplacedFromTheEnvironment(t *testing.T) {
	c, err := Parse([]byte("models:\n  chat: ${CHAT}\n  timeout: 90s\n# ${NOT_READ} in a comment\n"), func(name string) (string, bool) {
		return "gpt-4o-mini", name == "CHAT"
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Models.Chat != "gpt-4o-mini" || time.Duration(c.Models.Timeout) != 90*time.Second {
		t.Errorf("got %+v", c.Models)
	}
}

func TestBadConfigurationIsRefusedWithWhere(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "data: x\nmodles:\n  chat: a\n", "modles"},
		{"unknown inner key", "models:\n  chta: a\n", "chta"},
		{"not a number", "ingest:\n  workers: many\n", "workers"},
		{"not a duration", "models:\n  timeout: soon\n", "soon"},
		{"out of range", "retrieve:\n  dense_weight: 1.5\n", "retrieve.dense_weight"},
		{"more than all", "tracing:\n  sample_ratio: 2\n", "tracing.sample_ratio"},
		{"negative", "retrieve:\n  top_k: -1\n", "retrieve.top_k"},
		{"unknown mode", "retrieve:\n  mode: fuzzy\n", `"fuzzy"`},
		{"unknown queue", "jobs:\n  kind: redis\n", `"redis"`},
		{"bad collection", "collection: a/b\n", "a/b"},
		{"missing variable", "models:\n  chat: ${NOT_THERE}\n", "NOT_THERE"},
		{"broken yaml", "models: [\n", "["},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), none)
			if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an ErrInvalid that names %q", err, c.want)
			}
		})
	}
}

func TestPasswordsAreAListOfTexts(t *testing.T) {
	c, err := Parse([]byte("ingest:\n  passwords: [\"${CONTRACTS}\", 007, 'it''s', \"a\\\"b\", plain]\n"), func(string) (string, bool) { return "s3cret", true })
	if want := []Secret{"s3cret", "007", "it's", `a"b`, "plain"}; err != nil || !slices.Equal(c.Ingest.Passwords, want) {
		t.Errorf("got %q, %v; want %q", c.Ingest.Passwords, err, want)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "grounded.yaml")
	if err := os.WriteFile(file, []byte("data: store\njobs: {evaluations: runs}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || c.Data != filepath.Join(folder, "store") || c.Jobs.Evaluations != filepath.Join(folder, "runs") {
		t.Errorf("got %q and %q, %v", c.Data, c.Jobs.Evaluations, err)
	}
}

func TestMissingFileSaysHowToWriteOne(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, corpus.ErrNotFound) || !strings.Contains(corpus.HintOf(err), "config example") {
		t.Errorf("got %v, hint %q", err, corpus.HintOf(err))
	}
}
