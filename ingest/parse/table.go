package parse

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tableWriter turns rows of cells, which come one after another, into blocks. Rows may be of different length. What
// stands by itself over a table is a caption; a table with one column is text.
type tableWriter struct {
	blocks []Block
	top    [][]string // the first rows, among which the header is; rows behind them are written at once
	header int        // index in top of the row that names the columns, from 1, where that is known
	rows   bool       // the top is written
	left   int        // columns on the left with nothing in them
	text   bool       // the table has one column
}

// add adds a row. An empty one ends a table.
func (w *tableWriter) add(row []string) {
	switch {
	case countFilled(row) == 0:
		w.endTable()
	case w.text:
		w.addText(row)
	case w.rows:
		w.addRow(TableRow, row)
	default:
		if w.top = append(w.top, row); len(w.top) == headerSample {
			w.writeTop()
		}
	}
}

// addHeader adds a row that names the columns.
func (w *tableWriter) addHeader(row []string) {
	if w.rows {
		w.endTable()
	}
	w.add(row)
	w.header = len(w.top)
}

// endTable makes the next row begin another table.
func (w *tableWriter) endTable() {
	if !w.rows {
		w.writeTop()
	}
	w.header, w.rows, w.text = 0, false, false
}

// end returns the blocks of all rows.
func (w *tableWriter) end() []Block {
	w.endTable()
	return w.blocks
}

// addText adds a row that is no part of a table, paragraph by paragraph.
func (w *tableWriter) addText(row []string) {
	if countFilled(row) > 1 {
		w.blocks = append(w.blocks, Block{Kind: Paragraph, Text: rowText(row)})
		return
	}
	w.blocks = append(w.blocks, textBlocks(strings.Join(row, ""))...)
}

func (w *tableWriter) writeTop() {
	top := w.top
	w.top, w.rows = nil, true
	if columns(top) < 2 {
		w.text = true
		for _, row := range top {
			w.addText(row)
		}
		return
	}
	w.left = leftEmpty(top[0])
	for _, row := range top {
		w.left = min(w.left, leftEmpty(row))
	}
	header := w.header - 1
	if header < 0 {
		header = findHeader(top)
	}
	if header >= 0 && header+1 < len(top) {
		if joined := joinHeader(top[header], top[header+1], top[header+2:]); joined != nil {
			top[header] = joined
			top = slices.Delete(top, header+1, header+2)
		}
	}
	caption := true // no row so far has more than one cell
	for i, row := range top {
		caption = caption && countFilled(row) < 2 && i != header
		switch {
		case caption:
			w.addText(row)
		case i == header:
			w.addRow(TableHeader, row)
		default:
			w.addRow(TableRow, row)
		}
	}
}

func (w *tableWriter) addRow(kind Kind, row []string) {
	w.blocks = append(w.blocks, Block{Kind: kind, Text: rowText(row[min(w.left, leftEmpty(row)):])})
}

// leftEmpty counts the empty cells before the first that is not.
func leftEmpty(row []string) int {
	for i, c := range row {
		if strings.TrimSpace(c) != "" {
			return i
		}
	}
	return len(row)
}

// joinHeader joins a header of two rows, the upper of which names groups of columns: "2025" over "Plan" and "Actual".
// It returns nil if the lower row is none of a header.
func joinHeader(upper, lower []string, below [][]string) []string {
	cell := func(row []string, i int) string {
		if i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	joined := make([]string, max(len(upper), len(lower)))
	group, gaps := "", 0
	for i := range joined {
		over, under := cell(upper, i), cell(lower, i)
		if kindOfCell(under) == numberCell {
			return nil
		}
		if over == "" && under != "" {
			if group == "" || !mostly(numberCell, i, below) {
				return nil
			}
			gaps++
			over = group
		}
		if over != "" && over != under {
			group = over
		}
		joined[i] = over
		if under != over {
			joined[i] = strings.TrimSpace(over + " " + under)
		}
	}
	if gaps == 0 {
		return nil
	}
	return joined
}

// columns counts the columns up to the last with something in it.
func columns(rows [][]string) int {
	n := 0
	for _, row := range rows {
		for i := len(row); i > n; i-- {
			if strings.TrimSpace(row[i-1]) != "" {
				n = i
			}
		}
	}
	return n
}

// rowText joins cells. Empty ones at the end are left out; those before keep the others in their columns, but not in
// a row that hardly has any.
func rowText(cells []string) string {
	sparse := len(cells) > 50 && 10*countFilled(cells) < len(cells)
	var texts []string
	for _, c := range cells {
		if c = strings.TrimSpace(strings.ReplaceAll(c, "\n", " ")); c != "" || !sparse {
			texts = append(texts, c)
		}
	}
	for len(texts) > 0 && texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1]
	}
	return strings.TrimSpace(strings.Join(texts, " | "))
}

// splitTable divides blocks where there are more than size characters. What goes on with a table begins with its
// header.
func splitTable(blocks []Block, size int) [][]Block {
	var parts [][]Block
	var header *Block
	var part []Block
	length := 0
	for i, b := range blocks {
		n := utf8.RuneCountInString(b.Text) + 2
		if length > 0 && length+n > size {
			parts = append(parts, part)
			part, length = nil, 0
			if header != nil && b.Kind == TableRow {
				part = append(part, *header)
			}
		}
		switch b.Kind {
		case TableHeader:
			header = &blocks[i]
		case TableRow:
		default:
			header = nil
		}
		part = append(part, b)
		length += n
	}
	return append(parts, part)
}

// textBlocks makes a paragraph of what stands between empty lines.
func textBlocks(s string) []Block {
	var blocks []Block
	for _, part := range emptyLine.Split(s, -1) {
		if part = strings.TrimSpace(part); part != "" {
			blocks = append(blocks, Block{Kind: Paragraph, Text: part})
		}
	}
	return blocks
}

var emptyLine = regexp.MustCompile(`(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)\s*`)

const (
	noHeader     = -1
	headerSample = 50  // rows that are looked at to tell whether there is a header
	headerWithin = 5   // rows from the top, one of which is the header
	headerCell   = 120 // characters that the name of a column has at most
)

// findHeader returns the row that names the columns, or noHeader. It is the first that is about as full as the
// others, if its cells are short texts: no numbers, no dates over dates, nothing with a colon behind it, and each
// only once unless there are numbers below.
func findHeader(rows [][]string) int {
	sample := rows[:min(len(rows), headerSample)]
	var filled []int
	for _, row := range sample {
		if n := countFilled(row); n > 0 {
			filled = append(filled, n)
		}
	}
	if len(filled) < 2 {
		return noHeader
	}
	slices.Sort(filled)
	usual := filled[len(filled)/2]
	for i, row := range sample[:min(len(sample), headerWithin)] {
		if n := countFilled(row); n < 2 || 2*n < usual {
			continue // a caption
		}
		if i+1 < len(sample) && namesColumns(row, sample[i+1:]) {
			return i
		}
		return noHeader
	}
	return noHeader
}

func countFilled(row []string) int {
	n := 0
	for _, c := range row {
		if strings.TrimSpace(c) != "" {
			n++
		}
	}
	return n
}

// namesColumns reports whether a row's cells look like names of columns of the rows below.
func namesColumns(row []string, below [][]string) bool {
	seen := map[string]bool{}
	texts, repeated, overNumbers := 0, false, false
	for column, cell := range row {
		cell = strings.TrimSpace(cell)
		switch kindOfCell(cell) {
		case noCell:
			continue
		case numberCell:
			return false
		case dateCell:
			if mostly(dateCell, column, below) {
				return false
			}
		default:
			texts++
			overNumbers = overNumbers || mostly(numberCell, column, below)
		}
		if utf8.RuneCountInString(cell) > headerCell || strings.HasSuffix(cell, ":") || strings.HasSuffix(cell, "：") {
			return false
		}
		repeated = repeated || seen[cell]
		seen[cell] = true
	}
	return texts > 0 && (overNumbers || !repeated)
}

// mostly reports whether most filled cells of a column are of a kind.
func mostly(kind cellKind, column int, rows [][]string) bool {
	of, all := 0, 0
	for _, row := range rows {
		if column >= len(row) || strings.TrimSpace(row[column]) == "" {
			continue
		}
		all++
		if kindOfCell(strings.TrimSpace(row[column])) == kind {
			of++
		}
	}
	return 2*of > all
}

type cellKind int

const (
	noCell cellKind = iota
	textCell
	numberCell
	dateCell // also a year
)

var dateOfCell = regexp.MustCompile(`^(?:(?:Q[1-4][ /-]?)?(?:19|20)\d\d(?:[ /-]?Q[1-4])?[A-Za-z]?|\d{1,4}[-./]\d{1,2}(?:[-./]\d{1,4})?|\d{2,4}年(?:\d{1,2}月)?(?:\d{1,2}日)?)$`)

// kindOfCell tells numbers, with their currency or unit, and dates from other text.
func kindOfCell(s string) cellKind {
	if s == "" {
		return noCell
	}
	if dateOfCell.MatchString(s) {
		return dateCell
	}
	digits, letters := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	first, _ := utf8.DecodeRuneInString(s)
	startsAsNumber := unicode.IsDigit(first) || strings.ContainsRune("+-−(.", first) || unicode.Is(unicode.Sc, first)
	if digits > 0 && letters <= 3 && (startsAsNumber || letters == 0) {
		return numberCell
	}
	return textCell
}
