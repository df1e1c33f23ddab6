package dataset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"grounded/analyze"
)

type squadAnswer struct {
	Text  string `json:"text"`
	Start *int   `json:"answer_start"` // in the paragraph, in characters; nil when it is not known
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
		Text   []string `json:"text"`
		Starts []int    `json:"answer_start"`
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
					made.squadQuestion(qa.ID, qa.Question, qa.Answers, qa.Impossible, p.Context, name)
				}
			}
		}
		switch {
		case len(o.QAs) > 0:
			n++
			name := made.paragraph(n, o.cmrcParagraph.ID, o.cmrcParagraph.Context)
			for _, qa := range o.QAs {
				made.squadQuestion(qa.ID, qa.Question, squadAnswers(qa.Answers, nil), false, o.cmrcParagraph.Context, name)
			}
		case o.Question != "":
			name, known := contexts[o.Context]
			if !known {
				n++
				name = made.paragraph(n, "", o.Context)
				contexts[o.Context] = name
			}
			made.squadQuestion(o.ID, o.Question, squadAnswers(o.Answers.Text, o.Answers.Starts), len(o.Answers.Text) == 0, o.Context, name)
		}
		return nil
	})
	return made, err
}

// squadAnswers puts texts together with where they begin, as far as that is known.
func squadAnswers(texts []string, starts []int) []squadAnswer {
	answers := make([]squadAnswer, len(texts))
	for i, text := range texts {
		answers[i].Text = text
		if i < len(starts) {
			answers[i].Start = &starts[i]
		}
	}
	return answers
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

// squadQuestion adds a question. Its quote is the sentence with the first answer that the paragraph holds.
func (i *Imported) squadQuestion(id, question string, answers []squadAnswer, impossible bool, paragraph, document string) {
	q := Question{ID: id, Question: strings.TrimSpace(question), Answerable: !impossible}
	quote := ""
	for _, given := range answers {
		text := strings.TrimSpace(given.Text)
		if text == "" || impossible {
			continue
		}
		if !slices.Contains(q.Answers, text) {
			q.Answers = append(q.Answers, text)
		}
		if quote == "" {
			quote = sentenceWith(paragraph, text, given.Start)
		}
	}
	if !impossible {
		q.Evidence = []Evidence{{Document: document, Page: 1, Quote: quote}}
	}
	i.Questions = append(i.Questions, q)
}

// sentenceWith returns the sentence of a paragraph with an answer that begins at a character of it; the answer alone, when
// no one sentence has it or, the start being wrong or unknown, several could; and "" when the paragraph does not hold it.
func sentenceWith(paragraph, answer string, start *int) string {
	if !strings.Contains(paragraph, answer) {
		return ""
	}
	at := -1
	if start != nil {
		at = byteOffset(paragraph, *start)
	}
	if at < 0 || !strings.HasPrefix(paragraph[at:], answer) {
		if at = strings.Index(paragraph, answer); at != strings.LastIndex(paragraph, answer) {
			return answer
		}
	}
	for _, s := range analyze.Sentences(paragraph) {
		if s.Start <= at && at+len(answer) <= s.End {
			return paragraph[s.Start:s.End]
		}
	}
	return answer
}

// byteOffset is where the nth character of a text begins, counted from 0; -1 when there are not so many.
func byteOffset(text string, n int) int {
	for at := range text {
		if n == 0 {
			return at
		}
		n--
	}
	return -1
}
