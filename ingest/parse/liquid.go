package parse

import (
	"regexp"
	"strings"
)

var (
	liquidComment = regexp.MustCompile(`(?s)\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}`)
	liquidName    = regexp.MustCompile(`^-?\s*(\w*)`)
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
	var spans [][]int
	if strings.Contains(text, "`") || strings.Contains(text, "~~~") {
		spans = codeSpan.FindAllStringIndex(text, -1)
	}
	var b strings.Builder
	at := 0
	for _, span := range spans {
		replaceTags(&b, text[at:span[0]])
		b.WriteString(text[span[0]:span[1]])
		at = span[1]
	}
	replaceTags(&b, text[at:])
	return b.String()
}

// longestTag is how many bytes a tag has at most; longer ones are text.
const longestTag = 1000

// replaceTags writes a text with the words of its tags in their places.
func replaceTags(b *strings.Builder, text string) {
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 || open+1 == len(text) {
			b.WriteString(text)
			return
		}
		b.WriteString(text[:open])
		text = text[open:]
		end := -1
		switch within := text[min(2, len(text)):min(len(text), longestTag)]; text[1] {
		case '%':
			if end = strings.Index(within, "%}"); end >= 0 {
				b.WriteString(liquidWords(strings.TrimSuffix(within[:end], "-")))
			}
		case '{':
			end = strings.Index(within, "}}")
		}
		if end < 0 {
			b.WriteByte('{')
			text = text[1:]
			continue
		}
		text = text[2+end+2:]
	}
}

// liquidWords returns the words that a tag shows, given what is between its braces: its quoted arguments that are no paths or file names.
func liquidWords(tag string) string {
	m := liquidName.FindStringSubmatch(tag)
	switch m[1] {
	case "page", "link", "url", "post_url", "asset":
		return "#" // it stands where a link leads
	case "", "include", "render", "layout", "extends", "if", "elsif", "elseif", "unless", "for", "assign", "set", "case", "when", "capture", "block", "import", "from", "macro":
		return ""
	}
	var words []string
	for _, q := range liquidQuoted.FindAllStringSubmatch(tag[len(m[0]):], -1) {
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
