package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is the number of columns of standard output; 0 when it is no terminal, and nothing is cut.
func (p *program) width() int {
	if !isTerminal(p.stdout) {
		return 0
	}
	w, _, err := term.GetSize(int(p.stdout.(*os.File).Fd()))
	if err != nil {
		return 80
	}
	return w
}

// table lays rows out in columns; Chinese characters count two.
type table struct{ rows [][]string }

func newTable(header ...string) *table { return &table{rows: [][]string{header}} }

func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.Join(strings.Fields(c), " ")
	}
	t.rows = append(t.rows, cells)
}

// write prints the table. Lines are cut at width columns, if that is not 0.
func (t *table) write(w io.Writer, width int) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], min(runewidth.StringWidth(cell), 60))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			cell = runewidth.Truncate(cell, 60, "…")
			if i < len(row)-1 {
				cell = runewidth.FillRight(cell, widths[i]) + "  "
			}
			line.WriteString(cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if width > 0 {
			text = runewidth.Truncate(text, width, "…")
		}
		fmt.Fprintln(w, text)
	}
}

// wrap breaks text into lines of at most width columns, at spaces where there are any.
func wrap(text string, width int) []string {
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		line, used := strings.Builder{}, 0
		for _, word := range strings.SplitAfter(paragraph, " ") {
			for _, piece := range strings.Split(runewidth.Wrap(word, width), "\n") {
				n := runewidth.StringWidth(strings.TrimRight(piece, " "))
				if used > 0 && used+n > width {
					lines = append(lines, strings.TrimRight(line.String(), " "))
					line.Reset()
					used = 0
				}
				line.WriteString(piece)
				used += runewidth.StringWidth(piece)
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// count says "1 file" or "3 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
