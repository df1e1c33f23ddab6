package dataset

import (
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
	Path     string         `yaml:"path"` // of a file with tests, in place of one
	Vars     map[string]any `yaml:"vars"`
	Assert   []fooAssert    `yaml:"assert"`
	Metadata map[string]any `yaml:"metadata"`
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
	text, err := readFile(path)
	if err != nil {
		return err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return f.table(path)
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
		if err := f.readDefaults(config.DefaultTest); err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "defaultTest: %w", err)
		}
	}
	return f.tests(config.Tests)
}

// readDefaults reads what all tests have, written where it stands or in a file.
func (f *foo) readDefaults(v any) error {
	name, elsewhere := v.(string)
	if !elsewhere {
		return again(v, &f.defaults)
	}
	text, err := readFile(f.path(name))
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, &f.defaults)
}

// path is that of a file that a configuration names.
func (f *foo) path(name string) string {
	return filepath.Join(f.folder, filepath.FromSlash(strings.TrimPrefix(name, "file://")))
}

// tests reads what a configuration has under tests: cases, files of them, or a mixture.
func (f *foo) tests(v any) error {
	switch v := v.(type) {
	case string:
		return f.named(v)
	case []any:
		for _, one := range v {
			if name, elsewhere := one.(string); elsewhere {
				if err := f.named(name); err != nil {
					return err
				}
				continue
			}
			var t fooTest
			err := again(one, &t)
			switch {
			case err != nil:
			case t.Path != "":
				err = f.named(t.Path)
			default:
				err = f.add(t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return corpus.Errorf(corpus.ErrInvalid, "tests are neither a list nor a file")
}

// fooProgram is a program that makes tests, with or without the function's name.
var fooProgram = regexp.MustCompile(`\.(?:py|[cm]?[jt]s)(?::\w+)?$`)

// named reads test cases from a file, from those that a pattern finds, or from those of a folder.
func (f *foo) named(name string) error {
	switch bare := strings.TrimPrefix(name, "file://"); {
	case strings.Contains(bare, "://"):
		return corpus.Errorf(corpus.ErrInvalid, "tests at %s can't be read; save them to a file", name)
	case fooProgram.MatchString(bare):
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "tests of %s can't be read: it is a program", filepath.Base(bare)), "save what it makes as JSON or YAML, and name that file")
	}
	pattern := f.path(name)
	info, err := os.Stat(pattern)
	folder := err == nil && info.IsDir()
	if folder {
		pattern = filepath.Join(pattern, "*")
	}
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		return corpus.Errorf(corpus.ErrInvalid, "there are no tests at %s", name)
	}
	sort.Strings(paths)
	for _, path := range paths {
		switch ext := strings.ToLower(filepath.Ext(path)); ext {
		case ".csv", ".jsonl", ".json", ".yaml", ".yml":
		default:
			if folder {
				continue
			}
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "tests in %s can't be read", filepath.Base(path)), "save it as CSV, JSON or YAML, and name that file")
		}
		if err := f.file(path, false); err != nil {
			return err
		}
	}
	return nil
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
		values, several := t.Metadata[key].([]any)
		if !several {
			values = []any{t.Metadata[key]}
		}
		for _, v := range values {
			if text, ok := scalar(v); ok {
				q.Tags = addNew(q.Tags, []string{key + "=" + text})
			}
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
	switch kind, _, _ := strings.Cut(a.Type, ":"); kind { // similar:cosine
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
