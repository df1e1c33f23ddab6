package model

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"grounded/corpus"
)

func writeCatalog(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheShippedCatalogIsReadAndHasTheLocalModels(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"e5-small", "smollm2", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "llama3.1", "bge-m3"} {
		if _, err := c.Get(id); err != nil {
			t.Error(err)
		}
	}
	for _, card := range c.All() {
		if card.Link == "" || card.Card == "" || card.Context == 0 && (card.Does(TaskChat) || card.Does(TaskEmbedding)) {
			t.Errorf("%s has no link, no text or no context", card.ID)
		}
		if card.Facts.Date == "" || card.Facts.Source == "" {
			t.Errorf("%s does not say where and when its facts were read", card.ID)
		}
		if card.Access == "" || card.Deployment == "" {
			t.Errorf("%s does not say whether it is open, or where it runs", card.ID)
		}
		if card.Does(TaskEmbedding) && card.Dimensions == 0 {
			t.Errorf("%s has no dimensions", card.ID)
		}
	}
}

func TestAUsersEntryChangesTheFieldsThatItNames(t *testing.T) {
	path := writeCatalog(t, `
models:
  - id: llama3.1
    context: 32768
    tasks: [chat]
  - id: ours
    provider: openai
    base_url: http://10.0.0.7:8000/v1
    tasks: [chat]
`)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	llama, err := c.Get("llama3.1")
	if err != nil {
		t.Fatal(err)
	}
	if llama.Context != 32768 || len(llama.Tasks) != 1 || llama.Provider != "ollama" || llama.Price.In == nil {
		t.Errorf("merged card is %+v", llama)
	}
	if _, err := c.Get("ours"); err != nil {
		t.Error(err)
	}
	again, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if card, _ := again.Get("llama3.1"); card.Context == 32768 {
		t.Error("a user's file changed the shipped catalog")
	}
}

func TestABadCatalogIsRefusedWithItsMessage(t *testing.T) {
	const good = "models:\n- id: x\n  provider: openai\n  tasks: [chat]\n  access: open\n  deployment: managed\n"
	const local = "models:\n- id: x\n  provider: local\n  tasks: [chat]\n  access: open\n  deployment: local\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", good + "  contxt: 5\n", `[7:3] unknown field "contxt"`},
		{"unknown top key", "model: []\n", `unknown field "model"`},
		{"wrong type", good + "  context: many\n", "[7:12] cannot unmarshal"},
		{"key twice", good + "  access: open\n", `mapping key "access" already defined`},
		{"id twice", good + "- id: x\n", `line 7: model "x" is there twice`},
		{"no id", "models:\n- provider: openai\n", "line 2: a model has no id"},
		{"bad id", "models:\n- id: gpt-4o+rag\n", "an id has no space, comma or plus"},
		{"provider", strings.Replace(good, "openai", "opanai", 1), `provider is "opanai", not one of openai, azure`},
		{"no tasks", strings.Replace(good, "  tasks: [chat]\n", "", 1), "tasks are missing"},
		{"task", strings.Replace(good, "chat", "talk", 1), `unknown task "talk"`},
		{"access", strings.Replace(good, "open\n  dep", "free\n  dep", 1), `access is "free", not one of open, proprietary`},
		{"deployment", strings.Replace(good, "managed", "cloud", 1), `deployment is "cloud"`},
		{"architecture", good + "  architecture: rnn\n", `architecture is "rnn"`},
		{"tokenizer", good + "  tokenizer: gpt2\n", `tokenizer is "gpt2"`},
		{"rerank form", good + "  rerank_form: voyage\n", `rerank_form is "voyage"`},
		{"negative", good + "  context: -1\n", "context is negative"},
		{"output over context", good + "  context: 10\n  max_output: 20\n", "max_output 20 is over context 10"},
		{"negative price", good + "  price: {in: -1, source: x}\n", "price in is negative"},
		{"price without source", good + "  price: {in: 1, date: 2026-01-31}\n", "a price needs its source"},
		{"price without date", good + "  price: {in: 1, source: x}\n", "a price needs the date"},
		{"bad date", good + "  price: {in: 1, source: x, date: January}\n", `price date "January" is not a date`},
		{"dimensions asked but not given", good + "  request_dimensions: true\n", "request_dimensions needs dimensions"},
		{"azure without address", strings.Replace(good, "openai", "azure", 1), "azure needs base_url"},
		{"command elsewhere", good + "  command: [x]\n", "command is for the provider local"},
		{"local without command", local, "a local model needs a command"},
		{"local without health", local + "  command: [x]\n", "a local model needs health"},
		{"local with address", local + "  command: [x]\n  health: /h\n  base_url: http://x\n", "base_url of a local model is the path"},
		{"local that is not", strings.Replace(local, "deployment: local", "deployment: managed", 1) + "  command: [x]\n  health: /h\n", "has deployment local"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(writeCatalog(t, c.text))
			if !errors.Is(err, corpus.ErrInvalid) {
				t.Fatalf("error is %v, want one that is ErrInvalid", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is\n%v\nwant %q in it", err, c.want)
			}
		})
	}
	if _, err := Load(writeCatalog(t, good)); err != nil {
		t.Errorf("the good catalog is refused: %v", err)
	}
	if _, err := Load(writeCatalog(t, "")); err != nil {
		t.Errorf("an empty catalog is refused: %v", err)
	}
}

func TestACatalogThatIsNotThereIsNotFound(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
}

func TestGetNamesSimilarIds(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Get("gpt-4")
	if !errors.Is(err, corpus.ErrNotFound) || !strings.Contains(corpus.HintOf(err), "gpt-4o-mini") {
		t.Errorf("error %v with hint %q", err, corpus.HintOf(err))
	}
}

func TestFilterChoosesByTaskAccessDeploymentAndText(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	ids := func(f Filter) string {
		var out []string
		for _, card := range c.Filter(f) {
			out = append(out, card.ID)
		}
		return strings.Join(out, " ")
	}
	if got := ids(Filter{Provider: "local", Task: TaskEmbedding}); got != "e5-small" {
		t.Errorf("local embedders are %q", got)
	}
	if got := ids(Filter{Access: "open", Deployment: "local", Text: "CHINESE"}); got != "qwen2.5" {
		t.Errorf("open local models that mention Chinese are %q", got)
	}
	if got := ids(Filter{}); len(strings.Fields(got)) != len(c.All()) {
		t.Errorf("the empty filter chose %q", got)
	}
}

func TestCostIsUnknownWithoutAPriceAndZeroWhenFree(t *testing.T) {
	two, ten, zero := 2.0, 10.0, 0.0
	for _, c := range []struct {
		name               string
		price              Price
		prompt, completion int
		want               *float64
	}{
		{"both", Price{In: &two, Out: &ten}, 1_000_000, 500_000, ptr(7.0)},
		{"unknown", Price{}, 1, 1, nil},
		{"output unknown", Price{In: &two}, 1, 1, nil},
		{"output unknown but not needed", Price{In: &two}, 500_000, 0, ptr(1.0)},
		{"free", Price{In: &zero, Out: &zero}, 1000, 1000, ptr(0.0)},
	} {
		got := Card{Price: c.price}.Cost(c.prompt, c.completion)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: cost %v, want %v", c.name, got, c.want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestAFilterNamesWhatThereIs(t *testing.T) {
	for _, f := range []Filter{{Task: "embeding"}, {Provider: "OpenAI"}, {Access: "closed"}, {Deployment: "cloud"}} {
		if err := f.Check(); !errors.Is(err, corpus.ErrInvalid) || !strings.HasPrefix(corpus.HintOf(err), "choose from ") {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if err := (Filter{Task: TaskAudio, Provider: "local", Access: "open", Deployment: "managed", License: "any"}).Check(); err != nil {
		t.Error(err)
	}
}
