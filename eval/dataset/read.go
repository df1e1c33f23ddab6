package dataset

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"grounded/corpus"
	"grounded/model"
)

const (
	longestLine = 16 << 20 // bytes
	mostFaults  = 20       // that are listed of a file
)

// Load reads a dataset from a file.
func Load(path string) ([]Question, error) {
	if err := notFolder(path); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read dataset: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read dataset: %w", err)
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads JSONL; blank lines are passed over. What is wrong with any line, up to 20 of them, is in one
// corpus.ErrInvalid that gives name, line and reason.
func Read(r io.Reader, name string) ([]Question, error) {
	var questions []Question
	var faults []string
	seen := map[string]int{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) == 0 {
			continue
		}
		if len(seen)+len(faults) == 0 && line[0] != '{' {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read dataset %s: it is not JSON Lines: line %d begins with %q", name, n, beginning(line)),
				"`grounded eval dataset import --format csv` makes a dataset of a table, and reads other formats")
		}
		q, err := parseLine(line)
		switch first, double := seen[q.ID]; {
		case err != nil:
			faults = append(faults, fmt.Sprintf("line %d: %s", n, err))
		case double:
			faults = append(faults, fmt.Sprintf("line %d: the id %q is also that of line %d", n, q.ID, first))
		default:
			seen[q.ID] = n
			questions = append(questions, q)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read dataset %s, line %d: %w", name, n+1, err)
	}
	if len(faults) > 0 {
		return nil, faulty(name, faults)
	}
	if len(questions) == 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read dataset %s: there are no questions", name)
	}
	return questions, nil
}

func faulty(name string, faults []string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read dataset %s: %s", name, listed(faults)),
		`a line is {"id": "q1", "question": "…", "answers": ["…"], "evidence": [{"document": "a.pdf", "page": 3, "quote": "…"}], "answerable": true, "tags": [], "history": []};`+
			"\n`grounded eval dataset import` reads other formats")
}

// listed is up to 20 of the faults, a line each, and how many there are besides.
func listed(faults []string) string {
	more := ""
	if n := len(faults) - mostFaults; n > 0 {
		faults, more = faults[:mostFaults], fmt.Sprintf("\nand %d more", n)
	}
	return strings.Join(faults, "\n") + more
}

// line is a question as it is written: what may be left out can be told from what is empty.
type line struct {
	ID       json.RawMessage `json:"id"`
	Question string          `json:"question"`
	Answers  []string        `json:"answers"`
	Evidence []struct {
		Document string   `json:"document"`
		Page     *int     `json:"page"`
		Quote    string   `json:"quote"`
		Grade    *float64 `json:"grade"`
	} `json:"evidence"`
	Answerable *bool           `json:"answerable"`
	Tags       []string        `json:"tags"`
	History    []model.Message `json:"history"`
	Draft      bool            `json:"draft"`
}

func parseLine(text []byte) (Question, error) {
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Question{}, readable(err)
	}
	if decoder.More() {
		return Question{}, fmt.Errorf("there is something behind the object")
	}
	q := Question{Question: l.Question, Answers: l.Answers, Answerable: true, Tags: l.Tags, History: l.History, Draft: l.Draft}
	if err := json.Unmarshal(l.ID, &q.ID); err != nil && len(l.ID) > 0 {
		var number json.Number
		if err := json.Unmarshal(l.ID, &number); err != nil {
			return Question{}, fmt.Errorf("the id is neither a string nor a number")
		}
		q.ID = number.String()
	}
	if l.Answerable != nil {
		q.Answerable = *l.Answerable
	}
	for _, e := range l.Evidence {
		kept := Evidence{Document: e.Document, Quote: e.Quote}
		if e.Page != nil {
			if *e.Page < 1 {
				return q, fmt.Errorf("page %d of %s: pages count from 1", *e.Page, e.Document)
			}
			kept.Page = *e.Page
		}
		if e.Grade != nil {
			if *e.Grade <= 0 {
				return q, fmt.Errorf("grade %g of %s: a grade is above 0; leave out what is not relevant", *e.Grade, e.Document)
			}
			kept.Grade = *e.Grade
		}
		q.Evidence = append(q.Evidence, kept)
	}
	if p := q.problem(); p != "" {
		return q, fmt.Errorf("%s", p)
	}
	return q, nil
}

// beginning is the first characters of a line.
func beginning(line []byte) string {
	const shown = 30
	runes := []rune(strings.ToValidUTF8(string(line[:min(len(line), 4*shown)]), ""))
	return string(runes[:min(len(runes), shown)])
}

// readable says what is wrong about JSON in its own words, not in those of the types that it is read into.
func readable(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
	case strings.HasPrefix(err.Error(), "json: "):
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	default:
		return err
	}
	if wrong.Field == "" {
		return fmt.Errorf("it is %s and no object", foundName(wrong.Value))
	}
	return fmt.Errorf("%s is %s; it must be %s", wrong.Field, foundName(wrong.Value), jsonName(wrong.Type))
}

// foundName is how JSON's users call what json.UnmarshalTypeError calls by a word, or by a word and the value.
func foundName(value string) string {
	switch word, number, _ := strings.Cut(value, " "); word {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	case "number":
		return cmp.Or(number, "a number")
	default:
		return "a " + word
	}
}

// jsonName is how JSON's users call what a Go type is read from.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "an object"
}

// Write writes JSONL.
func Write(w io.Writer, questions []Question) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, q := range questions {
		q.Answers, q.Evidence, q.Tags = append([]string{}, q.Answers...), append([]Evidence{}, q.Evidence...), append([]string{}, q.Tags...)
		q.History = append([]model.Message{}, q.History...)
		if err := encoder.Encode(q); err != nil {
			return err
		}
	}
	return nil
}
