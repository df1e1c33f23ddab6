package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/report"
)

func (p *program) evalReportCommand() *cobra.Command {
	var c eval.ReportConfig
	var out string
	command := &cobra.Command{
		Use:   "report RUN…",
		Short: "Write a report of a run, or of several beside each other: HTML, Markdown, CSV or JSON by the file's name",
		Example: examples("grounded eval report .grounded/runs/questions --out report.html",
			"grounded eval report before after --out compared.md", "grounded eval report RUN --out items.csv"),
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := mergedReport(args, c)
			if err != nil {
				return err
			}
			return p.writeReport(r, out)
		},
	}
	reportFlags(command, &c)
	labelsFlag(command, &c)
	command.Flags().StringVar(&out, "out", "", "`file` to write, .html, .md, .csv or .json; without it Markdown, or with --json JSON, is printed")
	return command
}

// mergedReport reports on one run, or on several beside each other.
func mergedReport(folders []string, c eval.ReportConfig) (eval.Report, error) {
	if len(folders) == 1 {
		return loadReport(folders[0], c)
	}
	if c.Labels != nil {
		return eval.Report{}, usageError{corpus.Errorf(corpus.ErrInvalid, "--labels are of one run, not of %d", len(folders))}
	}
	runs := make([]eval.Stored, len(folders))
	taken := map[string]bool{}
	for i, folder := range folders {
		name := filepath.Base(folder)
		if taken[name] {
			name = folder
		}
		if taken[name] {
			return eval.Report{}, usageError{corpus.Errorf(corpus.ErrInvalid, "the run %s is named twice", folder)}
		}
		taken[name] = true
		var err error
		if runs[i], err = eval.LoadStored(name, folder); err != nil {
			return eval.Report{}, err
		}
	}
	return eval.ReportOn(runs, c)
}

func (p *program) writeReport(r eval.Report, out string) error {
	if out == "" {
		if p.json {
			return p.printJSON(r)
		}
		return report.Markdown(p.stdout, r)
	}
	var write func(io.Writer, eval.Report) error
	switch strings.ToLower(filepath.Ext(out)) {
	case ".html", ".htm":
		write = report.HTML
	case ".md":
		write = report.Markdown
	case ".csv":
		write = report.CSV
	case ".json":
		write = report.JSON
	default:
		return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "a report can't be written as %s", filepath.Base(out)), "name a file that ends in .html, .md, .csv or .json")}
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".report-*")
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write report: %w", err)
	}
	defer os.Remove(f.Name())
	if err := write(f, r); err != nil {
		return corpus.Errorf(corpus.ErrUnavailable, "write report: %w", err)
	}
	if err := f.Close(); err != nil {
		return corpus.Errorf(corpus.ErrFull, "write report: %w", err)
	}
	if err := os.Rename(f.Name(), out); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write report: %w", err)
	}
	p.notef("report in %s\n", out)
	return nil
}
