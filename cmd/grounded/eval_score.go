package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"grounded/eval"
	"grounded/eval/report"
	"grounded/eval/stat"
)

func (p *program) evalScoreCommand() *cobra.Command {
	var c eval.ReportConfig
	command := &cobra.Command{
		Use:     "score RUN",
		Short:   "Score a run again from what is stored of it, without asking a model",
		Example: examples("grounded eval score .grounded/runs/questions", "grounded eval score --metric right --json RUN"),
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := loadReport(args[0], c)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(r)
			}
			p.printRun(r)
			return nil
		},
	}
	reportFlags(command, &c)
	labelsFlag(command, &c)
	return command
}

func reportFlags(command *cobra.Command, c *eval.ReportConfig) {
	command.Flags().StringVar(&c.Metric, "metric", "", "`score` that columns are compared by: f1, right, exact, contains, … (default f1)")
	command.Flags().Float64Var(&c.Rule.Effect, "effect", 0, "difference that matters; questions that could not show it are too few (default 0.1)")
}

// printRun shows scores, comparisons and what the documents changed.
func (p *program) printRun(r eval.Report) {
	t := newTable("model", "arm", "answered", "exact", "f1", "contains", "right", "declined", "pages cited", "faithful", "cost", "P50", "P95")
	for _, c := range r.Columns {
		mean := func(name string) string { return scoreText(c.Scores[name].Mean) }
		t.add(c.Model, c.Arm, fmt.Sprintf("%d of %d", c.Answered(), c.Items), mean(eval.Exact), mean(eval.F1), mean(eval.Contains),
			mean(eval.Right), mean(eval.Abstained), mean(eval.PagesCited), mean(eval.Faithful), report.Dollars(c.CostUSD), seconds(c.Total.P50), seconds(c.Total.P95))
	}
	t.write(p.stdout, p.width())
	missing := 0
	for _, c := range r.Columns {
		missing += c.Missing
	}
	if missing > 0 {
		p.notef("the run is not whole, at most %s are to come: the same `grounded eval run` goes on\n", count(missing, "item"))
	}
	if len(r.Comparisons) > 0 {
		p.printf("\nby %s, resampled by %s\n", r.Metric, r.Unit)
		t = newTable("compared", "with", "questions", "difference", "95% interval", "p (Holm)", "verdict")
		for _, c := range r.Comparisons {
			verdict := string(c.Verdict)
			if c.Verdict == stat.TooFewQuestions && c.Needed != nil && *c.Needed > c.Questions {
				verdict += fmt.Sprintf(" (about %d would do)", *c.Needed)
			}
			t.add(c.Model+" "+c.Arm, c.Than+" "+c.Beside, fmt.Sprint(c.Questions), signedText(c.Difference), interval(c.Interval), report.Chance(c.PHolm), verdict)
		}
		t.write(p.stdout, p.width())
	}
	for _, g := range r.Grounding {
		p.printGrounding(g)
	}
	p.printJudging(r)
}

func (p *program) printGrounding(g eval.Grounding) {
	p.printf("\nwhat the documents changed for %s, on %s\n", g.Model, count(g.Pairs, "question"))
	t := newTable("", "")
	t.rows = nil
	t.add(fmt.Sprintf("wins, ties, losses (within %g is a tie)", eval.Tie), fmt.Sprintf("%d, %d, %d", g.Wins, g.Ties, g.Losses))
	t.add("harmed: right without, wrong with documents", fmt.Sprintf("%d, rate %s", len(g.Harmed), scoreText(g.HarmRate)))
	t.add("rescued: wrong without, right with documents", fmt.Sprintf("%d, rate %s", len(g.Rescued), scoreText(g.RescueRate)))
	t.add("distance to the right passages", signedText(g.ToOracle))
	t.add("damage by wrong passages", signedText(g.Distracted))
	t.add("declined, of the unanswerable and of the answerable", scoreText(g.DeclinedRightly)+", "+scoreText(g.DeclinedWrongly))
	t.add("added to a question", report.Dollars(g.AddedUSD)+", "+seconds(g.AddedMS))
	t.add("cost of one more right answer", report.Dollars(g.PerRightMore))
	t.write(p.stdout, p.width())
}

func signedText(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%+.3f", *v)
}

// labelsFlag is for commands that show how far judges agree with people.
func labelsFlag(command *cobra.Command, c *eval.ReportConfig) {
	command.Flags().Var(&labels{c}, "labels", "JSONL `file` of what people say of answers; how far judges agree with them is told")
}

// labels is the value of a flag: a file of them.
type labels struct{ config *eval.ReportConfig }

func (f *labels) String() string { return "" }
func (f *labels) Type() string   { return "file" }
func (f *labels) Set(path string) (err error) {
	f.config.Labels, err = eval.LoadLabels(path)
	return err
}
