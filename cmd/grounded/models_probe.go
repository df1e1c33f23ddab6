package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/model"
)

func (p *program) testModelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test MODEL",
		Short: "Try what a model's endpoint really does: one call each for chat, streaming, embedding, tools, JSON and vision",
		Long: `Makes six small calls, which cost what six short questions cost. "ignored" is a call that succeeded without doing
what was asked: a weak model may ignore what its server supports. "failed" can't tell; so does a call that takes more than
60 seconds.`,
		Example: examples("grounded models test smollm2", "grounded models test gpt-6-luna --json"),
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.testModel(cmd.Context(), args[0]) },
	}
}

func (p *program) testModel(ctx context.Context, id string) (err error) {
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.supervisor.Close()) }()
	card, err := s.catalog.Get(id)
	if err != nil {
		return err
	}
	probed, err := model.Probe(ctx, card, s.model, func(f model.Probed) {
		if !p.json {
			p.printf("%-10s %-8s %6.2f s  %s\n", f.Feature, f.Outcome, f.Milliseconds/1000, oneLine(f.Reason))
		}
	})
	if p.json {
		err = errors.Join(err, p.printJSON(map[string]any{"model": id, "features": probed}))
	}
	failed := 0
	for _, f := range probed {
		if f.Outcome == model.ProbeFailed {
			failed++
		}
	}
	if err == nil && failed > 0 {
		err = corpus.Errorf(corpus.ErrUnavailable, "%d of %d calls failed", failed, len(probed))
	}
	return err
}
