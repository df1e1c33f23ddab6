package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/report"
	"grounded/model"
)

func (p *program) adviseCommand() *cobra.Command {
	var runs []string
	var dataset, weights string
	var c eval.ReportConfig
	var w eval.Wanted
	var latency string
	command := &cobra.Command{
		Use:   "advise",
		Short: "Name the model that is worth most by what matters to you, or say that the figures can't tell",
		Long: `Weighs quality against cost and latency, as shares of the dearest and of the slowest candidate, question by question, and
compares what comes out pair by pair. A model is only named when it is better than every other by more than chance.`,
		Example: examples("grounded models advise --weights quality=3,cost=1,latency=1",
			"grounded models advise --weights quality=1 --license open --max-latency 3s --arms grounded"),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if w.Weights, err = parseWeights(weights); err != nil {
				return usageError{err}
			}
			if w.MaxLatencyMS, err = parseLatency(latency); err != nil {
				return usageError{err}
			}
			if w.License == "open" || w.License == "proprietary" {
				w.Access, w.License = w.License, ""
			}
			w.Rule = c.Rule
			if err := eval.CheckArms(w.Arms); err != nil {
				return usageError{err}
			}
			r, notes, err := p.panel(runs, dataset, c)
			if err != nil {
				return err
			}
			advice, err := eval.Advise(r, w)
			if err != nil {
				return err
			}
			s, err := p.loadServices()
			if err != nil {
				return err
			}
			return p.printAdvice(advice, append(notes, retirements(advice, s.catalog.Check(time.Now()))...))
		},
	}
	runsFlag(command, &runs)
	reportFlags(command, &c)
	flags := command.Flags()
	flags.StringVar(&dataset, "dataset", "", "`name` of the dataset's file, or its hash (needed where there are several)")
	flags.StringVar(&weights, "weights", "quality=3,cost=1,latency=1", "what matters, as `names and numbers`")
	flags.StringVar(&latency, "max-latency", "", "longest `time` to the whole answer for 95 of 100 questions, such as 3s")
	flags.Float64Var(&w.MaxCostUSD, "max-cost", 0, "most US `dollars` that a question may cost")
	flags.StringVar(&w.License, "license", "", "open, proprietary, or a `text` in the license")
	flags.StringSliceVar(&w.Arms, "arms", nil, "only these `ways` to answer (default plain, few-shot and grounded)")
	return command
}

// retirements are the candidates that their providers no longer serve, or soon won't.
func retirements(a eval.Advice, findings []model.Finding) (notes []string) {
	for _, f := range findings {
		candidate := slices.ContainsFunc(a.Candidates, func(c eval.Candidate) bool { return c.Model == f.Model })
		if candidate && (f.Kind == "retired" || f.Kind == "retiring") {
			notes = append(notes, f.Model+": "+f.Text)
		}
	}
	return notes
}

// parseWeights reads quality=3,cost=1.
func parseWeights(text string) (w eval.Weights, err error) {
	given := map[string]bool{}
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return w, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--weights %q is no name and number", part), "such as --weights quality=3,cost=1,latency=1")
		}
		if given[name] {
			return w, corpus.Errorf(corpus.ErrInvalid, "--weights names %s twice", name)
		}
		given[name] = true
		switch name {
		case "quality":
			w.Quality = number
		case "cost":
			w.Cost = number
		case "latency":
			w.Latency = number
		default:
			return w, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--weights: there is no %q", name), "the names are quality, cost and latency")
		}
	}
	return w, nil
}

// parseLatency reads a time such as 3s into milliseconds; 0 when there is none.
func parseLatency(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--max-latency %q is no time", text), "such as 3s or 800ms")
	}
	return float64(d.Microseconds()) / 1000, nil
}

func (p *program) printAdvice(a eval.Advice, notes []string) error {
	if p.json {
		return p.printJSON(struct {
			eval.Advice
			Notes []string `json:"notes"`
		}{a, append([]string{}, notes...)})
	}
	p.printf("%s\n", strings.Join(wrap(a.Reason, 100), "\n"))
	if len(a.Candidates) > 0 {
		p.printf("\n")
		t := newTable("model", "arm", "worth", "quality", "$ a question", "P95", "best is better by", "95% interval", "verdict")
		for _, c := range a.Candidates {
			difference, between, verdict := "", "", ""
			if c.Beaten != nil {
				difference, between, verdict = signedText(c.Beaten.Difference), interval(c.Beaten.Interval), string(c.Beaten.Verdict)
			}
			t.add(c.Model, c.Arm, fmt.Sprintf("%.3f", c.Worth), scoreText(c.Quality), report.Dollars(c.CostUSD), seconds(c.TotalMS), difference, between, verdict)
		}
		t.write(p.stdout, p.width())
	}
	for _, e := range a.Excluded {
		p.printf("without %s %s: %s\n", e.Model, e.Arm, e.Why)
	}
	p.notes(notes)
	return nil
}
