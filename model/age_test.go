package model

import (
	"testing"
	"time"
)

func TestCheckNamesWhatIsOldUndatedOrRetired(t *testing.T) {
	path := writeCatalog(t, `
models:
  - id: fresh
    provider: openai
    tasks: [chat]
    price: {in: 1, out: 2, date: 2029-03-01, source: x}
    facts: {date: 2029-03-01, source: x}
  - id: old-price
    provider: openai
    tasks: [chat]
    price: {in: 1, out: 2, date: 2029-02-28, source: x}
    facts: {date: 2029-03-01, source: x}
  - id: whisper-1
    facts: {date: ""}
  - id: ours
    provider: openai
    tasks: [chat]
  - id: gone
    provider: openai
    tasks: [chat]
    facts: {date: 2029-03-01, source: x}
    retires: 2030-03-01
  - id: going
    provider: openai
    tasks: [chat]
    facts: {date: 2029-03-01, source: x}
    retires: 2030-05-01
  - id: tuned
    provider: openai
    tasks: [chat]
    lineage: {base: fresh}
`)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, f := range c.Check(time.Date(2030, 3, 1, 0, 0, 0, 0, time.UTC)) {
		kinds[f.Model] += f.Kind
	}
	for id, want := range map[string]string{
		"fresh": "", "old-price": "old", "whisper-1": "oldundatedretired", "ours": "", "gone": "retired", "going": "retiring", "tuned": "", "gpt-4o": "oldoldretired",
	} {
		if kinds[id] != want {
			t.Errorf("%s is %q, want %q", id, kinds[id], want)
		}
	}
}

func TestTheShippedCatalogHasEachKindOfModel(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, card := range c.All() {
		for _, task := range card.Tasks {
			found[string(task)] = true
		}
		found[card.Architecture], found[card.Access], found[card.Deployment] = true, true, true
		if card.Access == "open" && card.License == "" {
			t.Errorf("%s is open and has no license", card.ID)
		}
	}
	for _, f := range c.Check(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
		if f.Kind != "retiring" {
			t.Errorf("%s: %s", f.Model, f.Text)
		}
	}
	for _, kind := range []string{"chat", "code", "embedding", "rerank", "vision", "transcription", "image",
		"decoder", "encoder", "encoder-decoder", "open", "proprietary", "serverless", "managed", "local"} {
		if !found[kind] {
			t.Errorf("no model is %s", kind)
		}
	}
	if n := len(c.All()); n < 40 {
		t.Errorf("there are %d models", n)
	}
}
