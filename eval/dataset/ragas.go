package dataset

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/model"
)

// ragasRow is a sample of RAGAS: of a test set or of an evaluation, by the names of version 0.1 (question, ground_truth,
// contexts) or of those after it.
type ragasRow struct {
	UserInput         json.RawMessage `json:"user_input"` // a text, or the messages of a conversation
	Question          string          `json:"question"`
	Reference         string          `json:"reference"`
	GroundTruth       json.RawMessage `json:"ground_truth"` // a text or a list
	GroundTruths      []string        `json:"ground_truths"`
	ReferenceContexts []string        `json:"reference_contexts"`
	Contexts          []string        `json:"contexts"` // what was found, when there is an answer; else what the question was made from
	Answer            string          `json:"answer"`
	Response          string          `json:"response"`
	Synthesizer       string          `json:"synthesizer_name"`
	Evolution         string          `json:"evolution_type"`
	Metadata          json.RawMessage `json:"metadata"`
}

// importRAGAS reads JSON Lines, a JSON array, or CSV. Contexts that a question was made from become documents, one each,
// unless the metadata names the file.
func importRAGAS(path string) (Imported, error) {
	made := Imported{Documents: map[string]string{}}
	var rows []ragasRow
	var err error
	if strings.HasSuffix(strings.ToLower(path), ".csv") {
		rows, err = ragasCSV(path, &made)
	} else {
		err = eachObject(path, func(object json.RawMessage) error {
			var row ragasRow
			err := json.Unmarshal(object, &row)
			rows = append(rows, row)
			return err
		})
	}
	if err != nil {
		return made, corpus.Hint(err, cmp.Or(corpus.HintOf(err), "save the test set with to_jsonl or to_csv"))
	}
	answered := 0
	for i, row := range rows {
		q, err := row.read(&made)
		if err != nil {
			return made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s, sample %d: %w", path, i+1, err)
		}
		q.ID = fmt.Sprintf("q%03d", i+1)
		if row.Answer != "" || row.Response != "" {
			answered++
		}
		made.Questions = append(made.Questions, q)
	}
	if answered > 0 {
		made.warnf("%d samples have the answer of a model and what it retrieved; both are left out, since a run makes its own.", answered)
	}
	return made, nil
}

func (r ragasRow) read(made *Imported) (Question, error) {
	q := Question{Question: strings.TrimSpace(r.Question), Answerable: true}
	if len(r.UserInput) > 0 {
		if err := q.converse(r.UserInput); err != nil {
			return q, err
		}
	}
	q.Answers = addNew(nil, append(r.GroundTruths, r.Reference))
	if len(r.GroundTruth) > 0 {
		var one string
		var several []string
		if json.Unmarshal(r.GroundTruth, &one) != nil && json.Unmarshal(r.GroundTruth, &several) != nil {
			return q, corpus.Errorf(corpus.ErrInvalid, "ground_truth is neither a text nor a list of texts")
		}
		q.Answers = addNew(q.Answers, append(several, one))
	}
	q.Tags = addNew(nil, []string{r.Synthesizer, r.Evolution})
	contexts := r.ReferenceContexts
	if len(contexts) == 0 && r.Answer == "" && r.Response == "" {
		contexts = r.Contexts
	}
	if files := r.files(); len(files) > 0 {
		for _, f := range files {
			q.Evidence = append(q.Evidence, Evidence{Document: f})
		}
		return q, nil
	}
	for _, c := range contexts {
		if c = hopMark.ReplaceAllString(strings.TrimSpace(c), ""); c != "" {
			name := "context-" + shortHash(c) + ".txt"
			made.Documents[name] = c
			q.Evidence = append(q.Evidence, Evidence{Document: name})
		}
	}
	return q, nil
}

// hopMark is what RAGAS puts before contexts of a question that needs several.
var hopMark = regexp.MustCompile(`^<\d+-hop>\s*`)

// files are what version 0.1 knows the contexts to be from.
func (r ragasRow) files() (names []string) {
	var entries []struct {
		FileName string `json:"file_name"`
		Filename string `json:"filename"`
		Source   string `json:"source"`
	}
	if json.Unmarshal(r.Metadata, &entries) != nil {
		return nil
	}
	for _, e := range entries {
		for _, name := range []string{e.FileName, e.Filename, e.Source} {
			if name = strings.TrimSpace(name); name != "" {
				if name = name[strings.LastIndexAny(name, `/\`)+1:]; !slices.Contains(names, name) {
					names = append(names, name)
				}
				break
			}
		}
	}
	return names
}

// converse reads a text, or a conversation whose last message of a person is the question.
func (q *Question) converse(input json.RawMessage) error {
	var text string
	if json.Unmarshal(input, &text) == nil {
		if text != "" {
			q.Question = strings.TrimSpace(text)
		}
		return nil
	}
	var turns []struct{ Content, Type string }
	if err := json.Unmarshal(input, &turns); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "user_input is neither a text nor a list of messages")
	}
	for _, t := range turns {
		switch t.Type {
		case "human":
			q.History = append(q.History, model.Message{Role: "user", Content: t.Content})
		case "ai":
			q.History = append(q.History, model.Message{Role: "assistant", Content: t.Content})
		}
	}
	for len(q.History) > 0 && q.History[len(q.History)-1].Role != "user" {
		q.History = q.History[:len(q.History)-1] // what is to be answered anew
	}
	if n := len(q.History); n > 0 {
		q.Question, q.History = strings.TrimSpace(q.History[n-1].Content), q.History[:n-1]
	}
	return nil
}

// ragasCSV reads the columns that hold texts. Those that hold lists are written as Python writes them.
func ragasCSV(path string, made *Imported) (list []ragasRow, err error) {
	t, err := readTable(path)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
	}
	for _, name := range t.header {
		if strings.HasSuffix(name, "contexts") {
			made.warnf("The contexts in the column %q are left out; a file saved with to_jsonl keeps them.", name)
		}
	}
	for _, row := range t.rows {
		var r ragasRow
		for i, cell := range row.cells[:min(len(row.cells), len(t.header))] {
			switch t.header[i] {
			case "user_input", "question":
				r.Question = cell
			case "reference", "ground_truth":
				r.Reference = cell
			case "synthesizer_name":
				r.Synthesizer = cell
			case "evolution_type":
				r.Evolution = cell
			case "answer", "response":
				r.Answer = cell
			}
		}
		list = append(list, r)
	}
	return list, nil
}
