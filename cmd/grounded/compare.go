package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/corpus"
	"grounded/wire"
)

func (p *program) compareCommand() *cobra.Command {
	var flags search
	var models, arms []string
	var examplesFile string
	command := &cobra.Command{
		Use:   "compare QUESTION",
		Short: "Answer one question with and without the documents, by one or more models, side by side",
		Example: examples(`grounded compare "How many days of leave do I have?"`,
			`grounded compare --models gpt-6-luna,smollm2 --arms plain,grounded "…"`,
			`grounded compare --json "…"`),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkArms(arms...); err != nil {
				return err
			}
			q, err := flags.question(cmd, args[0])
			if err != nil {
				return err
			}
			q.Models, q.Arms = models, arms
			return p.withEngine(cmd.Context(), mustExist, examplesFile, func(e engine, collection string) error {
				q.Collection = collection
				return p.compare(cmd.Context(), e, q)
			})
		},
	}
	remote(command)
	flags.flags(command)
	command.Flags().StringSliceVar(&models, "models", nil, "chat models, `ids` of `grounded models` (default: the configured one, or what is there)")
	command.Flags().StringSliceVar(&arms, "arms", []string{answer.ArmPlain, answer.ArmGrounded}, "`ways` to answer: plain, few-shot, grounded")
	command.Flags().StringVar(&examplesFile, "examples", "", "`file` of {question, answer} for the few-shot arm")
	return command
}

func (p *program) compare(ctx context.Context, e engine, q wire.Question) error {
	comparison, err := e.compare(ctx, q)
	if err != nil {
		return err
	}
	failed := 0
	for _, a := range comparison.Answers {
		if a.Error != nil {
			failed++
		}
	}
	if p.json {
		err = p.printJSON(comparison)
	} else {
		p.tabulate(comparison)
	}
	if err == nil && failed > 0 {
		err = corpus.Errorf(corpus.ErrUnavailable, "%d of %s failed", failed, count(len(comparison.Answers), "answer"))
	}
	return err
}

// tabulate prints the answers side by side as far as the terminal is wide, each column with its figures.
func (p *program) tabulate(c wire.Comparison) {
	cells := c.Answers
	width := p.width()
	if width == 0 {
		width = 100
	}
	p.printf("%s\n\n", c.Question)
	perRow := max(1, min(len(cells), width/36))
	for len(cells) > 0 {
		row := cells[:min(perRow, len(cells))]
		cells = cells[len(row):]
		p.tabulateRow(row, (width-3*(len(row)-1))/len(row))
	}
}

func (p *program) tabulateRow(cells []wire.ComparedAnswer, width int) {
	columns := make([][][]string, len(cells)) // by cell, by section, lines
	for i, c := range cells {
		columns[i] = cellSections(c, width)
	}
	for section := range columns[0] {
		height := 0
		for _, column := range columns {
			height = max(height, len(column[section]))
		}
		for y := range height {
			var line []string
			for _, column := range columns {
				text := ""
				if y < len(column[section]) {
					text = column[section][y]
				}
				line = append(line, runewidth.FillRight(text, width))
			}
			p.printf("%s\n", strings.TrimRight(strings.Join(line, " │ "), " "))
		}
		if height > 0 {
			rule := make([]string, len(cells))
			for i := range rule {
				rule[i] = strings.Repeat("─", width)
			}
			p.printf("%s\n", strings.Join(rule, "─┼─"))
		}
	}
	p.printf("\n")
}

// cellSections are the lines of a column: its name, the answer, the citations, the figures.
func cellSections(a wire.ComparedAnswer, width int) [][]string {
	head := []string{runewidth.Truncate(a.Model+" · "+a.Arm, width, "…")}
	if a.Error != nil {
		return [][]string{head, wrap("failed: "+*a.Error, width), nil, nil}
	}
	var sources []string
	for _, citation := range a.Citations {
		sources = append(sources, wrap(fmt.Sprintf("[%d] %s%s (%s)", citation.Marker, citation.Document, pageOf(citation, " p."), verdict(citation)), width)...)
	}
	if n := len(a.Unsupported); n > 0 {
		sources = append(sources, wrap(fmt.Sprintf("! %s not supported by the documents", count(n, "sentence")), width)...)
	}
	var lines []string
	if u := a.Usage; u.PromptTokens != nil && u.CompletionTokens != nil {
		lines = append(lines, fmt.Sprintf("%d + %d tokens, %s", *u.PromptTokens, *u.CompletionTokens, cost(a.Answer)))
	} else {
		lines = append(lines, cost(a.Answer))
	}
	lines = append(lines, fmt.Sprintf("first token %s, total %s", seconds(a.Timings.FirstTokenMS), seconds(a.Timings.TotalMS)))
	return [][]string{head, wrap(strings.TrimSpace(a.Text), width), sources, lines}
}
