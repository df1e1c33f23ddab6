package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"grounded/corpus"
)

// Value is one setting.
type Value struct {
	Section, Key string // retrieve, top_k
	Value        any
}

// Set returns the text of a configuration with values in the place of those that it has, and all else, comments too, as
// it was.
func Set(text string, values []Value) (string, error) {
	for _, v := range values {
		var err error
		if text, err = set(text, v); err != nil {
			return "", corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "set %s.%s: %w", v.Section, v.Key, err), "set it by hand")
		}
	}
	return text, nil
}

func set(text string, v Value) (string, error) {
	value, err := yaml.Marshal(map[string]any{v.Key: v.Value})
	if err != nil {
		return "", err
	}
	file, err := parser.ParseBytes([]byte(text), parser.ParseComments)
	if err != nil {
		return "", err
	}
	section, err := yaml.PathString("$." + v.Section)
	if err != nil {
		return "", err
	}
	if _, err := section.FilterFile(file); err != nil { // there is no such section
		block := fmt.Sprintf("%s:\n  %s", v.Section, value)
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text + block, nil
	}
	key, err := yaml.PathString("$." + v.Section + "." + v.Key)
	if err != nil {
		return "", err
	}
	if _, err := key.FilterFile(file); err != nil {
		err = section.MergeFromReader(file, strings.NewReader(string(value)))
		return file.String(), err
	}
	scalar, err := yaml.Marshal(v.Value)
	if err == nil {
		err = key.ReplaceWithReader(file, strings.NewReader(string(scalar)))
	}
	return file.String(), err
}
