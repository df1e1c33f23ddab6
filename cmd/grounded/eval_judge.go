package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/prompts"
)

// judgeFlags are those of eval judge.
type judgeFlags struct {
	model          string
	pairs          []string
	noSentences    bool
	atOnce         int
	maxCost        float64
	retry, noCache bool
	report         eval.ReportConfig
}

func (p *program) evalJudgeCommand() *cobra.Command {
	var f judgeFlags
	command := &cobra.Command{
		Use:   "judge RUN --judge MODEL",
		Short: "Ask a model which answers of a run are better, and which sentences their passages support",
		Long: `Each pair of answers is judged in both orders. Verdicts that change with the order count as ties; a judge that
changes too many is named and not used. What it says is kept in the run's folder, so that score and report ask nothing.
The same command goes on after a stop.`,
		Example: examples("grounded eval judge .grounded/runs/questions --judge gpt-6-luna --max-cost 1",
			"grounded eval judge RUN --judge gpt-6-luna --pairs grounded:plain,oracle:grounded --labels mine.jsonl"),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.model == "" {
				return usageError{needed("--judge", "name a chat model, preferably none that answered")}
			}
			return p.evalJudge(cmd, args[0], f)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.model, "judge", "", "chat `model` that judges")
	flags.StringSliceVar(&f.pairs, "pairs", []string{answer.ArmGrounded + ":" + answer.ArmPlain}, "`arms` to compare, for each model; ARM:ARM twice the same compares models")
	flags.BoolVar(&f.noSentences, "no-sentences", false, "don't check the sentences of answers")
	flags.IntVar(&f.atOnce, "concurrency", 0, "calls at once, a `number` (default 1 for local models, else 4)")
	flags.Float64Var(&f.maxCost, "max-cost", 0, "US `dollars` that judging the run may cost")
	flags.BoolVar(&f.retry, "retry-errors", false, "ask again what failed or could not be read")
	flags.BoolVar(&f.noCache, "no-cache", false, "ask even what was asked before with the same words")
	reportFlags(command, &f.report)
	labelsFlag(command, &f.report)
	return command
}

func (p *program) evalJudge(cmd *cobra.Command, run string, f judgeFlags) error {
	var pairs [][2]string // nil is the default
	if cmd.Flags().Changed("pairs") {
		var err error
		if pairs, err = eval.ParsePairs(f.pairs); err != nil {
			return usageError{err}
		}
	}
	config, err := p.config()
	if err != nil {
		return err
	}
	s, err := p.services(config)
	if err != nil {
		return err
	}
	c := eval.JudgeConfig{Pairs: pairs, Support: !f.noSentences, AtOnce: f.atOnce, RetryErrors: f.retry, Cache: s.cache(f.noCache)}
	if cmd.Flags().Changed("max-cost") {
		c.MaxCost = &f.maxCost
	}
	err = p.judge(cmd.Context(), s, run, f, c)
	return errors.Join(err, s.supervisor.Close())
}

func (p *program) judge(ctx context.Context, s *services, run string, f judgeFlags, c eval.JudgeConfig) (err error) {
	if c.Chat, err = s.chat(ctx, f.model); err != nil {
		return err
	}
	if c.Prompts, err = prompts.Load(s.config.Answer.Prompts); err != nil {
		return err
	}
	observe, done := p.runProgress("judging")
	c.Observe = observe
	state, err := eval.Judge(ctx, run, c)
	done()
	if err != nil {
		if state.Done > 0 {
			p.notef("%d of %d judgements are there; the same command goes on from there\n", state.Done, state.Total)
		}
		return err
	}
	report, err := loadReport(run, f.report)
	if err != nil {
		return err
	}
	if p.json {
		err = p.printJSON(map[string]any{"judging": report.Judging, "agreement": append([]eval.Agreement{}, report.Agreement...)})
	} else {
		p.printJudging(report)
	}
	if err == nil && state.Failed > 0 {
		err = corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%d of %s failed or can't be read", state.Failed, count(state.Total, "judgement")),
			"they are left out; ask again with --retry-errors, or another judge")
	}
	return err
}

// printJudging shows what judges said, and how far they can be believed.
func (p *program) printJudging(r eval.Report) {
	for _, g := range r.Judging {
		p.printf("\njudged by %s\n", g.Judge)
		if len(g.Pairs) > 0 {
			t := newTable("compared", "with", "questions", "better", "tie", "worse", "flips", "difference", "95% interval", "verdict")
			for _, pair := range g.Pairs {
				verdict := string(pair.Verdict)
				if !pair.Used {
					verdict = "not used: it follows the order"
				}
				t.add(pair.Model+" "+pair.Arm, pair.Than+" "+pair.Beside, fmt.Sprint(pair.Questions), fmt.Sprint(pair.Wins), fmt.Sprint(pair.Ties), fmt.Sprint(pair.Losses),
					percentText(pair.FlipRate), signedText(pair.Difference), interval(pair.Interval), verdict)
			}
			t.write(p.stdout, p.width())
		}
		if len(g.Faithful) > 0 {
			t := newTable("faithful", "", "share of sentences", "95% interval", "answers")
			for _, f := range g.Faithful {
				t.add(f.Model, f.Arm, scoreText(f.Mean.Mean), interval(f.Interval), fmt.Sprintf("%d of %d", f.Scored, f.Items))
			}
			t.write(p.stdout, p.width())
		}
		if g.Unreadable > 0 {
			p.printf("%s failed or could not be read, and left out\n", count(g.Unreadable, "judgement"))
		}
		if g.OtherPrompts > 0 {
			p.printf("%s by another version of the prompt left out; `grounded eval judge` asks again\n", count(g.OtherPrompts, "judgement"))
		}
	}
	if len(r.Agreement) > 0 {
		p.printf("\nagreement with people\n")
		t := newTable("by", "of", "labels", "same", "kappa")
		for _, a := range r.Agreement {
			t.add(a.By, a.Of, fmt.Sprint(a.Labels), fmt.Sprint(a.Same), scoreText(a.Kappa))
		}
		t.write(p.stdout, p.width())
	}
	if r.LabelsOfNothing > 0 {
		p.notef("%s of sentences or pairs that were not judged\n", count(r.LabelsOfNothing, "label"))
	}
}

func percentText(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f%%", *v*100)
}
