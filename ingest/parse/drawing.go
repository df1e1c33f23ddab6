package parse

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// chartBlocks reads a chart (DrawingML): what it is called and, unless only that is asked for, its values as a table,
// with a row a category and a column a series.
func chartBlocks(part []byte, titles bool) []Block {
	charts, _ := findElements(part, "chart")
	var blocks []Block
	for _, chart := range charts {
		blocks = append(blocks, titleBlocks(chart)...)
		plot := chart.child("plotArea")
		if plot == nil {
			continue
		}
		for _, kind := range plot.children {
			if !titles && strings.HasSuffix(kind.name, "Chart") {
				blocks = append(blocks, seriesBlocks(kind)...)
			}
		}
		for _, axis := range plot.children {
			blocks = append(blocks, titleBlocks(axis)...)
		}
	}
	return blocks
}

func titleBlocks(e *element) []Block {
	title := e.child("title")
	if title == nil {
		return nil
	}
	if blocks := textBody(title.child("tx").child("rich"), false); len(blocks) > 0 {
		return blocks
	}
	return textBlocks(title.allText())
}

// seriesBlocks writes what the series of a chart have at each category, or at each x.
func seriesBlocks(chart *element) []Block {
	header := []string{""}
	labels := map[int]string{}
	values := map[int][]string{}
	for _, s := range chart.children {
		if s.name != "ser" {
			continue
		}
		header = append(header, s.child("tx").allText())
		for _, name := range []string{"cat", "xVal"} {
			for i, label := range points(s.child(name)) {
				labels[i] = label
			}
		}
		for _, name := range []string{"val", "yVal"} {
			for i, value := range points(s.child(name)) {
				for len(values[i]) < len(header)-2 {
					values[i] = append(values[i], "")
				}
				values[i] = append(values[i], value)
			}
		}
	}
	var at []int
	for i := range values {
		at = append(at, i)
	}
	slices.Sort(at)
	var w tableWriter
	if countFilled(header) > 0 {
		w.addHeader(header)
	}
	for _, i := range at {
		w.add(append([]string{labels[i]}, values[i]...))
	}
	return w.end()
}

// points returns the values that a chart stores of its cells, by their index.
func points(e *element) map[int]string {
	if e == nil {
		return nil
	}
	values := map[int]string{}
	for _, pt := range collect(e, "pt", "") {
		text := strings.TrimSpace(pt.allText())
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(f, 'f', -1, 64) // 4.2999999999999998 is 4.3
		}
		values[pt.number("idx")] = text
	}
	return values
}

// diagramBlocks reads a diagram (SmartArt) as a list, nested as its nodes are.
func diagramBlocks(part []byte) []Block {
	found, _ := findElements(part, "pt", "cxn")
	nodes := map[string]*element{}
	var roots []string
	below := map[string][]*element{}
	for _, e := range found {
		switch kind := e.attr("type"); {
		case e.name == "pt" && kind == "doc":
			roots = append([]string{e.attr("modelId")}, roots...)
			nodes[e.attr("modelId")] = e
		case e.name == "pt" && (kind == "" || kind == "node" || kind == "asst"):
			roots = append(roots, e.attr("modelId"))
			nodes[e.attr("modelId")] = e
		case e.name == "cxn" && (kind == "" || kind == "parOf"):
			below[e.attr("srcId")] = append(below[e.attr("srcId")], e)
		}
	}
	var blocks []Block
	var visit func(id string, level int)
	visit = func(id string, level int) {
		node := nodes[id]
		if node == nil || level > xmlDepth {
			return
		}
		delete(nodes, id)
		for _, b := range textBody(node.child("t"), false) {
			blocks = append(blocks, Block{ListItem, max(1, min(level, 6)), b.Text})
		}
		slices.SortStableFunc(below[id], func(a, b *element) int { return cmp.Compare(a.number("srcOrd"), b.number("srcOrd")) })
		for _, link := range below[id] {
			visit(link.attr("destId"), level+1)
		}
	}
	for _, id := range roots { // the document first; others only if they hang from nothing
		visit(id, 0)
	}
	return blocks
}
