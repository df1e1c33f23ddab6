package ocr

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"grounded/corpus"
)

// Engine is a tesseract and the languages that it reads. The zero value reads nothing.
type Engine struct {
	Command   string   `json:"command,omitempty"` // path of the program
	Version   string   `json:"version,omitempty"`
	Languages []string `json:"languages,omitempty"` // names of its data: eng, chi_sim
	Turns     bool     `json:"turns,omitempty"`     // it has the data that tell how a page is turned
	Data      string   `json:"data,omitempty"`      // folder of its data (TESSDATA_PREFIX); empty is its own
}

// Hint says how to come to an engine.
const Hint = "install tesseract (Debian: apt-get install tesseract-ocr tesseract-ocr-chi-sim, a package for each language)"

// preferred languages come first, as many as there are, then others by name.
var preferred = []string{"eng", "chi_sim", "deu", "fra", "spa", "chi_tra", "jpn", "ita", "por"}

// maxDefault is how many languages are read where none is named: each costs time, and chances to be wrong.
const maxDefault = 4

// Find returns the tesseract on PATH for the languages, or for up to four that it has if none is named. Without a
// tesseract it returns the zero Engine, unless languages are named: then, and for a language without data, the error
// is corpus.ErrUnavailable.
func Find(ctx context.Context, languages []string) (Engine, error) {
	command, err := exec.LookPath("tesseract")
	if err != nil {
		if len(languages) == 0 {
			return Engine{}, nil
		}
		return Engine{}, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "find tesseract for the languages %s: it is not on PATH", strings.Join(languages, ", ")), Hint)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e := Engine{Command: command, Data: os.Getenv("TESSDATA_PREFIX")}
	version, err := exec.CommandContext(ctx, command, "--version").CombinedOutput()
	if err != nil {
		return Engine{}, corpus.Errorf(corpus.ErrUnavailable, "ask %s for its version: %w", command, err)
	}
	first, _, _ := strings.Cut(string(version), "\n")
	e.Version = strings.TrimSpace(strings.TrimPrefix(first, "tesseract"))
	listed, err := exec.CommandContext(ctx, command, "--list-langs").Output()
	if err != nil {
		return Engine{}, corpus.Errorf(corpus.ErrUnavailable, "ask %s for its languages: %w", command, err)
	}
	_, names, _ := strings.Cut(string(listed), "\n") // the first line is a heading
	installed := strings.Fields(names)
	e.Turns = slices.Contains(installed, "osd")
	e.Languages, err = choose(installed, languages)
	return e, err
}

// choose returns the languages that are named, or the defaults among those installed.
func choose(installed, named []string) ([]string, error) {
	for _, name := range named {
		if !slices.Contains(installed, name) {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "tesseract has no data for the language %q; it has %s", name, strings.Join(installed, ", ")),
				"install it (Debian: apt-get install tesseract-ocr-"+strings.ReplaceAll(name, "_", "-")+"), or correct ingest.ocr_languages")
		}
	}
	if len(named) > 0 {
		return slices.Clone(named), nil
	}
	slices.Sort(installed)
	var languages []string
	for _, name := range append(slices.Clone(preferred), installed...) {
		special := name == "osd" || name == "equ" || name == "snum" || strings.Contains(name, "/") || strings.HasSuffix(name, "_vert")
		if !special && slices.Contains(installed, name) && !slices.Contains(languages, name) && len(languages) < maxDefault {
			languages = append(languages, name)
		}
	}
	if len(languages) == 0 {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "tesseract has no data for any language"), Hint)
	}
	return languages, nil
}

// Reads reports whether there is an engine.
func (e Engine) Reads() bool { return e.Command != "" }

// String names what a page's text depends on; "" for the zero Engine.
func (e Engine) String() string {
	if !e.Reads() {
		return ""
	}
	return "tesseract " + e.Version + " " + strings.Join(e.Languages, "+")
}

// dataOf names the data of a language with the ISO 639-1 code.
var dataOf = map[string]string{"en": "eng", "zh": "chi_sim", "de": "deu", "fr": "fra", "es": "spa", "it": "ita", "pt": "por", "nl": "nld", "ja": "jpn"}

// For returns the engine with the one language of its own that has the ISO 639-1 code, and English beside one that is
// not written in Latin letters; unchanged if it is none of its own.
func (e Engine) For(language string) Engine {
	name := dataOf[language]
	if !slices.Contains(e.Languages, name) {
		return e
	}
	own := []string{name}
	if (language == "zh" || language == "ja") && slices.Contains(e.Languages, "eng") {
		own = append(own, "eng")
	}
	e.Languages = own
	return e
}
