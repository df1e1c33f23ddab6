package report

import (
	_ "embed"
	"html/template"
	"io"

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
		"Report": r, "Created": r.Header.Created.UTC().Format("2006-01-02 15:04 MST"), "Title": title(r), "Embeddings": r.Header.Embedding.Model,
		"Summary": summary(r), "Overview": overview(r), "Figures": figures(r), "Settings": settings(r), "Tables": tables(r), "MostHarmed": mostHarmed,
		"Style": template.CSS(style), "Script": template.JS(script), "Items": items(r),
	})
}

// title names the dataset, and of runs beside each other which is compared with which.
func title(r eval.Report) string {
	text := "Evaluation of " + r.Header.Dataset
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
