package parse

import (
	"math"
	"strings"

	"grounded/ingest/parse/pdftext"
)

const (
	columnRows  = 5   // lines across both columns, at least
	columnWords = 4.0 // in a line of a column, in the mean
	columnFull  = 0.7 // of its lines are nearly as long as its longest
)

// splitColumns puts the lines of two columns that were drawn side by side, a line of each at a time, one column after
// the other. Rows of a table differ from them: their cells are of many lengths, or short.
func splitColumns(lines []pdftext.Line) []pdftext.Line {
	var out []pdftext.Line
	for i := 0; i < len(lines); {
		left, right, n := twoColumns(lines[i:])
		if n == 0 {
			out = append(out, lines[i])
			i++
			continue
		}
		out = append(append(out, left...), right...)
		i += n
	}
	return out
}

// twoColumns divides the first n lines into those of two columns; n is 0 if they aren't.
func twoColumns(lines []pdftext.Line) (left, right []pdftext.Line, n int) {
	if len(lines) < columnRows || len(lines[0].Cells) != 2 {
		return nil, nil, 0
	}
	gutter := lines[0].Cells[1].Start
	rows := 0
	more := true
	for more && n < len(lines) && (n == 0 || follows(lines[n-1], lines[n])) {
		l := lines[n]
		switch {
		case len(l.Cells) == 2 && math.Abs(l.Cells[1].Start-gutter) < 2*l.Size && l.Cells[0].End < gutter:
			left, right = append(left, ofCell(l, 0)), append(right, ofCell(l, 1))
			rows++
		case len(l.Cells) == 1 && l.End < gutter: // the other column has a gap, or has ended
			left = append(left, l)
		case len(l.Cells) == 1 && l.Start > gutter-l.Size:
			right = append(right, l)
		default:
			more = false
			continue
		}
		n++
	}
	if rows < columnRows || !isColumn(left) || !isColumn(right) {
		return nil, nil, 0
	}
	return left, right, n
}

// follows reports whether the line is the next below.
func follows(before, l pdftext.Line) bool {
	gap := before.Base - l.Base
	return l.Dir == pdftext.Right && before.Dir == pdftext.Right && gap > 0.5*l.Size && gap < 2.2*l.Size
}

// ofCell is the part of the line that the cell is.
func ofCell(l pdftext.Line, i int) pdftext.Line {
	c := l.Cells[i]
	l.Cells, l.Start, l.End = []pdftext.Cell{c}, c.Start, c.End
	return l
}

// isColumn reports whether most of the lines are sentences that fill the width of a column.
func isColumn(lines []pdftext.Line) bool {
	start, end := math.Inf(1), math.Inf(-1)
	words := 0
	for _, l := range lines {
		start, end = math.Min(start, l.Start), math.Max(end, l.End)
		words += len(strings.Fields(l.Text()))
	}
	full := 0
	for _, l := range lines {
		if l.End > end-(end-start)/5 {
			full++
		}
	}
	return float64(words) >= columnWords*float64(len(lines)) && float64(full) >= columnFull*float64(len(lines))
}
