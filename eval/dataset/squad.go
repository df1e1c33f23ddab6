package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"grounded/corpus"
)

type squadAnswer struct {
	Text string `json:"text"`
}

type squadParagraph struct {
	ID      string `json:"id"` // CMRC only
	Context string `json:"context"`
	QAs     []struct {
		ID         string        `json:"id"`
		Question   string        `json:"question"`
		Answers    []squadAnswer `json:"answers"`
		Impossible bool          `json:"is_impossible"` // SQuAD 2.0
	} `json:"qas"`
}

// cmrcParagraph is of CMRC 2018's own form, a flat list.
type cmrcParagraph struct {
	ID      string `json:"context_id"`
	Context string `json:"context_text"`
	Title   string `json:"title"`
	QAs     []struct {
		ID       string   `json:"query_id"`
		Question string   `json:"query_text"`
		Answers  []string `json:"answers"`
	} `json:"qas"`
}

func importSQuAD(path string) (Imported, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Imported{}, corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	made := Imported{Documents: map[string]string{}}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		var list []cmrcParagraph
		if err := json.Unmarshal(text, &list); err != nil {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
		}
		for i, p := range list {
			name := made.paragraph(i+1, p.ID, p.Context)
			for _, qa := range p.QAs {
				made.squadQuestion(qa.ID, qa.Question, qa.Answers, false, p.Context, name)
			}
		}
		return made, nil
	}
	var set struct {
		Data []struct {
			Title      string           `json:"title"`
			Paragraphs []squadParagraph `json:"paragraphs"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
	}
	n := 0
	for _, article := range set.Data {
		for _, p := range article.Paragraphs {
			n++
			name := made.paragraph(n, p.ID, p.Context)
			for _, qa := range p.QAs {
				var answers []string
				for _, a := range qa.Answers {
					answers = append(answers, a.Text)
				}
				made.squadQuestion(qa.ID, qa.Question, answers, qa.Impossible, p.Context, name)
			}
		}
	}
	return made, nil
}

// paragraph makes a document of a paragraph and returns its name.
func (i *Imported) paragraph(number int, id, text string) string {
	name := fmt.Sprintf("%05d.txt", number)
	if id != "" {
		name = fileName(id)
	}
	i.Documents[name] = text
	return name
}

// squadQuestion adds a question. Its quote is the first answer that the paragraph holds.
func (i *Imported) squadQuestion(id, question string, answers []string, impossible bool, paragraph, document string) {
	q := Question{ID: id, Question: strings.TrimSpace(question), Answerable: !impossible}
	quote := ""
	for _, a := range answers {
		a = strings.TrimSpace(a)
		if a == "" || impossible {
			continue
		}
		known := false
		for _, b := range q.Answers {
			known = known || a == b
		}
		if !known {
			q.Answers = append(q.Answers, a)
		}
		if quote == "" && strings.Contains(paragraph, a) {
			quote = a
		}
	}
	if !impossible {
		q.Evidence = []Evidence{{Document: document, Page: 1, Quote: quote}}
	}
	i.Questions = append(i.Questions, q)
}
