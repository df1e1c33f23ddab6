package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"grounded/model"
)

func (p *program) modelsCommand() *cobra.Command {
	var filter model.Filter
	command := &cobra.Command{
		Use:   "models",
		Short: "List the models of the catalog",
		Example: examples("grounded models", "grounded models --task embedding", "grounded models --kind open --license apache --json",
			"grounded models show smollm2", "grounded models using   # which are used when none is named"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.listModels(cmd.Context(), filter) },
	}
	flags := command.Flags()
	flags.StringVar((*string)(&filter.Task), "task", "", "only models for this `task`: chat, embedding, rerank, vision, transcription, code, image, audio")
	flags.StringVar(&filter.Access, "kind", "", "only `open` or proprietary ones")
	flags.StringVar(&filter.Provider, "provider", "", "only models of this `provider`")
	flags.StringVar(&filter.Deployment, "deployment", "", "only serverless, managed or `local` ones")
	flags.StringVar(&filter.License, "license", "", "only models with this `text` in their license, such as apache")
	flags.StringVar(&filter.Name, "name", "", "only models with this `text` in their id or name")
	flags.StringVar(&filter.Text, "text", "", "only models with this `text` in their name, license or card")
	remote(command)
	command.AddCommand(p.showModelCommand(), &cobra.Command{
		Use:     "using",
		Short:   "Say which models are used when none is named, and what else could be",
		Example: examples("grounded models using"),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.modelsInUse(cmd.Context()) },
	}, p.benchmarkModelsCommand(), p.adviseCommand(), p.testModelCommand(), p.addModelCommand(), p.checkModelsCommand())
	return command
}

// cards are the models of this machine's catalog, or of a server's.
type cards interface {
	Models(ctx context.Context, f model.Filter) ([]model.Card, error)
	Model(ctx context.Context, id string) (model.Card, error)
}

// localCards are those of this machine's catalog.
type localCards struct{ model.Catalog }

func (l localCards) Models(_ context.Context, f model.Filter) ([]model.Card, error) {
	return l.Filter(f), nil
}

func (l localCards) Model(_ context.Context, id string) (model.Card, error) { return l.Get(id) }

func (p *program) cards() (cards, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	if server, err := p.connect(c); err != nil || server != nil {
		return server, err
	}
	s, err := p.services(c)
	if err != nil {
		return nil, err
	}
	return localCards{s.catalog}, nil
}

func (p *program) loadServices() (*services, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	return p.services(c)
}

func (p *program) listModels(ctx context.Context, filter model.Filter) error {
	if err := filter.Check(); err != nil {
		return usageError{err}
	}
	m, err := p.cards()
	if err != nil {
		return err
	}
	cards, err := m.Models(ctx, filter)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"data": append([]model.Card{}, cards...), "next": nil})
	}
	if len(cards) == 0 {
		p.notef("no model of the catalog is like that; grounded models lists all\n")
		return nil
	}
	t := newTable("id", "provider", "tasks", "kind", "license", "context", "$ in / out per million", "deployment")
	for _, c := range cards {
		var tasks []string
		for _, task := range c.Tasks {
			tasks = append(tasks, string(task))
		}
		t.add(c.ID, c.Provider, strings.Join(tasks, ", "), orUnknown(c.Access), license(c), number(c.Context), prices(c), served(c))
	}
	t.write(p.stdout, p.width())
	return nil
}

func (p *program) modelsInUse(ctx context.Context) error {
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	d := s.detect(ctx)
	if p.json {
		return p.printJSON(map[string]string{"chat": d.Chat, "embedding": d.Embedding, "note": d.Line})
	}
	p.printf("%s\n", d.Line)
	return nil
}

// license is a model's; for one that is not to be had its provider's terms are in force.
func license(c model.Card) string {
	if c.License == "" && c.Access == "proprietary" {
		return "provider's terms"
	}
	return orUnknown(c.License)
}

// prices are those that matter for what the model does: of tokens in and out, or of another unit.
func prices(c model.Card) string {
	p := c.Price
	switch {
	case c.Does(model.TaskChat):
		return price(p.In) + " / " + price(p.Out)
	case p.Minute != nil:
		return price(p.Minute) + " a minute"
	case p.Search != nil:
		return price(p.Search) + " a search"
	case p.Image != nil:
		return price(p.Image) + " a picture"
	}
	return price(p.In)
}

// served is where a model runs, and until when its provider serves it.
func served(c model.Card) string {
	if c.Retires != "" {
		return orUnknown(c.Deployment) + " until " + c.Retires
	}
	return orUnknown(c.Deployment)
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func number(n int) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprint(n)
}

func price(dollars *float64) string {
	if dollars == nil {
		return "unknown"
	}
	return fmt.Sprintf("%g", *dollars)
}
