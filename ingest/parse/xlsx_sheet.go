package parse

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// sheet reads one sheet, whose part has the name.
func (b *xlsxBook) sheet(name, part string) ([]Page, error) {
	blocks, err := b.rows(name, part)
	if err != nil {
		return nil, err
	}
	links, err := b.relationships(part)
	if err != nil {
		return nil, err
	}
	for _, target := range related(links, "drawing") {
		drawn, err := b.drawing(target)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, drawn...)
	}
	comments, err := b.comments(name, links)
	if err != nil {
		return nil, err
	}
	if blocks = append(blocks, comments...); len(blocks) == 0 {
		return []Page{{Label: name}}, nil
	}
	heading := Block{Heading, 2, name}
	var pages []Page
	for _, part := range splitTable(blocks, longPage) {
		pages = append(pages, Page{Label: name, Blocks: append([]Block{heading}, part...)})
	}
	return pages, nil
}

// drawing reads what lies over the cells of a sheet: text boxes, titles of charts.
func (b *xlsxBook) drawing(part string) ([]Block, error) {
	data, err := b.read(part)
	if err != nil {
		return nil, err
	}
	root, _ := rootElement(data)
	if root == nil {
		return nil, nil
	}
	links, err := b.relationships(part)
	if err != nil {
		return nil, err
	}
	w := shapeWalker{opcPackage: b.opcPackage, links: links, inSheet: true}
	err = w.walk(root)
	return w.blocks, err
}

// rows reads the cells of a sheet.
func (b *xlsxBook) rows(name, part string) ([]Block, error) {
	value, ok := b.cells.Pkg.Load(part)
	raw, _ := value.([]byte)
	if !ok || !bytes.Contains(raw, []byte("sheetData")) {
		if !strings.Contains(part, "chartsheets/") {
			b.warn("The sheet %q is damaged and was not read.", name)
		}
		return nil, nil
	}
	headers, err := b.tableHeaders(part)
	if err != nil {
		return nil, err
	}
	rows, err := b.cells.Rows(name)
	if err != nil {
		return nil, b.damaged()
	}
	defer func() { _ = rows.Close() }()
	var w tableWriter
	merged := mergedCells(raw)
	number := 0
	for rows.Next() {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		number++
		row, err := rows.Columns()
		if err != nil {
			b.warn("The sheet %q is damaged; row %d was not read completely.", name, number)
		}
		row = merged.fill(number, row)
		if headers[number] {
			w.addHeader(row)
		} else {
			w.add(row)
		}
	}
	if rows.Error() != nil || number < lastRow(raw) || !endsRows(raw) {
		b.warn("The sheet %q is damaged; what stands below row %d was not read.", name, number)
	}
	if n := withoutValue(raw); n > 0 {
		b.warn("In the sheet %q, %d formulas have no stored value; open the workbook in Excel and save it.", name, n)
	}
	return w.end(), nil
}

// tableHeaders returns the numbers of the rows that name the columns of what Excel calls a table.
func (b *xlsxBook) tableHeaders(part string) (map[int]bool, error) {
	links, err := b.relationships(part)
	if err != nil {
		return nil, err
	}
	headers := map[int]bool{}
	for _, target := range related(links, "table") {
		var table struct {
			Ref            string `xml:"ref,attr"`
			HeaderRowCount string `xml:"headerRowCount,attr"`
		}
		if ok, err := b.readXML(target, &table); err != nil {
			return nil, err
		} else if !ok || table.HeaderRowCount == "0" {
			continue
		}
		if area, ok := parseArea(table.Ref); ok {
			headers[area.top] = true
		}
	}
	return headers, nil
}

// comments returns what was noted on the cells of a sheet.
func (b *xlsxBook) comments(name string, links []relationship) ([]Block, error) {
	// A thread has a twin among the old comments, for programs that know only those.
	for _, kind := range []string{"threadedComment", "comments"} {
		var blocks []Block
		for _, target := range related(links, kind) {
			data, err := b.read(target)
			if err != nil {
				return nil, err
			}
			found, complete := findElements(data, "comment", "threadedComment")
			if !complete {
				b.warn("Comments in the sheet %q are damaged; some were not read.", name)
			}
			for _, c := range found {
				if text := tidy(strings.ReplaceAll(c.allText(), "\n", " ")); text != "" {
					blocks = append(blocks, Block{Kind: Paragraph, Text: fmt.Sprintf("[%s] %s", c.attr("ref"), text)})
				}
			}
		}
		if len(blocks) > 0 {
			return blocks, nil
		}
	}
	return nil, nil
}

// xlsxArea is a rectangle of cells; rows and columns count from 1.
type xlsxArea struct{ left, top, right, bottom int }

func parseArea(ref string) (xlsxArea, bool) {
	from, to, ok := strings.Cut(strings.ReplaceAll(ref, "$", ""), ":")
	if !ok {
		to = from
	}
	left, top, err := excelize.CellNameToCoordinates(from)
	right, bottom, err2 := excelize.CellNameToCoordinates(to)
	return xlsxArea{left, top, right, bottom}, errors.Join(err, err2) == nil
}

// xlsxMerged knows the cells that are merged over several rows: each row is to have the text, so that it can be
// understood by itself.
type xlsxMerged struct {
	starting map[int][]xlsxArea // by their top row
	open     []xlsxOpenArea
}

type xlsxOpenArea struct {
	xlsxArea
	text string
}

var mergeCell = regexp.MustCompile(`<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"`)

func mergedCells(sheet []byte) *xlsxMerged {
	m := &xlsxMerged{starting: map[int][]xlsxArea{}}
	behind := sheet[max(0, bytes.LastIndex(sheet, []byte("sheetData"))):]
	for _, match := range mergeCell.FindAllSubmatch(behind, -1) {
		if area, ok := parseArea(string(match[1])); ok && area.bottom > area.top {
			m.starting[area.top] = append(m.starting[area.top], area)
		}
	}
	return m
}

// fill returns the row with the texts of the merged cells that it is part of.
func (m *xlsxMerged) fill(number int, row []string) []string {
	if countFilled(row) > 0 { // else it would be a row of nothing but what stands above
		for _, a := range m.open {
			for len(row) < a.left {
				row = append(row, "")
			}
			if row[a.left-1] == "" {
				row[a.left-1] = a.text
			}
		}
	}
	for _, a := range m.starting[number] {
		if a.left <= len(row) && row[a.left-1] != "" {
			m.open = append(m.open, xlsxOpenArea{a, row[a.left-1]})
		}
	}
	open := m.open[:0]
	for _, a := range m.open {
		if a.bottom > number {
			open = append(open, a)
		}
	}
	m.open = open
	return row
}

var rowNumber = regexp.MustCompile(`^row\s[^>]*?\br="(\d+)"`)

// lastRow returns the number of the last row of a sheet; 0 if it does not say.
func lastRow(sheet []byte) int {
	for end := len(sheet); end > 0; {
		at := bytes.LastIndex(sheet[:end], []byte("row "))
		if at < 1 {
			return 0
		}
		if c := sheet[at-1]; c == '<' || c == ':' {
			number := 0
			if m := rowNumber.FindSubmatch(sheet[at:min(len(sheet), at+400)]); m != nil {
				_, _ = fmt.Sscan(string(m[1]), &number)
			}
			return number
		}
		end = at
	}
	return 0
}

// endsRows reports whether the list of rows is closed.
func endsRows(sheet []byte) bool {
	at := bytes.LastIndex(sheet, []byte("sheetData"))
	return at > 0 && (sheet[at-1] == '/' || bytes.HasPrefix(bytes.TrimLeft(sheet[at+len("sheetData"):], " "), []byte("/>")) ||
		sheet[at-1] == ':' && bytes.Contains(sheet[max(0, at-40):at], []byte("</")))
}

var emptyValue = regexp.MustCompile(`^<v(?: ?/>|></v>)`)

// withoutValue counts the formulas whose result is not in the file: a program wrote it that does not calculate.
func withoutValue(sheet []byte) int {
	n := 0
	for cells := sheet; ; {
		at := bytes.Index(cells, []byte("<f"))
		if at < 0 || at+2 >= len(cells) {
			return n
		}
		before := cells[:at]
		cells = cells[at+2:]
		if cells[0] != '>' && cells[0] != ' ' && cells[0] != '/' {
			continue
		}
		end := bytes.IndexByte(cells, '>')
		if end < 0 {
			return n
		}
		behind := cells[end+1:]
		if end == 0 || cells[end-1] != '/' {
			_, behind, _ = bytes.Cut(behind, []byte("</f>"))
		}
		behind = bytes.TrimLeft(behind[:min(len(behind), 32)], " \r\n\t")
		ofText := bytes.Contains(before[max(0, bytes.LastIndexByte(before, '<')):], []byte(`t="str"`))
		if bytes.HasPrefix(behind, []byte("</c>")) || !ofText && emptyValue.Match(behind) {
			n++
		}
	}
}
