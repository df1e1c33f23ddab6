package parse

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	odfCells    = 1024    // that are alike and next to each other are written, at most
	odfRepeated = 1 << 16 // bytes that a row comes to which is there several times, at most
)

// odfSheet is the sheet of a spreadsheet that is being read.
type odfSheet struct {
	name   string
	rows   tableWriter
	header bool // rows name the columns
}

// beginSheet begins the table that an element stands for.
func (w *odfWalker) beginSheet(n *odfNode) {
	w.sheet = &odfSheet{name: n.attr("name")}
	if w.styles[n.attr("style-name")].hidden {
		w.hidden = append(w.hidden, w.sheet.name)
	}
}

// endSheet adds the sheet's page, or several of a long one.
func (w *odfWalker) endSheet() {
	if w.sheet == nil {
		return
	}
	heading := Block{Heading, 2, w.sheet.name}
	if blocks := w.sheet.rows.end(); len(blocks) > 0 {
		for _, part := range splitTable(blocks, longPage) {
			w.sheets = append(w.sheets, Page{Label: w.sheet.name, Blocks: append([]Block{heading}, part...)})
		}
	}
	w.sheet = nil
}

func (w *odfWalker) header(on bool) {
	if w.sheet != nil {
		w.sheet.header = on
	}
}

// sheetRow adds a row, as often as it is there.
func (w *odfWalker) sheetRow(n *odfNode) {
	var row []string
	for _, c := range n.children {
		if c.name != "table-cell" && c.name != "covered-table-cell" {
			continue
		}
		text := ""
		if c.name == "table-cell" {
			text = pagesText([]Page{{Blocks: (&odfRun{walker: w}).inner(c)}})
		}
		if text == "" && c.name == "table-cell" {
			text = firstNonEmpty(c.attr("string-value"), c.attr("date-value"), c.attr("time-value"), c.attr("value"), c.attr("boolean-value"))
		}
		count := repeated(c, "number-columns-repeated")
		if count > odfCells && text != "" {
			w.warn("%d cells of sheet %s that are alike were read as %d.", count, w.sheet.name, odfCells)
		}
		for range min(count, odfCells) {
			row = append(row, text)
		}
	}
	if countFilled(row) == 0 {
		w.sheet.rows.add(nil)
		return
	}
	size, count := len(strings.Join(row, " | ")), repeated(n, "number-rows-repeated")
	if most := max(1, odfRepeated/size); count > most {
		w.warn("%d rows of sheet %s that are alike were read as %d.", count, w.sheet.name, most)
		count = most
	}
	for range count {
		if w.sheet.header {
			w.sheet.rows.addHeader(row)
		} else {
			w.sheet.rows.add(row)
		}
	}
}

// repeated is how often an element stands there.
func repeated(n *odfNode, attribute string) int {
	count, err := strconv.Atoi(n.attr(attribute))
	if err != nil {
		return 1
	}
	return max(1, count)
}

func (w *odfWalker) warn(format string, args ...any) {
	w.warnings = append(w.warnings, fmt.Sprintf(format, args...))
}
