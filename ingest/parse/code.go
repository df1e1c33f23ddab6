package parse

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func codeFormat() Format {
	languages := codeLanguages()
	var extensions []string
	for _, l := range languages {
		extensions = append(extensions, l.extensions...)
	}
	return Format{
		Name: "code", Version: 1, MediaType: "text/x-source",
		Extensions: extensions,
		Sniff:      func(data []byte) bool { return bytes.HasPrefix(data, []byte("#!")) && interpreter(data) != "" },
		Text:       true,
		Parse:      func(_ context.Context, in Input) (Document, error) { return parseCode(in, languages) },
	}
}

// scriptLine is the first line of a script, with the program that runs it.
var scriptLine = regexp.MustCompile(`^#!\s*\S*?(?:/env(?:\s+-S)?\s+\S*?)?\b(bash|dash|ksh|zsh|sh|python|node|ruby|perl|php|lua|Rscript)[\d.]*\s`)

// interpreter returns the name of the program that runs a script; "" if it is none.
func interpreter(data []byte) string {
	m := scriptLine.FindSubmatch(data[:min(len(data), 200)])
	if m == nil {
		return ""
	}
	return string(m[1])
}

// parseCode keeps the text as it is. Each declaration begins a section, so that a chunk has whole ones where it can
// and knows the type that a method belongs to.
func parseCode(in Input, languages []codeLanguage) (Document, error) {
	doc := Document{Metadata: map[string]any{}}
	text, err := doc.decode(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	language := languageOf(in, languages)
	doc.Pages = []Page{{Blocks: language.blocks(strings.Split(text, "\n"))}}
	put(doc.Metadata, metaProgrammingLanguage, language.name)
	return doc, nil
}

// languageOf goes by the extension, and without a known one by the first line.
func languageOf(in Input, languages []codeLanguage) codeLanguage {
	extension, program := strings.ToLower(filepath.Ext(in.Name)), interpreter(in.Data)
	for _, l := range languages {
		if slices.Contains(l.extensions, extension) {
			return l
		}
	}
	for _, l := range languages {
		if program != "" && slices.Contains(l.programs, program) {
			return l
		}
	}
	return codeLanguage{}
}

// scope is a declaration that is open.
type scope struct {
	indent   int
	function bool
}

// blocks cuts lines into declarations. What stands directly above one, such as its comment, belongs to it.
func (l codeLanguage) blocks(lines []string) []Block {
	var blocks []Block
	var open []scope
	start := 0
	cut := func(end int) {
		if text := strings.Join(lines[start:end], "\n"); strings.TrimSpace(text) != "" {
			blocks = append(blocks, Block{Kind: Code, Text: text})
		}
		start = end
	}
	for i, line := range lines {
		name, function := l.declares(line)
		if name == "" {
			continue
		}
		indent := width(line[:len(line)-len(strings.TrimLeft(line, " \t"))])
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		if len(open) > 0 && open[len(open)-1].function || len(open) > 3 {
			continue // a function in a function
		}
		above := i
		for above > start && belongsBelow(lines[above-1]) {
			above--
		}
		cut(above)
		// From level 2, so that none is taken for the title of the file.
		blocks = append(blocks, Block{Heading, 2 + len(open), name})
		open = append(open, scope{indent, function})
	}
	cut(len(lines))
	return blocks
}

// belongsBelow reports whether a line is a comment or an attribute of what follows it.
func belongsBelow(line string) bool {
	line = strings.TrimSpace(line)
	for _, prefix := range []string{"//", "#", "/*", "*", "@", "--", "[", "template"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
