package parse

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

func notebookFormat() Format {
	return Format{
		Name: "notebook", Version: 1, MediaType: "application/x-ipynb+json",
		Extensions: []string{".ipynb"},
		Sniff: func(data []byte) bool {
			return bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 64)], " \t\r\n\ufeff"), []byte("{")) &&
				bytes.Contains(data, []byte(`"nbformat"`)) && (bytes.Contains(data, []byte(`"cells"`)) || bytes.Contains(data, []byte(`"worksheets"`)))
		},
		Parse: parseNotebook,
	}
}

// notebook is a Jupyter notebook (nbformat 3 and 4).
type notebook struct {
	Version  int `json:"nbformat"`
	Metadata struct {
		Title   string `json:"title"`
		Authors []struct {
			Name string `json:"name"`
		} `json:"authors"`
		Kernel struct {
			Language string `json:"language"`
		} `json:"kernelspec"`
		Language struct {
			Name string `json:"name"`
		} `json:"language_info"`
	} `json:"metadata"`
	Cells      []notebookCell `json:"cells"`
	Worksheets []struct {
		Cells []notebookCell `json:"cells"`
	} `json:"worksheets"`
}

type notebookCell struct {
	Type     string           `json:"cell_type"`
	Source   notebookText     `json:"source"`
	Input    notebookText     `json:"input"` // instead, of code in nbformat 3
	Level    int              `json:"level"` // of a heading in nbformat 3
	Language string           `json:"language"`
	Outputs  []notebookOutput `json:"outputs"`
}

// notebookText is a text or a list of its lines.
type notebookText string

// UnmarshalJSON reads either; anything else, such as data of a widget, is no text.
func (t *notebookText) UnmarshalJSON(data []byte) error {
	var whole string
	if json.Unmarshal(data, &whole) == nil {
		*t = notebookText(whole)
		return nil
	}
	var lines []string
	if json.Unmarshal(data, &lines) == nil {
		*t = notebookText(strings.Join(lines, ""))
	}
	return nil
}

func parseNotebook(ctx context.Context, in Input) (Document, error) {
	doc := Document{Metadata: map[string]any{}}
	text, err := doc.decode(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	var n notebook
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return Document{}, errorf(Damaged, "The notebook is damaged: it is not valid JSON (%v). It was probably cut off, or has marks of a merge.", err)
	}
	w := notebookWriter{markdown: newMarkdown()}
	for _, sheet := range n.Worksheets {
		n.Cells = append(n.Cells, sheet.Cells...)
	}
	language := firstNonEmpty(n.Metadata.Language.Name, n.Metadata.Kernel.Language)
	for _, c := range n.Cells {
		if ctx.Err() != nil {
			return Document{}, ctx.Err()
		}
		if err := w.cell(c); err != nil {
			return Document{}, err
		}
		language = firstNonEmpty(language, c.Language)
	}
	doc.Title, doc.Pages = n.Metadata.Title, []Page{{Blocks: w.blocks}}
	for _, b := range w.blocks {
		if b.Kind == Heading && doc.Title == "" {
			doc.Title = b.Text
		}
	}
	var authors []string
	for _, a := range n.Metadata.Authors {
		authors = append(authors, a.Name)
	}
	put(doc.Metadata, metaAuthor, strings.Join(authors, ", "))
	put(doc.Metadata, metaProgrammingLanguage, strings.ToLower(language))
	if w.shortened > 0 {
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("%d outputs of its cells are long, and were shortened to %d characters each.", w.shortened, notebookOutputLength))
	}
	return doc, nil
}

func firstNonEmpty(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
