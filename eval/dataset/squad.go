package dataset

import (
	"encoding/json"
	"fmt"
	"strings"
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
	QAs     []struct {
		ID       string   `json:"query_id"`
		Question string   `json:"query_text"`
		Answers  []string `json:"answers"`
	} `json:"qas"`
}

// squadObject is one of the forms that these data sets come in: all articles in one object, a paragraph of CMRC 2018's
// own form, or a question with its context, as Hugging Face exports them.
type squadObject struct {
	Data []struct {
		Paragraphs []squadParagraph `json:"paragraphs"`
	} `json:"data"`
	cmrcParagraph
	ID       string `json:"id"`
	Context  string `json:"context"`
	Question string `json:"question"`
	Answers  struct {
		Text []string `json:"text"`
	} `json:"answers"`
}

func importSQuAD(path string) (Imported, error) {
	made := Imported{Documents: map[string]string{}}
	n := 0
	contexts := map[string]string{} // documents by their text
	err := eachObject(path, func(object json.RawMessage) error {
		var o squadObject
		if err := json.Unmarshal(object, &o); err != nil {
			return err
		}
		for _, article := range o.Data {
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
		switch {
		case len(o.QAs) > 0:
			n++
			name := made.paragraph(n, o.cmrcParagraph.ID, o.cmrcParagraph.Context)
			for _, qa := range o.QAs {
				made.squadQuestion(qa.ID, qa.Question, qa.Answers, false, o.cmrcParagraph.Context, name)
			}
		case o.Question != "":
			name, known := contexts[o.Context]
			if !known {
				n++
				name = made.paragraph(n, "", o.Context)
				contexts[o.Context] = name
			}
			made.squadQuestion(o.ID, o.Question, o.Answers.Text, len(o.Answers.Text) == 0, o.Context, name)
		}
		return nil
	})
	return made, err
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
