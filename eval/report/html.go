package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"grounded/eval"
)

//go:embed page.html
var page string

//go:embed page.css
var style string

//go:embed items.js
var script string

// HTML writes a page that needs nothing beside itself: a summary, plots, tables, and every item with its passages and
// citations.
func HTML(w io.Writer, r eval.Report) error {
	t, err := template.New("report").Funcs(template.FuncMap{"harmed": harmed}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"Report": r, "Made": made(r, "2006-01-02 15:04 MST"), "Title": title(r), "Embeddings": r.Header.Embedding.Model,
		"Summary": summary(r), "Overview": overview(r), "Figures": figures(r), "Settings": settings(r), "Tables": tables(r), "MostHarmed": mostHarmed,
		"Style": template.CSS(style), "Script": template.JS(script), "Items": items(r),
	})
}

// made says when the run was begun, or which runs a panel's columns are of: they have no date in common.
func made(r eval.Report, layout string) string {
	if len(r.Panel) > 1 {
		return "runs " + strings.Join(r.Panel, ", ")
	}
	return "begun " + r.Header.Created.UTC().Format(layout)
}

// title names the dataset, and of runs beside each other which is compared with which.
func title(r eval.Report) string {
	text := "Evaluation of " + r.Header.Dataset
	if len(r.Panel) > 1 {
		text = fmt.Sprintf("Panel of %d runs on %s", len(r.Panel), r.Header.Dataset)
	}
	for i, run := range r.Header.Merged {
		switch i {
		case 0:
			text += ": "
		case 1:
			text += " → "
		default:
			text += ", "
		}
		text += run.Name
	}
	return text
}
