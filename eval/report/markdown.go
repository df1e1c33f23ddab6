package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"grounded/eval"
)

// Markdown writes a summary and the tables, to be read as it is or pasted where Markdown is shown: the figures in full
// are folded away.
func Markdown(w io.Writer, r eval.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s, collection %s, embeddings of %s, %s.\n\n", escaped(title(r)), plural(r.Header.Questions, "question"),
		escaped(r.Header.Collection), escaped(r.Header.Embedding.Model), escaped(made(r, "2006-01-02")))
	for _, p := range summary(r) {
		fmt.Fprintf(&b, "- **%s**", p.Question)
		for _, l := range p.Lines {
			if len(p.Lines) > 1 {
				b.WriteString("\n  -")
			}
			if l.Of != "" {
				b.WriteString(" " + escaped(l.Of) + ":")
			}
			if l.Answer != "" {
				b.WriteString(" **" + escaped(l.Answer) + "**")
			}
			b.WriteString(" " + escaped(l.Text))
		}
		b.WriteString("\n")
	}
	ways := overview(r)
	markdownTable(&b, ways)
	if ways.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", escaped(ways.Note))
	}
	for _, s := range settings(r) {
		fmt.Fprintf(&b, "\n%s: %s\n", escaped(s.Models), escaped(s.Advice))
		if s.YAML != "" {
			fmt.Fprintf(&b, "\n```yaml\n%s\n```\n", s.YAML)
		}
	}
	for _, g := range r.Grounding {
		markdownHarm(&b, g)
	}
	for _, t := range tables(r) {
		fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n", escaped(t.Title))
		markdownTable(&b, t)
		if t.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", escaped(t.Note))
		}
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownTable(b *strings.Builder, t table) {
	fmt.Fprint(b, "\n|")
	for _, name := range t.Header {
		fmt.Fprintf(b, " %s |", escaped(name))
	}
	fmt.Fprintf(b, "\n|%s\n", strings.Repeat("---|", len(t.Header)))
	for _, row := range t.Rows {
		b.WriteString("|")
		for _, c := range row {
			text := c.Text
			if c.Sure != "" {
				text += " (" + c.Sure + ")"
			}
			fmt.Fprintf(b, " %s |", escaped(text))
		}
		b.WriteString("\n")
	}
}

func markdownHarm(b *strings.Builder, g eval.Grounding) {
	if len(g.Harmed) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>Harmed by the documents: %s, %s</summary>\n\n", escaped(g.Model), plural(len(g.Harmed), "question"))
	for _, h := range harmed(g) {
		fmt.Fprintf(b, "- **%s** %s\n  - without documents: %s\n  - with documents: %s\n", escaped(h.ID), escaped(h.Question), escaped(h.Plain), escaped(h.Grounded))
		for _, m := range h.Misled {
			text := m.Place
			if m.Quote != "" {
				text += ": “" + m.Quote + "”"
			}
			fmt.Fprintf(b, "  - misled by %s\n", escaped(text))
		}
		if !h.Evidence {
			b.WriteString("  - the evidence was not among its passages\n")
		}
	}
	if more := len(g.Harmed) - mostHarmed; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
	b.WriteString("\n</details>\n")
}

var (
	special = regexp.MustCompile("[\\\\`*\\[\\]>|~]|<[\\pL/!?]|&[\\w#]|\\$[^0-9]|\\b_|_\\b|\\$$")
	link    = regexp.MustCompile(`(?i)(https?|ftp)://|www\.`)
	mention = regexp.MustCompile(`[@#](\w)`)
)

// escaped is a text that Markdown shows as it is, in one line: no markup, no link, and nobody mentioned.
func escaped(text string) string {
	text = special.ReplaceAllString(strings.Join(strings.Fields(text), " "), `\$0`)
	text = link.ReplaceAllStringFunc(text, func(s string) string { return s[:1] + "<!-- -->" + s[1:] })
	return mention.ReplaceAllStringFunc(text, func(s string) string { return s[:1] + "<!-- -->" + s[1:] })
}
