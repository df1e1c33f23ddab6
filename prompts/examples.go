package prompts

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"grounded/corpus"
)

// Example is a question with its answer, shown to the model before the real question.
type Example struct {
	Question string `json:"question" yaml:"question"`
	Answer   string `json:"answer" yaml:"answer"`
}

// LoadExamples reads examples from a file: a YAML list of {question, answer}, or one JSON object a line when the
// name ends in .jsonl. An unknown key, an empty question or answer, or a file without examples fails with
// corpus.ErrInvalid that names the file and the line or the example.
func LoadExamples(path string) ([]Example, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read examples: %w", err), "name a YAML list or a .jsonl file of questions and answers")
	}
	read := yamlExamples
	if strings.HasSuffix(strings.ToLower(path), ".jsonl") {
		read = jsonExamples
	}
	examples, err := read(text)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read examples %s: %w", path, err)
	}
	if len(examples) == 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read examples %s: there are none", path)
	}
	for i, e := range examples {
		if strings.TrimSpace(e.Question) == "" || strings.TrimSpace(e.Answer) == "" {
			return nil, corpus.Errorf(corpus.ErrInvalid, "read examples %s: example %d lacks its question or its answer", path, i+1)
		}
	}
	return examples, nil
}

func yamlExamples(text []byte) ([]Example, error) {
	var examples []Example
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&examples)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return examples, corpus.Hint(err, "write a list of\n- question: …\n  answer: …")
}

func jsonExamples(text []byte) ([]Example, error) {
	var examples []Example
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e Example
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err := d.Decode(&e)
		if err == nil && d.More() {
			err = errors.New("there is more than one value")
		}
		if err != nil {
			return nil, corpus.Errorf(corpus.ErrInvalid, "line %d: %w", i+1, err)
		}
		examples = append(examples, e)
	}
	return examples, nil
}
