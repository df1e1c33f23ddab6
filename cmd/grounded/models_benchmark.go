package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"grounded/eval"
	"grounded/eval/report"
)

func (p *program) benchmarkModelsCommand() *cobra.Command {
	var runs []string
	var dataset, out string
	var c eval.ReportConfig
	command := &cobra.Command{
		Use:   "benchmark [--dataset NAME]",
		Short: "Put all models that were measured on a dataset beside each other: quality, cost and latency",
		Long: `Reads the stored evaluation runs, and asks no model: of each model by each arm the run with the most answers counts,
the newest among equal ones. Only runs of the very same questions are compared.`,
		Example: examples("grounded models benchmark", "grounded models benchmark --dataset questions --metric right --out panel.html"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, notes, err := p.panel(runs, dataset, c)
			if err != nil {
				return err
			}
			if out != "" {
				p.notes(notes)
				return p.writeReport(r, out)
			}
			if p.json {
				return p.printJSON(struct {
					eval.Report
					Notes []string `json:"notes"`
				}{r, append([]string{}, notes...)})
			}
			p.printPanel(r)
			p.notes(notes)
			return nil
		},
	}
	runsFlag(command, &runs)
	reportFlags(command, &c)
	command.Flags().StringVar(&dataset, "dataset", "", "`name` of the dataset's file, or its hash (needed where there are several)")
	command.Flags().StringVar(&out, "out", "", "`file` to write with plots and items, .html, .md, .csv or .json")
	return command
}

func (p *program) panel(runs []string, dataset string, c eval.ReportConfig) (eval.Report, []string, error) {
	s, err := p.loadServices()
	if err != nil {
		return eval.Report{}, nil, err
	}
	stored, err := p.runs(s, runs)
	if err != nil {
		return eval.Report{}, nil, err
	}
	return eval.Panel(stored, dataset, c)
}

func (p *program) notes(notes []string) {
	for _, n := range notes {
		p.notef("%s\n", n)
	}
}

func (p *program) printPanel(r eval.Report) {
	p.printf("%s, %s, intervals resample by %s\n\n", r.Header.Dataset, count(r.Header.Questions, "question"), r.Unit)
	t := newTable("", "model", "arm", "answered", r.Metric, "95% interval", "right", "$ a question", "$ a right answer", "first token P50", "total P50/P95/P99", "tokens/s")
	for i, c := range r.Columns {
		score := c.Scores[r.Metric]
		t.add(mark(i), c.Model, c.Arm, fmt.Sprintf("%d of %d", c.Answered(), c.Items), scoreText(score.Mean), interval(score.Interval), scoreText(c.Scores[eval.Right].Mean),
			report.Dollars(c.CostPerQuestion()), orDash(c.PerRight), seconds(c.FirstToken.P50), quantiles(c.Total), rate(c.TokensPerSecond()))
	}
	t.write(p.stdout, p.width())
	p.printTradeOff(r, "$ a question", eval.Column.CostPerQuestion, func(v float64) string { return fmt.Sprintf("$%.3g", v) })
	p.printTradeOff(r, "median time", func(c eval.Column) *float64 { return c.Total.P50 }, func(v float64) string { return fmt.Sprintf("%.2f s", v/1000) })
}

// mark is the letter of a column in a plot: a to z, then A to Z, then a star.
func mark(i int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if i >= len(letters) {
		return "*"
	}
	return letters[i : i+1]
}

// Size of a plot on a terminal, in characters.
const (
	plotColumns = 60
	plotRows    = 12
)

// printTradeOff plots quality against what it takes: up and to the left is better.
func (p *program) printTradeOff(r eval.Report, axis string, takes func(eval.Column) *float64, text func(float64) string) {
	most, best := 0.0, 0.0
	for _, c := range r.Columns {
		if x, y := takes(c), c.Scores[r.Metric].Mean; x != nil && y != nil {
			most, best = max(most, *x), max(best, *y)
		}
	}
	if most == 0 || best == 0 {
		return
	}
	grid := make([][]byte, plotRows)
	for i := range grid {
		grid[i] = []byte(strings.Repeat(" ", plotColumns))
	}
	for i, c := range r.Columns {
		x, y := takes(c), c.Scores[r.Metric].Mean
		if x == nil || y == nil {
			continue
		}
		row, column := plotRows-1-at(*y/best, plotRows), at(*x/most, plotColumns)
		grid[row][beside(grid[row], column)] = mark(i)[0]
	}
	p.printf("\n%s against %s\n", r.Metric, axis)
	for i, line := range grid {
		label := strings.Repeat(" ", 6)
		switch i {
		case 0:
			label = fmt.Sprintf("%6.3f", best)
		case plotRows - 1:
			label = fmt.Sprintf("%6.3f", 0.)
		}
		p.printf("%s │%s\n", label, strings.TrimRight(string(line), " "))
	}
	p.printf("       └%s\n        0%*s\n", strings.Repeat("─", plotColumns), plotColumns-1, text(most))
}

// beside is the nearest column that nothing is in, rather the right one; the same where all are taken.
func beside(line []byte, column int) int {
	for distance := range len(line) {
		for _, at := range []int{column + distance, column - distance} {
			if at >= 0 && at < len(line) && line[at] == ' ' {
				return at
			}
		}
	}
	return column
}

// at is the cell of a share, of so many.
func at(share float64, cells int) int {
	return min(cells-1, int(math.Round(share*float64(cells-1))))
}
