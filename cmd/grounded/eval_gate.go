package main

import (
	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
)

func (p *program) evalGateCommand() *cobra.Command {
	var c eval.ReportConfig
	var baseline string
	var limits eval.GateLimits
	command := &cobra.Command{
		Use:   "gate RUN --baseline RUN",
		Short: "Fail when a run is worse than a baseline, for continuous integration",
		Long: `Each model and arm of the baseline is compared with the same of the run, on the questions that both have. It fails
when a score is worse by more than --max-drop and chance can't explain it, or when more answers are missing or failed
than --max-failed allows. What too few questions can't tell is named, and passes.`,
		Example: examples("grounded eval gate .grounded/runs/today --baseline .grounded/runs/release --max-drop 0.02"),
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if baseline == "" {
				return usageError{needed("--baseline", "name the folder of the run to compare with")}
			}
			before, old, err := eval.Load(baseline)
			if err != nil {
				return err
			}
			after, items, err := eval.Load(args[0])
			if err != nil {
				return err
			}
			lines, err := eval.Gate(before, old, after, items, c, limits)
			if err != nil {
				return err
			}
			return p.printGate(lines)
		},
	}
	reportFlags(command, &c)
	command.Flags().StringVar(&baseline, "baseline", "", "`folder` of the run to compare with")
	command.Flags().Float64Var(&limits.MaxDrop, "max-drop", 0, "how much worse a score may be, on a scale from 0 to 1")
	command.Flags().Float64Var(&limits.MaxFailed, "max-failed", 0, "`share` of the answers that may be missing or failed beyond the baseline's")
	return command
}

func (p *program) printGate(lines []eval.GateLine) error {
	failed := 0
	t := newTable("", "model", "arm", "before", "now", "difference", "95% interval", "verdict", "why")
	for _, l := range lines {
		word := "pass"
		if l.Failed {
			failed++
			word = "FAIL"
		}
		t.add(word, l.Model, l.Arm, scoreText(l.Before), scoreText(l.Now), signedText(l.Difference), interval(l.Interval), string(l.Verdict), l.Why)
	}
	if p.json {
		if err := p.printJSON(map[string]any{"failed": failed > 0, "columns": lines}); err != nil {
			return err
		}
	} else {
		t.write(p.stdout, p.width())
	}
	if failed > 0 {
		return corpus.Errorf(corpus.ErrConflict, "%d of %s got worse, or lack answers", failed, count(len(lines), "column"))
	}
	return nil
}
