package parse

import (
	"strconv"
	"strings"
)

// odfStyle is what a paragraph or a span gets from its style.
type odfStyle struct {
	parent    string
	display   string // name that people see
	level     int    // of a heading; 0 for none
	list      string // style of the list
	hidden    bool
	pageBreak bool // a page begins with it
}

// odfStyles are the styles by name; names of built-in ones are the same in all languages.
type odfStyles map[string]odfStyle

func readODFStyle(n *odfNode) odfStyle {
	s := odfStyle{parent: n.attr("parent-style-name"), display: n.attr("display-name"), list: n.attr("list-style-name")}
	s.level, _ = strconv.Atoi(n.attr("default-outline-level"))
	for _, c := range n.children {
		switch c.name {
		case "text-properties":
			s.hidden = s.hidden || c.attr("display") == "none"
		case "paragraph-properties":
			s.pageBreak = c.attr("break-before") == "page"
		case "table-properties":
			s.hidden = s.hidden || c.attr("display") == "false"
		case "drawing-page-properties":
			s.hidden = s.hidden || c.attr("visibility") == "hidden"
		}
	}
	return s
}

// odfRole is what a paragraph is by its style.
type odfRole struct {
	title bool // the document's title
	quote bool
	code  bool
	toc   bool // an entry of a table of contents
	level int  // of a heading; 0 for none
	list  string
}

// role follows a style to those that it is based on; nearer ones win. A chain is short, and may be a ring in a
// damaged file.
func (s odfStyles) role(name string) odfRole {
	var r odfRole
	for steps := 0; name != "" && steps < 20; steps++ {
		switch base := strings.ReplaceAll(name, "_20_", " "); {
		case base == "Title":
			r.title = true
		case base == "Quotations" || base == "Quote" || base == "Block Text":
			r.quote = true
		case base == "Preformatted Text" || base == "Source Text" || base == "Source Code":
			r.code = true
		case strings.HasPrefix(base, "Contents "):
			r.toc = true
		}
		style := s[name]
		if r.level == 0 {
			r.level = style.level
		}
		if r.list == "" {
			r.list = style.list
		}
		name = style.parent
	}
	return r
}

// readODFList tells which levels of a list style, from 1, have numbers.
func readODFList(n *odfNode) map[int]bool {
	numbered := map[int]bool{}
	for _, c := range n.children {
		if level, err := strconv.Atoi(c.attr("level")); err == nil {
			numbered[level] = c.name == "list-level-style-number" && c.attr("num-format") != ""
		}
	}
	return numbered
}
