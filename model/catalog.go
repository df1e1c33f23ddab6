package model

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"grounded/corpus"
)

//go:embed models.yaml
var shipped []byte

// Catalog is the models that are known, by id.
type Catalog struct {
	cards   []Card
	shipped int // how many of them ship with the program: the first ones
}

// Load reads the catalog that ships with the program and then the user's files. An entry whose id is known changes the
// fields that it names; any other is added. A file that does not decode strictly or breaks a rule is ErrInvalid, one
// that is not there ErrNotFound.
func Load(paths ...string) (Catalog, error) {
	var c Catalog
	if err := c.add(shipped); err != nil {
		return c, fmt.Errorf("read the shipped catalog: %w", err)
	}
	c.shipped = len(c.cards)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return c, corpus.Errorf(corpus.ErrNotFound, "read catalog: %w", err)
		}
		if err != nil {
			return c, fmt.Errorf("read catalog: %w", err)
		}
		if err := c.add(data); err != nil {
			return c, fmt.Errorf("read catalog %s: %w", path, err)
		}
	}
	return c, c.checkFallbacks()
}

// add merges the entries of a file.
func (c *Catalog) add(data []byte) error {
	var file struct {
		Models []ast.Node `yaml:"models"`
	}
	// Strictness for the whole first, so that the error has its line; then entry by entry, onto what is known.
	var whole struct {
		Models []Card `yaml:"models"`
	}
	if err := decodeStrict(data, &whole); err != nil {
		return err
	}
	if err := decodeStrict(data, &file); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, node := range file.Models {
		line := node.GetToken().Position.Line
		id := whole.Models[i].ID
		if seen[id] {
			return corpus.Errorf(corpus.ErrInvalid, "line %d: model %q is there twice", line, id)
		}
		seen[id] = true
		at := slices.IndexFunc(c.cards, func(known Card) bool { return known.ID == id })
		var card Card
		if at >= 0 {
			card = c.cards[at]
		}
		if err := yaml.NodeToValue(node, &card, yaml.Strict()); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "%w", err)
		}
		if err := card.check(); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "line %d: %w", line, err)
		}
		if at >= 0 {
			c.cards[at] = card
		} else {
			c.cards = append(c.cards, card)
		}
	}
	return nil
}

func decodeStrict(data []byte, into any) error {
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into)
	if err == nil || errors.Is(err, io.EOF) { // an empty file
		return nil
	}
	return corpus.Errorf(corpus.ErrInvalid, "%s", strings.TrimSpace(yaml.FormatError(err, false, true)))
}

// All are the cards in the catalog's order.
func (c Catalog) All() []Card { return slices.Clone(c.cards) }

// Get returns the card with the id. The error is ErrNotFound and its hint names similar ids.
func (c Catalog) Get(id string) (Card, error) {
	var similar []string
	for _, card := range c.cards {
		if card.ID == id {
			return card, nil
		}
		if strings.Contains(card.ID, id) || strings.Contains(id, card.ID) {
			similar = append(similar, card.ID)
		}
	}
	hint := "see grounded models for those that are known"
	if len(similar) > 0 {
		sort.Strings(similar)
		hint = "did you mean " + strings.Join(similar, " or ") + "?"
	}
	return Card{}, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "model %q is not in the catalog", id), hint)
}

// Filter chooses cards; its zero value chooses all.
type Filter struct {
	Task       Task
	Provider   string
	Access     string // open or proprietary
	Deployment string // serverless, managed or local
	License    string // in the license, in any case
	Name       string // in id or name, in any case
	Text       string // in id, name, license or card, in any case
}

// Check refuses values that no entry can have, with corpus.ErrInvalid.
func (f Filter) Check() error {
	for _, field := range []struct {
		name, value string
		allowed     []string
	}{
		{"task", string(f.Task), taskNames()}, {"provider", f.Provider, providers}, {"kind", f.Access, accesses}, {"deployment", f.Deployment, deployments},
	} {
		if field.value != "" && !slices.Contains(field.allowed, field.value) {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there is no %s %q", field.name, field.value),
				"choose from "+strings.Join(slices.DeleteFunc(slices.Clone(field.allowed), isEmpty), ", "))
		}
	}
	return nil
}

func taskNames() (names []string) {
	for _, t := range tasks {
		names = append(names, string(t))
	}
	return names
}

// Filter returns the cards that meet all of the filter's conditions.
func (c Catalog) Filter(f Filter) []Card {
	var out []Card
	for _, card := range c.cards {
		if (f.Task == "" || card.Does(f.Task)) &&
			(f.Provider == "" || card.Provider == f.Provider) &&
			(f.Access == "" || card.Access == f.Access) &&
			(f.Deployment == "" || card.Deployment == f.Deployment) &&
			within(f.License, card.License) && within(f.Name, card.ID, card.Name) &&
			within(f.Text, card.ID, card.Name, card.License, card.Card) {
			out = append(out, card)
		}
	}
	return out
}

// within reports whether any of the texts has a part in it, in any case.
func within(part string, texts ...string) bool {
	return strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(part))
}

// allowed are the values of the fields that have a closed list.
var (
	providers     = []string{"openai", "azure", "ollama", "anthropic", "google", "mistral", "local"}
	tasks         = []Task{TaskChat, TaskEmbedding, TaskRerank, TaskVision, TaskTranscription, TaskCode, TaskImage, TaskAudio}
	accesses      = []string{"", "open", "proprietary"}
	architectures = []string{"", "decoder", "encoder", "encoder-decoder"}
	deployments   = []string{"", "serverless", "managed", "local"}
	tokenizers    = []string{"", tokenizerCL100K, tokenizerO200K, tokenizerXLMR, tokenizerServer, tokenizerEstimate}
	rerankForms   = []string{"", "cohere", "tei"}
)

// check reports the first rule that the card breaks.
func (c Card) check() error {
	if c.ID == "" {
		return errors.New("a model has no id")
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("model %q: %w", c.ID, fmt.Errorf(format, args...))
	}
	if strings.ContainsAny(c.ID, " \t\n,+") {
		return fail("an id has no space, comma or plus")
	}
	for _, field := range []struct {
		name, value string
		allowed     []string
	}{
		{"provider", c.Provider, providers},
		{"access", c.Access, accesses},
		{"architecture", c.Architecture, architectures},
		{"deployment", c.Deployment, deployments},
		{"tokenizer", c.Tokenizer, tokenizers},
		{"rerank_form", c.RerankForm, rerankForms},
	} {
		if !slices.Contains(field.allowed, field.value) {
			return fail("%s is %q, not one of %s", field.name, field.value, strings.Join(slices.DeleteFunc(slices.Clone(field.allowed), isEmpty), ", "))
		}
	}
	if len(c.Tasks) == 0 {
		return fail("tasks are missing")
	}
	for _, task := range c.Tasks {
		if !slices.Contains(tasks, task) {
			return fail("unknown task %q", task)
		}
	}
	for name, n := range map[string]int{
		"context": c.Context, "max_output": c.MaxOutput, "dimensions": c.Dimensions, "batch_texts": c.BatchTexts,
		"batch_tokens": c.BatchTokens, "concurrency": c.Concurrency, "max_file_mb": c.MaxFileMB, "parameters": int(c.Parameters),
	} {
		if n < 0 {
			return fail("%s is negative", name)
		}
	}
	return c.checkUse(fail)
}

func isEmpty(s string) bool { return s == "" }

// checkUse holds the rules between fields.
func (c Card) checkUse(fail func(string, ...any) error) error {
	switch {
	case c.Provider == "local" && len(c.Command) == 0:
		return fail("a local model needs a command")
	case c.Provider == "local" && !strings.HasPrefix(c.Health, "/"):
		return fail("a local model needs health, a path such as /health")
	case c.Provider == "local" && c.BaseURL != "" && !strings.HasPrefix(c.BaseURL, "/"):
		return fail("base_url of a local model is the path of its API, such as /v1")
	case c.Provider != "local" && len(c.Command) > 0:
		return fail("command is for the provider local")
	case c.Provider == "local" && c.Deployment != "" && c.Deployment != "local":
		return fail("a model with a command has deployment local")
	case c.Provider == "azure" && c.BaseURL == "":
		return fail("azure needs base_url, such as ${AZURE_OPENAI_ENDPOINT}")
	case c.RequestDimensions && c.Dimensions == 0:
		return fail("request_dimensions needs dimensions")
	case c.MaxOutput > c.Context && c.Context > 0 && c.Does(TaskChat):
		return fail("max_output %d is over context %d", c.MaxOutput, c.Context)
	}
	return c.checkSources(fail)
}

// checkSources wants to know of each price where it was read, and when if it is not 0.
func (c Card) checkSources(fail func(string, ...any) error) error {
	p, dear := c.Price, false
	for name, price := range p.known() {
		if price < 0 {
			return fail("price %s is negative", name)
		}
		if p.Source == "" {
			return fail("a price needs its source (a page, or why it is 0)")
		}
		dear = dear || price > 0
	}
	for _, day := range [][2]string{{"price date", p.Date}, {"facts date", c.Facts.Date}, {"retires", c.Retires}} {
		if day[1] == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, day[1]); err != nil {
			return fail("%s %q is not a date such as 2026-01-31", day[0], day[1])
		}
	}
	if dear && p.Date == "" {
		return fail("a price needs the date when it was looked up")
	}
	return nil
}
