package parse

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// parseData parses bytes under a name, in this process.
func parseData(t testing.TB, name, data string) Document {
	t.Helper()
	doc, err := formats().parse(context.Background(), Input{Name: name, Data: []byte(data)}, 1<<30)
	if err != nil {
		t.Fatalf("parse %s: %v", name, err)
	}
	return doc
}

func codeFor(name, data string) ErrorCode {
	_, err := formats().parse(context.Background(), Input{Name: name, Data: []byte(data)}, 1<<30)
	return CodeOf(err)
}

// outline writes blocks as lines: kind, level where there is one, text.
func outline(pages []Page) string {
	var b strings.Builder
	for i, p := range pages {
		if i > 0 {
			fmt.Fprintf(&b, "= page %d\n", p.Number)
		}
		for _, block := range p.Blocks {
			level := ""
			if block.Level > 0 {
				level = fmt.Sprint(block.Level)
			}
			fmt.Fprintf(&b, "%s%s: %s\n", block.Kind, level, strings.ReplaceAll(block.Text, "\n", "⏎"))
		}
	}
	return b.String()
}

func wantOutline(t testing.TB, doc Document, want string) {
	t.Helper()
	if got := strings.TrimSpace(outline(doc.Pages)); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\n\nwant\n%s", got, strings.TrimSpace(want))
	}
}
