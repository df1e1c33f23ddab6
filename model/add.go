package model

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"grounded/corpus"
)

// Made is a model that was made elsewhere: a whole one, or a LoRA adapter of a base.
type Made struct {
	ID      string
	Name    string // for people; may be empty
	Model   string // GGUF file of a whole model; empty for an adapter
	Adapter string // GGUF file of a LoRA adapter; empty for a whole model
	Dataset string // what it was trained on, for its lineage; may be empty
	License string // the base's, or what the file says, if empty
}

// FromBase is the card of a model that was made elsewhere. It is served as its base is, a local one whose command has
// --model: llama-server, or the one that comes with grounded. Files are read as far as their heads; one that is no model,
// or an adapter in the place of one, is corpus.ErrInvalid.
func (m Made) FromBase(base Card, day time.Time) (Card, error) {
	at := slices.IndexFunc(base.Command, func(arg string) bool { return arg == "--model" || arg == "-m" })
	if base.Provider != "local" || at < 0 || at+1 >= len(base.Command) {
		return Card{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "model %q is not served here by a command with --model", base.ID),
			"name a local one as base, such as smollm2; or write an entry with a command of your own into your catalog (models.catalog)")
	}
	c := base
	c.ID, c.Model, c.Name, c.Facts, c.Link, c.Retires, c.Fallback = m.ID, m.ID, m.Name, Facts{}, "", "", nil
	c.Command = slices.Clone(base.Command)
	c.Lineage = &Lineage{Base: base.ID, Dataset: m.Dataset, Created: day.Format(time.DateOnly)}
	var err error
	if m.Adapter != "" {
		err = m.adapt(&c)
	} else {
		err = m.replace(&c, at+1)
	}
	if err != nil {
		return c, err
	}
	if m.License != "" {
		c.License = m.License
	}
	if err := c.check(); err != nil {
		return c, corpus.Errorf(corpus.ErrInvalid, "add model: %w", err)
	}
	return c, nil
}

// adapt puts the adapter behind the base's model.
func (m Made) adapt(c *Card) error {
	path, head, err := readModel(m.Adapter)
	if err != nil {
		return err
	}
	if head.Text("general.type") != "adapter" || head.Text("adapter.type") != "lora" {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s is no LoRA adapter", m.Adapter), "a whole model is registered with --gguf")
	}
	c.Command = append(c.Command, "--lora", path)
	c.Lineage.Adapter = filepath.Base(path)
	c.Card = "A LoRA adapter on " + c.Lineage.Base + ". Compare it with its base on questions that it was not trained on: grounded eval run --models."
	return nil
}

// replace puts the model's file in the place of the base's.
func (m Made) replace(c *Card, at int) error {
	path, head, err := readModel(m.Model)
	if err != nil {
		return err
	}
	if kind := head.Text("general.type"); kind == "adapter" || head.Tensors == 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s is no whole model", m.Model), "an adapter is registered with --lora")
	}
	c.Command[at] = path
	architecture := head.Text("general.architecture")
	if n := head.Number(architecture + ".context_length"); n > 0 {
		c.Context = min(n, c.Context) // what the base's command gives it
		c.MaxOutput = min(c.MaxOutput, c.Context/2)
	}
	c.Parameters, c.Languages, c.License, c.Data, c.Limits = sizeOf(head.Text("general.size_label")), nil, head.Text("general.license"), "", ""
	if c.Name == "" {
		c.Name = head.Text("general.name")
	}
	c.Access = "open"
	c.Card = "A model in " + filepath.Base(path) + "."
	if architecture != "" {
		c.Card = "A model of " + architecture + " form in " + filepath.Base(path) + "."
	}
	return nil
}

// sizeOf is the number of weights that a label such as 135M or 7.5B means; 0 for one that says something else.
func sizeOf(label string) int64 {
	for suffix, times := range map[string]float64{"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12} {
		if number, ok := strings.CutSuffix(label, suffix); ok {
			if n, err := strconv.ParseFloat(number, 64); err == nil && n > 0 && n < 1e6 {
				return int64(n * times)
			}
		}
	}
	return 0
}

func readModel(path string) (string, GGUF, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", GGUF{}, corpus.Errorf(corpus.ErrInvalid, "read model: %w", err)
	}
	head, err := ReadGGUF(whole)
	return whole, head, err
}
