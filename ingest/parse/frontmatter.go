package parse

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// namesGroups matches a line of front matter that says who may see the document.
var namesGroups = regexp.MustCompile(`(?m)^["']?groups["']?\s*:`)

// readFrontMatter puts the YAML between lines of three dashes at the beginning of a text into the document, and
// returns the rest. What is not YAML is dropped with a warning, unless it seems to name access groups: then the
// document must not be read without them.
func readFrontMatter(text string, doc *Document) (body string, err error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, "\n"), "---\n")
	if !ok {
		return text, nil
	}
	front, body, ok := cutLine(rest, "---", "...")
	if !ok {
		return text, nil
	}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(front), &fields); err != nil {
		if namesGroups.MatchString(front) {
			return "", errorf(Damaged, "Its front matter is not valid YAML, and names groups that may see it; correct it. (%s)", firstLine(err))
		}
		if !strings.Contains(front, ":") { // a text between two rulers
			return text, nil
		}
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("Its front matter is not valid YAML and was left out (%s).", firstLine(err)))
		return body, nil
	}
	doc.Metadata = map[string]any{}
	for key, value := range fields {
		if value = plain(value); value != nil {
			doc.Metadata[key] = value
		}
	}
	if title, ok := doc.Metadata["title"].(string); ok {
		doc.Title = title
		delete(doc.Metadata, "title")
	}
	for _, key := range []string{"lang", "language"} {
		if tag, ok := doc.Metadata[key].(string); ok && doc.Language == "" {
			doc.Language = languageCode(tag)
		}
	}
	return body, nil
}

// cutLine splits a text at the first line that is one of the marks.
func cutLine(text string, marks ...string) (before, after string, ok bool) {
	at := 0
	for line := range strings.Lines(text) {
		for _, mark := range marks {
			if strings.TrimRight(line, " \t\n") == mark {
				return text[:at], text[at+len(line):], true
			}
		}
		at += len(line)
	}
	return text, "", false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSpace(line)
}

// plain brings a value of YAML to what JSON has: texts, numbers, truth values, lists, maps; times as ISO 8601.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339)
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			if value = plain(value); value != nil {
				m[key] = value
			}
		}
		return m
	case map[any]any:
		m := map[string]any{}
		for key, value := range v {
			if value = plain(value); value != nil {
				m[fmt.Sprint(key)] = value
			}
		}
		return m
	case []any:
		list := make([]any, 0, len(v))
		for _, value := range v {
			if value = plain(value); value != nil {
				list = append(list, value)
			}
		}
		return list
	case string:
		return strings.ToValidUTF8(v, "")
	}
	return v
}
