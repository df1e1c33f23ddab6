package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"grounded/corpus"
)

// columns are the names that a CSV file's header may have, for what they mean. Rows of one id are one question with
// several answers and pieces of evidence. answers and tags may hold several, divided by "|".
var columns = map[string]string{
	"id": "id", "question": "question", "query": "question", "user_input": "question",
	"answer": "answers", "answers": "answers", "ground_truth": "answers", "truth": "answers", "reference": "answers",
	"document": "document", "file": "document", "source": "document", "page": "page", "quote": "quote",
	"answerable": "answerable", "tag": "tags", "tags": "tags",
}

func importCSV(path string) (Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		return Imported{}, corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	defer f.Close()
	rows := csv.NewReader(f)
	if strings.HasSuffix(strings.ToLower(path), ".tsv") {
		rows.Comma, rows.LazyQuotes = '\t', true
	}
	header, err := rows.Read()
	if err != nil {
		return Imported{}, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: read the header: %w", path, err)
	}
	var made Imported
	meaning := make([]string, len(header))
	there := map[string]bool{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		meaning[i] = columns[strings.ReplaceAll(name, " ", "_")]
		if meaning[i] == "" {
			made.warnf("The column %q has no meaning here and is left out.", name)
		} else if there[meaning[i]] {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: two columns are the %s", path, meaning[i])
		}
		there[meaning[i]] = true
	}
	if !there["question"] {
		return made, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "import dataset %s: no column is the question", path),
			"the first line names the columns: id, question, answers, document, page, quote, answerable, tags; only question is needed")
	}
	at := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return made, nil
		}
		if err != nil {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
		}
		number, _ := rows.FieldPos(0)
		q, err := csvQuestion(row, meaning, number)
		if err != nil {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s, line %d: %w", path, number, err)
		}
		i, again := at[q.ID]
		if !again {
			at[q.ID] = len(made.Questions)
			made.Questions = append(made.Questions, q)
			continue
		}
		first := &made.Questions[i]
		if first.Question != q.Question || first.Answerable != q.Answerable {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s, line %d: another question has the id %q", path, number, q.ID)
		}
		first.Answers = addNew(first.Answers, q.Answers)
		first.Tags = addNew(first.Tags, q.Tags)
		first.Evidence = append(first.Evidence, q.Evidence...)
	}
}

func csvQuestion(row, meaning []string, line int) (Question, error) {
	q := Question{ID: fmt.Sprint(line), Answerable: true}
	var e Evidence
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
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
			switch strings.ToLower(cell) {
			case "true", "yes", "1":
			case "false", "no", "0":
				q.Answerable = false
			default:
				return q, fmt.Errorf("answerable is %q; write true or false", cell)
			}
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
