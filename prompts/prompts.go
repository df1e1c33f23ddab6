package prompts

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"grounded/corpus"
)

// The prompts.
const (
	Plain         = "plain"          // the question alone; with examples it is the few-shot prompt
	Grounded      = "grounded"       // the question with passages
	GroundedSmall = "grounded-small" // the same for models that lose long instructions
	Rewrite       = "rewrite"        // a conversation and its last question, to one question that stands alone
	Abstain       = "abstain"        // not a prompt: what is answered instead of asking a model, a block a language
	JudgePair     = "judge-pair"     // which of two answers is better
	JudgeSupport  = "judge-support"  // which sentences passages support
	Draft         = "draft"          // a question that a passage answers
)

// Names lists all templates.
func Names() []string { return append(AnswerNames(), JudgePair, JudgeSupport, Draft) }

// AnswerNames lists those that answers are made with.
func AnswerNames() []string { return []string{Plain, Grounded, GroundedSmall, Rewrite, Abstain} }

// Roles of a message.
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
)

// Message is a turn of a conversation.
type Message struct {
	Role    string
	Content string
}

const extension = ".tmpl"

//go:embed templates/*.tmpl
var builtin embed.FS

// Set holds the templates. It is safe for concurrent use.
type Set struct {
	templates map[string]*template.Template
	versions  map[string]string
}

// Load reads the built-in templates, and in their place those that dir holds as NAME.tmpl; dir may be empty.
// A file in dir that ends in .tmpl under any other name, does not parse, lacks a block or uses what is not
// there fails with corpus.ErrInvalid that names file and line.
func Load(dir string) (*Set, error) {
	s := &Set{templates: map[string]*template.Template{}, versions: map[string]string{}}
	for _, name := range Names() {
		text, err := builtin.ReadFile("templates/" + name + extension)
		if err != nil {
			return nil, err
		}
		if err := s.add(name, name+extension, string(text)); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return s, nil
	}
	files, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read prompts: %w", err), "make the folder or leave the setting out")
	case err != nil:
		return nil, corpus.Errorf(corpus.ErrUnavailable, "read prompts: %w", err)
	}
	for _, file := range files {
		name, ours := strings.CutSuffix(file.Name(), extension)
		if !ours || file.IsDir() {
			continue
		}
		path := filepath.Join(dir, file.Name())
		if !slices.Contains(Names(), name) {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read prompt %s: there is no prompt %q", path, name),
				"a prompt is replaced by a file of its name: "+strings.Join(Names(), ", "))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, corpus.Errorf(corpus.ErrUnavailable, "read prompt: %w", err)
		}
		if err := s.add(name, path, string(text)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Version returns the first 12 hex digits of the SHA-256 of a template's text, or "" for a name that is none.
func (s *Set) Version(name string) string { return s.versions[name] }

// add parses one file and tries it out, so that a mistake is found when it is loaded and not when it is asked.
func (s *Set) add(name, path, text string) error {
	t, err := template.New(path).Option("missingkey=error").Parse(text)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "parse prompt: %w", err)
	}
	if t.Tree != nil && !parse.IsEmptyTree(t.Root) {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "parse prompt %s: there is text outside of a block", path),
			`put all text between {{define "system"}} and {{end}}, or {{define "user"}} and {{end}}`)
	}
	blocks := []string{RoleSystem, RoleUser}
	if name == Abstain {
		blocks = []string{fallbackLanguage}
	}
	for _, block := range blocks {
		if t.Lookup(block) == nil {
			return corpus.Errorf(corpus.ErrInvalid, "parse prompt %s: block %q is missing", path, block)
		}
	}
	for _, block := range t.Templates() {
		if block.Name() == path {
			continue
		}
		for _, sample := range samples() {
			if err := block.Execute(&strings.Builder{}, sample); err != nil {
				return corpus.Errorf(corpus.ErrInvalid, "try prompt: %w", err)
			}
		}
	}
	sum := sha256.Sum256([]byte(text))
	s.templates[name], s.versions[name] = t, hex.EncodeToString(sum[:6])
	return nil
}

func samples() []View {
	full := newView(Data{
		Question: "q", Language: "de", History: []Message{{RoleUser, "u"}, {RoleAssistant, "a"}},
		Passages: []corpus.Passage{
			{Document: "d", Title: "t", PageStart: 1, PageEnd: 2, Heading: "h", Text: "x"},
			{Document: "d", PageStart: 1, PageEnd: 1, Text: "x"},
		},
		Answers: []string{"a", "b"}, Accepted: []string{"a"}, Sentences: []string{"s"},
	})
	return []View{full, newView(Data{Question: "q"})}
}

func (s *Set) block(name, block string, view View) (string, error) {
	t := s.templates[name]
	if t == nil {
		return "", corpus.Errorf(corpus.ErrInvalid, "render prompt: there is no prompt %q", name)
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, block, view); err != nil {
		return "", corpus.Errorf(corpus.ErrInvalid, "render prompt %s: %w", name, err)
	}
	return strings.TrimSpace(b.String()), nil
}
