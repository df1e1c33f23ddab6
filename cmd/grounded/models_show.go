package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/report"
	"grounded/model"
)

func (p *program) showModelCommand() *cobra.Command {
	var runs []string
	command := &cobra.Command{
		Use:     "show MODEL",
		Short:   "Show a model's card, and what was measured of it here",
		Example: examples("grounded models show smollm2", "grounded models show gpt-6-luna --json", "grounded models show smollm2 --runs old-runs"),
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.showModel(cmd.Context(), args[0], runs) },
	}
	runsFlag(command, &runs)
	remote(command)
	return command
}

func runsFlag(command *cobra.Command, runs *[]string) {
	command.Flags().StringSliceVar(runs, "runs", nil, "`folders` of evaluation runs, or with runs in them (default runs below the data folder, and those asked for over HTTP)")
}

// runs reads the stored evaluation runs, and names those that can't be read.
func (p *program) runs(s *services, given []string) ([]eval.Stored, error) {
	folders := given
	if len(folders) == 0 {
		folders = []string{filepath.Join(s.config.Data, "runs"), evaluations(s.config)}
	}
	for _, folder := range given {
		if _, err := os.Stat(folder); err != nil {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "--runs: %w", err), "name the folder of a run, or one with runs in it")
		}
	}
	runs, problems, err := eval.LoadAll(folders...)
	for _, problem := range problems {
		p.notef("%s\n", problem)
	}
	return runs, err
}

// showModel shows a card. What was measured is told of this machine's runs only.
func (p *program) showModel(ctx context.Context, id string, folders []string) error {
	known, err := p.cards()
	if err != nil {
		return err
	}
	c, err := known.Model(ctx, id)
	if err != nil {
		return err
	}
	base := "http://127.0.0.1:8080"
	var measured []eval.Measured
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	url := s.config.Server.URL
	switch {
	case url != "" && len(folders) > 0:
		return usageError{corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "--runs does not work with a server"), `runs are read on this machine: add --server ""`)}
	case url != "":
		base = strings.TrimSuffix(url, "/")
	default:
		runs, err := p.runs(s, folders)
		if err != nil {
			return err
		}
		if measured, err = eval.Measure(runs, id); err != nil {
			return err
		}
	}
	samples := model.Samples(c, base)
	if p.json {
		return p.printJSON(struct {
			model.Card
			Samples  map[string]string `json:"samples"`
			Measured []eval.Measured   `json:"measured"`
		}{c, samples, append([]eval.Measured{}, measured...)})
	}
	p.printCard(c)
	if url == "" {
		p.printMeasured(c, measured)
	}
	for _, name := range []string{"curl", "python"} {
		if text := samples[name]; text != "" {
			p.printf("\n%s\n", indented(text))
		}
	}
	return nil
}

func (p *program) printCard(c model.Card) {
	name := c.Name
	if name == "" {
		name = c.ID
	}
	p.printf("%s (%s)\n\n", name, c.ID)
	if c.Card != "" {
		p.printf("%s\n\n", strings.Join(wrap(oneLine(c.Card), 90), "\n"))
	}
	rows := [][2]string{
		{"provider", c.Provider}, {"deployment", orUnknown(c.Deployment)}, {"tasks", strings.Trim(fmt.Sprint(c.Tasks), "[]")},
		{"kind", orUnknown(c.Access)}, {"license", license(c)}, {"architecture", orUnknown(c.Architecture)},
		{"parameters", number(int(c.Parameters))}, {"languages", orUnknown(strings.Join(c.Languages, ", "))},
		{"context", contextLength(c)}, {"dimensions", dimensions(c)}, {"trained on", orUnknown(c.Data)}, {"limits", orUnknown(c.Limits)},
	}
	rows = append(rows, priceRows(c)...)
	rows = append(rows, [2]string{"facts", orUnknown(c.Facts.Source) + dated(c.Facts.Date)}, [2]string{"served until", c.Retires})
	if l := c.Lineage; l != nil {
		rows = append(rows, [2]string{"made of", l.Base}, [2]string{"dataset", strings.TrimSpace(l.Dataset + " " + l.DatasetHash)}, [2]string{"adapter", l.Adapter},
			[2]string{"job", l.Job}, [2]string{"made", l.Created}, [2]string{"settings", pairs(l.Hyperparameters)}, [2]string{"training", pairs(l.Metrics)})
	}
	rows = append(rows, [2]string{"key", c.APIKeyEnv}, [2]string{"link", c.Link})
	for _, row := range rows {
		if row[1] != "" {
			p.printf("%-13s %s\n", row[0], strings.Join(wrap(row[1], 90), "\n              "))
		}
	}
}

// priceRows lists what is known, and what matters for the model's tasks and is not known.
func priceRows(c model.Card) (rows [][2]string) {
	known := false
	for _, row := range []struct {
		name    string
		dollars *float64
		matters bool
		unit    string
	}{
		{"price in", c.Price.In, c.Does(model.TaskChat) || c.Does(model.TaskEmbedding), "a million tokens"},
		{"price out", c.Price.Out, c.Does(model.TaskChat), "a million tokens"},
		{"price minute", c.Price.Minute, c.Does(model.TaskTranscription), "a minute"},
		{"price search", c.Price.Search, false, "a search"},
		{"price image", c.Price.Image, false, "a picture"},
		{"training", c.Price.Training, false, "a million tokens"},
	} {
		switch {
		case row.dollars != nil:
			known = true
			rows = append(rows, [2]string{row.name, fmt.Sprintf("$%s %s", price(row.dollars), row.unit)})
		case row.matters:
			rows = append(rows, [2]string{row.name, "unknown"})
		}
	}
	if known {
		rows = append(rows, [2]string{"price from", c.Price.Source + dated(c.Price.Date)})
	}
	return rows
}

func contextLength(c model.Card) string {
	if c.Context == 0 {
		return "unknown"
	}
	return number(c.Context) + " tokens"
}

func dated(day string) string {
	if day == "" {
		return ""
	}
	return ", read " + day
}

func dimensions(c model.Card) string {
	if !c.Does(model.TaskEmbedding) {
		return ""
	}
	return number(c.Dimensions)
}

func (p *program) printMeasured(c model.Card, measured []eval.Measured) {
	switch {
	case len(measured) > 0:
	case c.Does(model.TaskChat):
		p.printf("\nnothing was measured of it here; grounded eval run --models %s does\n", c.ID)
		return
	case c.Does(model.TaskEmbedding):
		p.printf("\ngrounded eval retrieval measures what is found with it\n")
		return
	default:
		return
	}
	p.printf("\nmeasured here\n")
	t := newTable("dataset", "run", "arm", "answered", "f1", "95% interval", "right", "first token P50/P95/P99", "total P50/P95/P99", "tokens/s", "$ a question", "$ a right answer", "harmed")
	for _, m := range measured {
		t.add(m.Dataset, m.Run, m.Arm, fmt.Sprintf("%d of %d", m.Answered, m.Items), scoreText(m.F1.Mean), interval(m.F1.Interval), scoreText(m.Right.Mean),
			quantiles(m.FirstToken), quantiles(m.Total), rate(m.TokensPerSecond), report.Dollars(m.PerQuestion), orDash(m.PerRight), harm(m))
	}
	t.write(p.stdout, p.width())
}

func quantiles(q eval.Quantiles) string {
	if q.P50 == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f/%.2f/%.2f s", *q.P50/1000, *q.P95/1000, *q.P99/1000)
}

func rate(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", *v)
}

// pairs lists the entries of a map by name.
func pairs[T any](m map[string]T) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s %v", name, m[name]))
	}
	return strings.Join(list, ", ")
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// orDash shows a cost; a dash is one that can't be told, as when nothing was right.
func orDash(v *float64) string {
	if v == nil {
		return "–"
	}
	return report.Dollars(v)
}

// harm shows how many answers the documents turned wrong, and which share that is of those that were right without.
func harm(m eval.Measured) string {
	if m.Harmed == nil {
		return "–"
	}
	return fmt.Sprintf("%d (rate %s)", *m.Harmed, scoreText(m.HarmRate))
}
