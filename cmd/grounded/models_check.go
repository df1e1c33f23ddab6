package main

import (
	"time"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/model"
)

func (p *program) checkModelsCommand() *cobra.Command {
	var day string
	command := &cobra.Command{
		Use:     "check",
		Short:   "Find entries of the catalog that are older than a year, and models that their provider retires",
		Example: examples("grounded models check", "grounded models check --day 2027-06-01"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			at := time.Now()
			if day != "" {
				var err error
				if at, err = time.Parse(time.DateOnly, day); err != nil {
					return usageError{corpus.Errorf(corpus.ErrInvalid, "--day %q is not a date such as 2026-01-31", day)}
				}
			}
			return p.checkModels(at)
		},
	}
	command.Flags().StringVar(&day, "day", "", "`date` to look from (default today)")
	return command
}

func (p *program) checkModels(day time.Time) error {
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	findings := s.catalog.Check(day)
	if p.json {
		err = p.printJSON(map[string]any{"models": len(s.catalog.All()), "findings": append([]model.Finding{}, findings...)})
	} else {
		for _, f := range findings {
			p.printf("%s: %s\n", f.Model, f.Text)
		}
		p.printf("%s, %s\n", count(len(s.catalog.All()), "model"), count(len(findings), "finding"))
	}
	stale := 0
	for _, f := range findings {
		if f.Kind == "old" || f.Kind == "retired" {
			stale++
		}
	}
	if err == nil && stale > 0 {
		err = corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s of the catalog to look up again", count(stale, "figure")),
			"write the new figures, with their date and source, into your own catalog (models.catalog): they go before the shipped ones")
	}
	return err
}
