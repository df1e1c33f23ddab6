package parse

import (
	"bytes"
	"context"
	"strings"
)

func textFormat() Format {
	return Format{
		Name: "text", Version: 2, MediaType: "text/plain",
		Extensions: []string{".txt", ".text", ".log", ""},
		Text:       true,
		Parse:      parseText,
	}
}

// parseText makes a paragraph of what stands between empty lines, and a list item of a line that begins like
// one. Lines are joined where they were only wrapped.
func parseText(ctx context.Context, in Input) (Document, error) {
	doc := Document{}
	text, err := doc.decode(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	var blocks []Block
	var lines []string
	flush := func() {
		blocks = append(blocks, paragraphsOf(lines)...)
		lines = lines[:0]
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.Trim(line, "\r\n"), " \t\f\v\u00a0")
		if strings.TrimSpace(line) == "" {
			flush()
			if ctx.Err() != nil {
				return Document{}, ctx.Err()
			}
			continue
		}
		lines = append(lines, line)
	}
	flush()
	doc.Pages = []Page{{Blocks: blocks}}
	return doc, nil
}

// paragraphsOf turns neighbouring lines into blocks.
func paragraphsOf(lines []string) []Block {
	var blocks []Block
	longest := 0
	for _, line := range lines {
		longest = max(longest, width(line))
	}
	for i, line := range lines {
		if level, item, ok := listItem(line); ok {
			blocks = append(blocks, Block{ListItem, level, item})
			continue
		}
		text := strings.TrimSpace(line)
		// A line was wrapped if its first word did not fit on the line before.
		if i > 0 && wrapped(lines[i-1], text, longest) {
			last := &blocks[len(blocks)-1]
			last.Text = joinLines(last.Text, text, alwaysBreaks)
			continue
		}
		if i > 0 && blocks[len(blocks)-1].Kind == Paragraph {
			blocks[len(blocks)-1].Text += "\n" + text
			continue
		}
		blocks = append(blocks, Block{Kind: Paragraph, Text: text})
	}
	return blocks
}

// wrapped reports whether the line after before continues it, in a text whose longest line has that width.
func wrapped(before, next string, longest int) bool {
	first, _, _ := strings.Cut(next, " ")
	return longest > 40 && width(before)+1+width(first) > longest-8 && width(before) > longest/2
}

// looksLikeText reports whether the bytes could be text in some charset: no NUL bytes unless it is UTF-16, and
// hardly any control characters.
func looksLikeText(data []byte) bool {
	if e, _ := wideEncoding(data); e != nil {
		return true
	}
	sample := data[:min(len(data), 1<<16)]
	if bytes.IndexByte(sample, 0) >= 0 {
		return false
	}
	controls := 0
	for _, c := range sample {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\b' && c != 0x1b {
			controls++
		}
	}
	return controls*200 <= len(sample)
}
