package parse

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// table writes a table as rows. One that only arranges a page, whose cells hold headings, lists or tables, or that
// has one column, is written as what is in its cells.
func (w *htmlWalker) table(table *html.Node) {
	rows := tableElements(table)
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(rowCells(row)))
	}
	if columns < 2 || arranges(table) {
		for c := range table.ChildNodes() {
			w.walk(c)
		}
		w.flush()
		return
	}
	for c := range table.ChildNodes() {
		if c.DataAtom == atom.Caption {
			w.walk(c)
			w.flush()
		}
	}
	for _, row := range rows {
		var texts []string
		header := true
		for _, cell := range rowCells(row) {
			header = header && cell.DataAtom == atom.Th
			var parts []string
			for _, b := range htmlBlocks(cell, w.contentOnly) {
				parts = append(parts, strings.ReplaceAll(b.Text, "\n", " "))
			}
			texts = append(texts, strings.Join(parts, " "))
		}
		if strings.TrimSpace(strings.Join(texts, "")) == "" {
			continue
		}
		kind := TableRow
		if header || row.Parent.DataAtom == atom.Thead {
			kind = TableHeader
		}
		w.blocks = append(w.blocks, Block{Kind: kind, Text: strings.Trim(strings.Join(texts, " | "), " ")})
	}
}

// tableElements returns the rows of the table, not of tables in it.
func tableElements(table *html.Node) []*html.Node {
	var rows []*html.Node
	for c := range table.ChildNodes() {
		switch c.DataAtom {
		case atom.Tr:
			rows = append(rows, c)
		case atom.Thead, atom.Tbody, atom.Tfoot:
			for r := range c.ChildNodes() {
				if r.DataAtom == atom.Tr {
					rows = append(rows, r)
				}
			}
		}
	}
	return rows
}

func rowCells(row *html.Node) []*html.Node {
	var cells []*html.Node
	for c := range row.ChildNodes() {
		if (c.DataAtom == atom.Td || c.DataAtom == atom.Th) && !unseen(c) {
			cells = append(cells, c)
		}
	}
	return cells
}

func arranges(table *html.Node) bool {
	for d := range table.Descendants() {
		switch d.DataAtom {
		case atom.Table, atom.H1, atom.H2, atom.H3:
			return true
		}
	}
	return attribute(table, "role") == "presentation"
}
