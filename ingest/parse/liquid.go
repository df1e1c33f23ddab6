package parse

import (
	"regexp"
	"strings"
)

var (
	liquidComment = regexp.MustCompile(`(?s)\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}`)
	liquidTag     = regexp.MustCompile(`(?s)\{%-?\s*(\w*)(.{0,1000}?)-?%\}|\{\{.{0,500}?\}\}`)
	liquidQuoted  = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
	// codeSpan is a fenced block or a piece of code in a line, where braces are what the text is about.
	codeSpan = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[^\n]*$|^[ \t]*~~~.*?^[ \t]*~~~[^\n]*$|``.+?``|`[^`\n]+`")
)

// dropTags removes the tags of site generators (Jekyll, Eleventy, Hugo's relatives) from Markdown outside code:
// {% … %} and {{ … }}. Of a tag that shows something, such as {% alert "Mind the step" %}, its words stay.
func dropTags(text string) string {
	if !strings.Contains(text, "{%") && !strings.Contains(text, "{{") {
		return text
	}
	text = liquidComment.ReplaceAllString(text, "")
	var b strings.Builder
	at := 0
	for _, span := range codeSpan.FindAllStringIndex(text, -1) {
		b.WriteString(liquidTag.ReplaceAllStringFunc(text[at:span[0]], liquidWords))
		b.WriteString(text[span[0]:span[1]])
		at = span[1]
	}
	b.WriteString(liquidTag.ReplaceAllStringFunc(text[at:], liquidWords))
	return b.String()
}

// liquidWords returns the words that a tag shows: its quoted arguments that are no paths or file names.
func liquidWords(tag string) string {
	m := liquidTag.FindStringSubmatch(tag)
	switch m[1] {
	case "page", "link", "url", "post_url", "asset":
		return "#" // it stands where a link leads
	case "", "include", "render", "layout", "extends", "if", "elsif", "elseif", "unless", "for", "assign", "set", "case", "when", "capture", "block", "import", "from", "macro":
		return ""
	}
	var words []string
	for _, q := range liquidQuoted.FindAllStringSubmatch(m[2], -1) {
		if s := strings.TrimSpace(q[1] + q[2]); s != "" && !looksLikePath(s) {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

var fileExtension = regexp.MustCompile(`\.\w{2,5}$`)

func looksLikePath(s string) bool {
	return !strings.Contains(s, " ") && (strings.Contains(s, "/") || fileExtension.MatchString(s))
}
