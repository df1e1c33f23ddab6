package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"unicode/utf8"

	"grounded/eval"
)

//go:embed page.html
var page string

//go:embed items.js
var script string

// longestPassage is how much of a passage's text is in the page, in bytes.
const longestPassage = 900

// HTML writes a page that needs nothing beside itself: tables, plots, and every item with its passages and citations.
func HTML(w io.Writer, r eval.Report) error {
	t, err := template.New("report").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"Report": r, "Created": r.Header.Created.Format("2006-01-02 15:04 MST"),
		"Tables": tables(r), "Plots": plots(r), "Script": template.JS(script), "Items": items(r),
	})
}

// listing is what the page's script shows. Texts of passages are there once, by chunk id.
type listing struct {
	Columns   []string          `json:"columns"`
	Questions []listedQuestion  `json:"questions"`
	Passages  map[string]string `json:"passages"`
}

type listedQuestion struct {
	ID         string       `json:"id"`
	Question   string       `json:"question"`
	Answers    []string     `json:"answers"`
	Evidence   []string     `json:"evidence"`
	Answerable bool         `json:"answerable"`
	Tags       []string     `json:"tags"`
	Items      []listedItem `json:"items"`
}

type listedItem struct {
	Column   int              `json:"column"`
	Text     string           `json:"text"`
	Error    string           `json:"error,omitempty"`
	Outcome  string           `json:"outcome"`
	Scores   map[string]any   `json:"scores"`
	Passages []listedPassage  `json:"passages,omitempty"`
	Cited    []listedCitation `json:"cited,omitempty"`
}

type listedPassage struct {
	Chunk    string `json:"chunk"`
	Place    string `json:"place"`
	Evidence bool   `json:"evidence,omitempty"`
}

type listedCitation struct {
	Marker   int    `json:"marker"`
	Quote    string `json:"quote"`
	Verified bool   `json:"verified"`
}

func items(r eval.Report) listing {
	l := listing{Passages: map[string]string{}}
	for _, c := range r.Columns {
		l.Columns = append(l.Columns, c.Model+" · "+c.Arm)
	}
	for _, q := range r.Questions() {
		listed := listedQuestion{ID: q.ID, Question: q.Question, Answers: q.Answers, Answerable: q.Answerable, Tags: q.Tags}
		for _, e := range q.Evidence {
			listed.Evidence = append(listed.Evidence, place(e.Document, e.Page, e.Page))
		}
		for n, c := range r.Columns {
			if item, scores, ok := c.Item(q.ID); ok {
				listed.Items = append(listed.Items, l.item(n, item, scores))
			}
		}
		l.Questions = append(l.Questions, listed)
	}
	return l
}

func (l *listing) item(column int, i eval.Item, scores eval.Scores) listedItem {
	listed := listedItem{Column: column, Error: i.Error, Outcome: outcome(i, scores), Scores: map[string]any{}}
	for _, name := range []string{eval.F1, eval.Exact, eval.PagesCited, eval.Faithful, eval.TotalMS} {
		if v, ok := scores[name]; ok {
			listed.Scores[name] = json.Number(number(&v))
		}
	}
	if i.Answer == nil {
		return listed
	}
	listed.Text = i.Answer.Text
	for _, c := range i.Answer.Citations {
		listed.Cited = append(listed.Cited, listedCitation{c.Marker, string(c.Quote), c.Verified})
	}
	for _, p := range i.Answer.Passages {
		id := string(p.ChunkID)
		if _, there := l.Passages[id]; !there {
			l.Passages[id] = cut(p.Text)
		}
		listed.Passages = append(listed.Passages, listedPassage{id, place(p.Document, p.PageStart, p.PageEnd), eval.HasEvidence(p, i.Question)})
	}
	return listed
}

func outcome(i eval.Item, s eval.Scores) string {
	right, judged := s[eval.Right]
	switch {
	case i.Answer == nil:
		return "failed"
	case judged && right == 1:
		return "right"
	case i.Answer.Abstained:
		return "declined"
	case judged:
		return "wrong"
	}
	return "not judged"
}

// cut shortens a long passage, and shows that it did.
func cut(text string) string {
	if len(text) <= longestPassage {
		return text
	}
	end := longestPassage
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + " …"
}

func place(document string, first, last int) string {
	switch {
	case first == 0:
		return document
	case last > first:
		return fmt.Sprintf("%s, pages %d–%d", document, first, last)
	}
	return fmt.Sprintf("%s, page %d", document, first)
}
