package dataset

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"grounded/corpus"
)

// columns are the names that a CSV file's header may have, for what they mean. Rows of one id are one question with
// several answers and pieces of evidence. answers and tags may hold several, divided by "|".
var columns = map[string]string{
	"id": "id", "no": "id", "no.": "id", "nr": "id", "nr.": "id", "number": "id", "#": "id", "question": "question", "query": "question", "user_input": "question",
	"answer": "answers", "answers": "answers", "ground_truth": "answers", "truth": "answers", "reference": "answers",
	"document": "document", "file": "document", "source": "document", "page": "page", "quote": "quote",
	"answerable": "answerable", "tag": "tags", "tags": "tags",
}

// truths are how spreadsheets write whether a question can be answered, in the languages that the project speaks.
var truths = map[string]bool{
	"true": true, "yes": true, "y": true, "1": true, "wahr": true, "ja": true, "vrai": true, "oui": true, "verdadero": true, "sí": true, "是": true,
	"false": false, "no": false, "n": false, "0": false, "falsch": false, "nein": false, "faux": false, "non": false, "falso": false, "否": false,
}

func importCSV(path string) (Imported, error) {
	var made Imported
	t, err := readTable(path)
	if err != nil {
		return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
	}
	meaning, err := made.meanings(t.header)
	if err != nil {
		return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
	}
	at := map[string]int{}
	var faults []string
	for _, row := range t.rows {
		q, err := csvQuestion(row, meaning)
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %s", row.line, err))
			continue
		}
		i, again := at[q.ID]
		if !again {
			at[q.ID] = len(made.Questions)
			made.Questions = append(made.Questions, q)
			continue
		}
		first := &made.Questions[i]
		if first.Question != q.Question || first.Answerable != q.Answerable {
			faults = append(faults, fmt.Sprintf("line %d: another question has the id %q", row.line, q.ID))
			continue
		}
		first.Answers = addNew(first.Answers, q.Answers)
		first.Tags = addNew(first.Tags, q.Tags)
		first.Evidence = append(first.Evidence, q.Evidence...)
	}
	if len(faults) > 0 {
		return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %s", path, listed(faults))
	}
	return made, nil
}

// meanings says what each column of a header is, "" for one that is nothing here.
func (i *Imported) meanings(header []string) ([]string, error) {
	meaning := make([]string, len(header))
	there := map[string]bool{}
	var quoted []string
	for n, name := range header {
		name = strings.TrimSpace(name)
		quoted = append(quoted, strconv.Quote(name))
		meaning[n] = columns[strings.ReplaceAll(strings.ToLower(name), " ", "_")]
		if meaning[n] == "" {
			i.warnf("The column %q has no meaning here and is left out.", name)
		} else if there[meaning[n]] {
			return nil, corpus.Errorf(corpus.ErrInvalid, "two columns are the %s", meaning[n])
		}
		there[meaning[n]] = true
	}
	if !there["question"] {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "no column is the question; the columns are %s", strings.Join(quoted, ", ")),
			"the first line names the columns: id, question, answers, document, page, quote, answerable, tags; only question is needed")
	}
	return meaning, nil
}

func csvQuestion(row tableRow, meaning []string) (Question, error) {
	q := Question{ID: fmt.Sprint(row.line), Answerable: true}
	var e Evidence
	for i, cell := range row.cells {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		if i >= len(meaning) {
			return q, fmt.Errorf("there are %d cells and %d columns; put a cell that has the delimiter in quotation marks", len(row.cells), len(meaning))
		}
		switch meaning[i] {
		case "id":
			q.ID = cell
		case "question":
			q.Question = cell
		case "answers":
			q.Answers = addNew(nil, strings.Split(cell, "|"))
		case "tags":
			q.Tags = addNew(nil, strings.Split(cell, "|"))
		case "document":
			e.Document = cell
		case "quote":
			e.Quote = cell
		case "page":
			n, err := strconv.Atoi(cell)
			if err != nil || n < 1 {
				return q, fmt.Errorf("page %q is not a number from 1", cell)
			}
			e.Page = n
		case "answerable":
			truth, known := truths[strings.ToLower(cell)]
			if !known {
				return q, fmt.Errorf("answerable is %q; write true or false", cell)
			}
			q.Answerable = truth
		}
	}
	if e != (Evidence{}) {
		q.Evidence = []Evidence{e}
	}
	if p := q.problem(); p != "" {
		return q, errors.New(p)
	}
	return q, nil
}

// addNew appends what is not there yet and not blank.
func addNew(list, more []string) []string {
	for _, s := range more {
		s = strings.TrimSpace(s)
		known := s == ""
		for _, old := range list {
			known = known || old == s
		}
		if !known {
			list = append(list, s)
		}
	}
	return list
}
