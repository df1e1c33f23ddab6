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
		Example: examples("grounded models", "grounded models --task embedding", "grounded models --provider openai --json",
			"grounded models show smollm2", "grounded models using   # which are used when none is named"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.listModels(cmd.Context(), filter) },
	}
	flags := command.Flags()
	flags.StringVar((*string)(&filter.Task), "task", "", "only models for this `task`: chat, embedding, rerank, vision, transcription, code")
	flags.StringVar(&filter.Access, "kind", "", "only `open` or proprietary ones")
	flags.StringVar(&filter.Provider, "provider", "", "only models of this `provider`")
	flags.StringVar(&filter.Deployment, "deployment", "", "only serverless, managed or `local` ones")
	flags.StringVar(&filter.Text, "text", "", "only models with this `text` in their name, license or card")
	show := &cobra.Command{
		Use:     "show MODEL",
		Short:   "Show a model's card",
		Example: examples("grounded models show smollm2", "grounded models show gpt-4o-mini --json"),
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.showModel(cmd.Context(), args[0]) },
	}
	remote(command, show)
	command.AddCommand(show, &cobra.Command{
		Use:     "using",
		Short:   "Say which models are used when none is named, and what else could be",
		Example: examples("grounded models using"),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.modelsInUse(cmd.Context()) },
	})
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
	t := newTable("id", "provider", "tasks", "kind", "license", "context", "$ in / out per million", "deployment")
	for _, c := range cards {
		var tasks []string
		for _, task := range c.Tasks {
			tasks = append(tasks, string(task))
		}
		t.add(c.ID, c.Provider, strings.Join(tasks, ", "), orUnknown(c.Access), orUnknown(c.License), number(c.Context), price(c.Price.In)+" / "+price(c.Price.Out), orUnknown(c.Deployment))
	}
	t.write(p.stdout, p.width())
	return nil
}

func (p *program) showModel(ctx context.Context, id string) error {
	m, err := p.cards()
	if err != nil {
		return err
	}
	c, err := m.Model(ctx, id)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(c)
	}
	name := c.Name
	if name == "" {
		name = c.ID
	}
	minute := ""
	if c.Price.Minute != nil {
		minute = price(c.Price.Minute)
	}
	p.printf("%s (%s)\n\n", name, c.ID)
	for _, row := range [][2]string{
		{"provider", c.Provider}, {"deployment", orUnknown(c.Deployment)}, {"tasks", strings.Trim(fmt.Sprint(c.Tasks), "[]")},
		{"kind", orUnknown(c.Access)}, {"license", orUnknown(c.License)}, {"architecture", orUnknown(c.Architecture)},
		{"parameters", number(int(c.Parameters))}, {"languages", orUnknown(strings.Join(c.Languages, ", "))},
		{"context", number(c.Context) + " tokens"}, {"dimensions", number(c.Dimensions)},
		{"price in", price(c.Price.In)}, {"price out", price(c.Price.Out)}, {"price minute", minute}, {"as of", orUnknown(c.Price.Date)}, {"source", orUnknown(c.Price.Source)},
		{"key", c.APIKeyEnv}, {"link", c.Link},
	} {
		if row[1] != "" {
			p.printf("%-13s %s\n", row[0], row[1])
		}
	}
	if c.Card != "" {
		p.printf("\n%s\n", strings.Join(wrap(oneLine(c.Card), 90), "\n"))
	}
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
