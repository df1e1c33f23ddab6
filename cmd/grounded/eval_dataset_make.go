package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/prompts"
)

// makeFlags are those of eval dataset make.
type makeFlags struct {
	out, model, known string
	questions, seed   int
	atOnce            int
	maxCost           float64
	noCache           bool
}

func (p *program) makeDatasetCommand() *cobra.Command {
	var f makeFlags
	command := &cobra.Command{
		Use:   "make --out FILE",
		Short: "Draft questions from the collection's own passages with a model, to be reviewed",
		Long: `A model is asked for a question that a passage answers, the answer, and the words that show it; documents take turns.
Kept is only what quotes its page word for word. All are drafts until somebody has reviewed them.`,
		Example: examples("grounded eval dataset make --questions 50 --model gpt-6-luna --max-cost 0.5 --out drafts.jsonl",
			"grounded eval dataset review drafts.jsonl"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.out == "":
				return usageError{needed("--out", "name a file to write the questions to")}
			case f.questions < 1 || f.questions > 10_000:
				return usageError{corpus.Errorf(corpus.ErrInvalid, "--questions is %d; it must be from 1 to 10000", f.questions)}
			}
			if f.maxCost < 0 || f.atOnce < 0 {
				return usageError{corpus.Errorf(corpus.ErrInvalid, "--max-cost and --concurrency must not be below 0")}
			}
			if err := mayWriteNew(f.out); err != nil { // before anything is paid for it
				return err
			}
			c := eval.DraftConfig{Wanted: f.questions, Seed: f.seed, AtOnce: f.atOnce}
			if cmd.Flags().Changed("max-cost") {
				c.MaxCost = &f.maxCost
			}
			if f.known != "" {
				var err error
				if c.Known, err = dataset.Load(f.known); err != nil {
					return err
				}
			}
			return p.withStore(cmd.Context(), func(s *services) error { return p.makeDataset(cmd.Context(), s, f, c) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.out, "out", "", "`file` to write; it must not be there yet")
	flags.StringVar(&f.model, "model", "", "chat `model` that drafts (default: the configured one, or what is there)")
	flags.StringVar(&f.known, "known", "", "dataset `file` whose questions are not drafted again")
	flags.IntVar(&f.questions, "questions", 50, "`number` of questions to keep")
	flags.IntVar(&f.seed, "seed", 1, "`number` that chooses the passages")
	flags.IntVar(&f.atOnce, "concurrency", 0, "calls at once, a `number` (default 1 for local models, else 4)")
	flags.Float64Var(&f.maxCost, "max-cost", 0, "US `dollars` that it may cost")
	flags.BoolVar(&f.noCache, "no-cache", false, "ask even what was asked before with the same words")
	return command
}

func (p *program) makeDataset(ctx context.Context, s *services, f makeFlags, c eval.DraftConfig) (err error) {
	if c.Chat, err = s.chat(ctx, f.model); err != nil {
		return err
	}
	if c.Prompts, err = prompts.Load(s.config.Answer.Prompts); err != nil {
		return err
	}
	c.Shelf, c.Scope, c.Cache = s.store, s.scope(), s.cache(f.noCache)
	observe, done := p.runProgress("drafting")
	c.Observe = observe
	made, err := eval.Draft(ctx, c)
	done()
	if ctx.Err() != nil && c.Cache != "" { // a file would be in the way of the same command
		p.notef("%d of %d drafts so far; the same command goes on from there\n", made.Kept, c.Wanted)
		return err
	}
	if made.Kept > 0 {
		if errors.Is(err, corpus.ErrLimit) {
			err = corpus.Hint(err, "a higher --max-cost and another --out go on where it stopped")
		}
		err = errors.Join(err, writeNew(f.out, func(file *os.File) error { return dataset.Write(file, made.Questions) }))
	}
	if p.json {
		return errors.Join(err, p.printJSON(made))
	}
	if made.Kept > 0 && (err == nil || errors.Is(err, corpus.ErrLimit)) {
		p.printf("%s in %s, from %s\n", count(made.Kept, "draft"), f.out, count(made.Asked, "passage"))
	}
	for _, dropped := range []struct {
		n   int
		why string
	}{
		{made.NoQuote, "quoted what is not on the page"}, {made.Unreadable, "had another form"}, {made.Unclear, "spoke of the passage"},
		{made.Duplicate, "had been asked already"}, {made.Failed, "failed"},
	} {
		if dropped.n > 0 {
			p.printf("%5d %s\n", dropped.n, dropped.why)
		}
	}
	if err == nil && made.Kept < c.Wanted {
		p.notef("fewer than the %d that were wanted: each passage is asked about once; larger models lose fewer\n", c.Wanted)
	}
	if err == nil {
		p.printf("next: grounded eval dataset review %s\n", f.out)
	}
	return err
}
