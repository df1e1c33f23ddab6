package dataset

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"

	"grounded/corpus"
)

// foo reads test cases of promptfoo.
type foo struct {
	made     Imported
	folder   string
	defaults fooTest
	skipped  map[string]int // kinds of assertion that are no accepted answer
	several  int            // tests that demand several things of an answer
}

type fooTest struct {
	Description string         `yaml:"description"`
	Vars        map[string]any `yaml:"vars"`
	Assert      []fooAssert    `yaml:"assert"`
	Metadata    map[string]any `yaml:"metadata"`
}

type fooAssert struct {
	Type   string      `yaml:"type"`
	Value  any         `yaml:"value"`
	Assert []fooAssert `yaml:"assert"` // of an assert-set
}

// importPromptfoo reads a configuration, or a file of test cases in YAML, JSON, JSON Lines or CSV. What an answer must
// contain, equal or be similar to is an accepted answer.
func importPromptfoo(path string) (Imported, error) {
	f := &foo{folder: filepath.Dir(path), skipped: map[string]int{}}
	if err := f.file(path, true); err != nil {
		return f.made, corpus.Errorf(corpus.ErrInvalid, "import dataset %s: %w", path, err)
	}
	kinds := slices.Sorted(maps.Keys(f.skipped))
	for _, kind := range kinds {
		f.made.warnf("%d assertions of the type %q say nothing about accepted answers and are left out.", f.skipped[kind], kind)
	}
	if f.several > 0 {
		f.made.warnf("%d tests demand several things of an answer; here each of them alone is an accepted answer.", f.several)
	}
	return f.made, nil
}

// file reads test cases; a configuration only at the top, so that no file names itself.
func (f *foo) file(path string, top bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return f.table(text)
	case ".jsonl":
		return eachLine(path, func(line string) error {
			var t fooTest
			if err := yaml.Unmarshal([]byte(line), &t); err != nil {
				return err
			}
			return f.add(t)
		})
	}
	var list []fooTest
	if yaml.Unmarshal(text, &list) == nil && list != nil {
		return f.addAll(list)
	}
	var config struct {
		Tests       any   `yaml:"tests"`
		DefaultTest any   `yaml:"defaultTest"`
		Scenarios   []any `yaml:"scenarios"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s", yaml.FormatError(err, false, false))
	}
	if !top || config.Tests == nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there are no tests in %s", filepath.Base(path)), "name a promptfoo configuration with tests, or a file of test cases")
	}
	if len(config.Scenarios) > 0 {
		f.made.warnf("%d scenarios are left out.", len(config.Scenarios))
	}
	if config.DefaultTest != nil {
		if err := again(config.DefaultTest, &f.defaults); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "defaultTest: %w", err)
		}
	}
	return f.tests(config.Tests)
}

// tests reads what a configuration has under tests: cases, files of them, or a mixture.
func (f *foo) tests(v any) error {
	switch v := v.(type) {
	case string:
		name := strings.TrimPrefix(v, "file://")
		if strings.Contains(name, "://") {
			return corpus.Errorf(corpus.ErrInvalid, "tests at %s can't be read; save them to a file", v)
		}
		paths, err := filepath.Glob(filepath.Join(f.folder, filepath.FromSlash(name)))
		if err != nil || len(paths) == 0 {
			return corpus.Errorf(corpus.ErrInvalid, "there are no tests at %s", v)
		}
		sort.Strings(paths)
		for _, path := range paths {
			switch ext := strings.ToLower(filepath.Ext(path)); ext {
			case ".csv", ".jsonl", ".json", ".yaml", ".yml":
			default:
				return corpus.Errorf(corpus.ErrInvalid, "tests in %s can't be read: %s is a program or another format", filepath.Base(path), ext)
			}
			if err := f.file(path, false); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for _, one := range v {
			if _, name := one.(string); name {
				if err := f.tests(one); err != nil {
					return err
				}
				continue
			}
			var t fooTest
			if err := again(one, &t); err != nil {
				return err
			}
			if err := f.add(t); err != nil {
				return err
			}
		}
		return nil
	}
	return corpus.Errorf(corpus.ErrInvalid, "tests are neither a list nor a file")
}

// again decodes what was decoded into any.
func again(v, into any) error {
	text, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

func (f *foo) addAll(list []fooTest) error {
	for _, t := range list {
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// questionVars are the names that a question goes by, the likelier first.
var questionVars = []string{"question", "query", "user_input", "user_question", "user_query", "prompt", "message", "input", "topic"}

// add makes a question of a test case; one whose variable has several values makes one of each.
func (f *foo) add(t fooTest) error {
	vars := map[string]any{}
	maps.Copy(vars, f.defaults.Vars)
	maps.Copy(vars, t.Vars)
	name := ""
	for _, likely := range questionVars {
		if _, there := vars[likely]; there {
			name = likely
			break
		}
	}
	if name == "" && len(vars) == 1 {
		for only := range vars {
			name = only
		}
	}
	number := len(f.made.Questions) + 1
	if name == "" {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "test %d: none of its variables is the question", number), "name the variable "+questionVars[0])
	}
	q := Question{Answerable: true}
	demands := 0
	for _, a := range slices.Concat(f.defaults.Assert, t.Assert) {
		before := len(q.Answers)
		f.assert(&q, a, vars)
		demands += min(1, len(q.Answers)-before)
	}
	if demands > 1 {
		f.several++
	}
	if !q.Answerable {
		q.Answers = nil
	}
	for _, key := range slices.Sorted(maps.Keys(t.Metadata)) {
		if text, ok := t.Metadata[key].(string); ok {
			q.Tags = addNew(q.Tags, []string{key + "=" + text})
		}
	}
	values, several := vars[name].([]any)
	if !several {
		values = []any{vars[name]}
	}
	for _, v := range values {
		text, ok := scalar(v)
		if !ok {
			return corpus.Errorf(corpus.ErrInvalid, "test %d: its question %s is no text (%v); write it into the test", number, name, v)
		}
		q.ID, q.Question = fmt.Sprintf("q%03d", len(f.made.Questions)+1), strings.TrimSpace(text)
		f.made.Questions = append(f.made.Questions, q)
	}
	return nil
}

// assert takes from an assertion what answers are accepted.
func (f *foo) assert(q *Question, a fooAssert, vars map[string]any) {
	switch a.Type {
	case "equals", "contains", "icontains", "iequals", "similar", "factuality", "model-graded-factuality", "contains-any", "icontains-any", "rouge-n", "bleu", "levenshtein", "starts-with":
		values, several := a.Value.([]any)
		if !several {
			values = []any{a.Value}
			if text, ok := a.Value.(string); ok && strings.HasSuffix(a.Type, "-any") {
				values = nil
				for part := range strings.SplitSeq(text, ",") {
					values = append(values, part)
				}
			}
		}
		for _, v := range values {
			if text, ok := scalar(v); ok {
				q.Answers = addNew(q.Answers, []string{filled(text, vars)})
			} else {
				f.skipped[a.Type]++
			}
		}
	case "is-refusal":
		q.Answerable = false
	case "assert-set":
		for _, inner := range a.Assert {
			f.assert(q, inner, vars)
		}
	default:
		f.skipped[a.Type]++
	}
}

// scalar writes a text, number or truth value; files and programs are none.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil, []any, map[string]any:
		return "", false
	case string:
		return v, !strings.HasPrefix(v, "file://")
	}
	return fmt.Sprint(v), true
}

var fooVariable = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// filled puts variables into a text; one that is not there stays.
func filled(text string, vars map[string]any) string {
	return fooVariable.ReplaceAllStringFunc(text, func(m string) string {
		if v, ok := scalar(vars[fooVariable.FindStringSubmatch(m)[1]]); ok {
			return v
		}
		return m
	})
}

// fooExpected is how an assertion is written in a cell: "contains: x", "similar(0.8): x".
var fooExpected = regexp.MustCompile(`^(?:not-)?([a-z][a-z-]*)(?:\([^)]*\))?:\s*(?s)(.*)$`)

// fooTypes are promptfoo's assertions; any other word before a colon belongs to the expected text.
var fooTypes = strings.Fields(`equals contains contains-all contains-any contains-json contains-html contains-sql contains-xml icontains icontains-all
	icontains-any iequals regex starts-with is-html is-json is-sql is-xml is-refusal javascript python ruby webhook rouge-n bleu gleu levenshtein
	latency meteor perplexity perplexity-score cost is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call guardrails
	finish-reason similar classifier moderation llm-rubric g-eval answer-relevance context-faithfulness context-recall context-relevance
	conversation-relevance factuality model-graded-factuality model-graded-closedqa pi select-best max-score human grade fn eval file word-count`)

// table reads CSV: a column a variable, and __expected, __expected1, … for assertions.
func (f *foo) table(text []byte) error {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows) == 0 {
		return err
	}
	for _, row := range rows[1:] {
		t := fooTest{Vars: map[string]any{}, Metadata: map[string]any{}}
		for i, cell := range row {
			column := strings.TrimSpace(rows[0][i])
			switch tag, isTag := strings.CutPrefix(column, "__metadata:"); {
			case strings.TrimSpace(cell) == "":
			case strings.HasPrefix(column, "__expected"):
				t.Assert = append(t.Assert, expected(strings.TrimSpace(cell)))
			case isTag:
				t.Metadata[tag] = cell
			case strings.HasPrefix(column, "__"):
			default:
				t.Vars[column] = cell
			}
		}
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// expected reads an assertion in a cell; what has no type must be equal.
func expected(cell string) fooAssert {
	m := fooExpected.FindStringSubmatch(cell)
	switch {
	case m == nil || !slices.Contains(fooTypes, m[1]):
		if cell == "is-refusal" {
			return fooAssert{Type: cell}
		}
		return fooAssert{Type: "equals", Value: cell}
	case strings.HasPrefix(cell, "not-"):
		return fooAssert{Type: "not-" + m[1], Value: m[2]}
	}
	return fooAssert{Type: m[1], Value: m[2]}
}
