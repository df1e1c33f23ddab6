package parse

import (
	"slices"
	"strings"
)

// table adds the rows of a table. One with a single column is a frame around what is in it.
func (w *odfWalker) table(n *odfNode) {
	rows := w.rows(n, false)
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(row.cells))
	}
	if columns < 2 {
		for _, row := range rows {
			for _, cell := range row.cells {
				for _, c := range cell.children {
					w.block(c)
				}
			}
		}
		return
	}
	texts := make([][]string, len(rows))
	header := noHeader // unless the document says it
	for i, row := range rows {
		for _, cell := range row.cells {
			texts[i] = append(texts[i], pagesText([]Page{{Blocks: (&odfRun{walker: w}).inner(cell)}}))
		}
	}
	if !slices.ContainsFunc(rows, func(r odfRow) bool { return r.header }) {
		header = findHeader(texts)
	}
	for i, row := range rows {
		text := strings.Join(texts[i], " | ")
		if strings.Trim(text, " |") == "" {
			continue
		}
		kind := TableRow
		if row.header || i == header {
			kind = TableHeader
		}
		w.add(Block{Kind: kind, Text: strings.TrimSpace(text)})
	}
}

// odfRow is a row of a table, its cells without those that are covered by others.
type odfRow struct {
	header bool
	cells  []*odfNode
}

func (w *odfWalker) rows(n *odfNode, header bool) []odfRow {
	var rows []odfRow
	for _, c := range n.children {
		switch c.name {
		case "table-header-rows":
			rows = append(rows, w.rows(c, true)...)
		case "table-rows", "table-row-group":
			rows = append(rows, w.rows(c, header)...)
		case "soft-page-break":
			w.breakPage()
		case "table-row":
			row := odfRow{header: header}
			for _, cell := range c.children {
				if cell.name == "table-cell" {
					row.cells = append(row.cells, cell)
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}
