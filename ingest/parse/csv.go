package parse

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

func csvFormat() Format {
	return Format{
		Name: "csv", Version: 1, MediaType: "text/csv",
		Extensions: []string{".csv", ".tsv", ".tab"},
		Text:       true,
		Parse:      parseCSV,
	}
}

// parseCSV reads a table of any delimiter. Rows may be of different length and quotes may be wrong: nothing is lost
// by that.
func parseCSV(ctx context.Context, in Input) (Document, error) {
	var doc Document
	text, err := doc.decode(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	text, delimiter := declaredDelimiter(text)
	if delimiter == 0 {
		delimiter = findDelimiter(text, strings.ToLower(filepath.Ext(in.Name)))
	}
	r := csvReader{text: text, delimiter: delimiter}
	var w tableWriter
	for row := r.next(); row != nil; row = r.next() {
		if ctx.Err() != nil {
			return Document{}, ctx.Err()
		}
		w.add(row)
	}
	doc.Pages = []Page{{Blocks: w.end()}}
	if n := len(r.unclosed); n > 0 {
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("Quotation marks that are never closed were read as text (%s).", numbered("line", r.unclosed)))
	}
	return doc, nil
}

// numbered names a few numbers of things, and how many there are besides: "lines 3, 5 and 9 more".
func numbered(noun string, numbers []int) string {
	if len(numbers) > 1 {
		noun += "s"
	}
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return noun + " " + list(texts)
}

// declaredDelimiter takes off the first line "sep=;" with which a file tells Excel its delimiter; 0 if it has none.
func declaredDelimiter(text string) (rest string, delimiter byte) {
	first, rest, _ := strings.Cut(text, "\n")
	first = strings.TrimRight(first, "\r")
	if len(first) == 5 && strings.EqualFold(first[:4], "sep=") {
		return rest, first[4]
	}
	return text, 0
}

// findDelimiter returns the character that divides the first rows into the same number of cells most often; the more
// cells, the better. Of a file that has none it is a comma.
func findDelimiter(text, extension string) byte {
	const sample = 100 // rows
	best, delimiter := 0.0, byte(',')
	for _, d := range []byte(",;\t|") {
		r := csvReader{text: text, delimiter: d}
		rows, counts := 0, map[int]int{}
		for row := r.next(); row != nil && rows < sample; row = r.next() {
			if len(row) > 1 || row[0] != "" {
				rows++
				counts[len(row)]++
			}
		}
		for cells, n := range counts {
			if cells < 2 {
				continue
			}
			score := float64(n)/float64(rows) + float64(min(cells, 50))/1000
			if d == '\t' && (extension == ".tsv" || extension == ".tab") {
				score += 1
			}
			if score > best {
				best, delimiter = score, d
			}
		}
	}
	return delimiter
}

// csvReader reads rows by RFC 4180, and forgives what is against it: quotes inside of a cell, blanks around quotes.
// A quote that is never closed is text.
type csvReader struct {
	text      string
	delimiter byte
	at        int
	line      int   // number of line ends before at
	unclosed  []int // lines with a quote that is never closed
}

// next returns the cells of a row, at least one, or nil at the end.
func (r *csvReader) next() []string {
	if r.at >= len(r.text) {
		return nil
	}
	var row []string
	for {
		row = append(row, r.cell())
		if r.at >= len(r.text) {
			return row
		}
		c := r.text[r.at]
		r.at++
		if c == r.delimiter {
			continue
		}
		if c == '\r' && r.at < len(r.text) && r.text[r.at] == '\n' {
			r.at++
		}
		r.line++
		return row
	}
}

// cell reads to the delimiter or line end behind the cell.
func (r *csvReader) cell() string {
	start := r.skipBlanks(r.at)
	if start < len(r.text) && r.text[start] == '"' {
		if text, end, ok := r.quoted(start + 1); ok {
			r.line += strings.Count(r.text[r.at:end], "\n")
			r.at = end
			return text
		}
		r.unclosed = append(r.unclosed, r.line+1)
	}
	start = r.at
	for r.at < len(r.text) && !r.endsCell(r.at) {
		r.at++
	}
	return r.text[start:r.at]
}

// quoted reads from behind a quote to the end of the cell. The text goes on after a quote behind which the cell
// doesn't end, but then not over a delimiter or line end. ok is false where the quote is never closed.
func (r *csvReader) quoted(at int) (text string, end int, ok bool) {
	var b strings.Builder
	stray := false
	for at < len(r.text) {
		c := r.text[at]
		switch {
		case stray && r.endsCell(at):
			return "", 0, false
		case c != '"':
			b.WriteByte(c)
			at++
			continue
		case at+1 < len(r.text) && r.text[at+1] == '"':
			b.WriteByte('"')
			at += 2
			continue
		}
		if end := r.skipBlanks(at + 1); end == len(r.text) || r.endsCell(end) {
			return b.String(), end, true
		}
		if r.endsCell(at - 1) {
			return "", 0, false // it begins another cell
		}
		stray = true
		b.WriteByte('"')
		at++
	}
	return "", 0, false
}

func (r *csvReader) endsCell(at int) bool {
	c := r.text[at]
	return c == r.delimiter || c == '\n' || c == '\r'
}

func (r *csvReader) skipBlanks(at int) int {
	for at < len(r.text) && r.text[at] == ' ' {
		at++
	}
	return at
}
