package parse

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// epubEntry is a line of a book's table of contents.
type epubEntry struct {
	title string
	level int // from 1
}

// epubEntries are the lines that lead to one part, in order.
type epubEntries []epubEntry

// contents returns the table of contents by the part that a line leads to.
func (b *epubPackage) contents(a *opcPackage) (map[string]epubEntries, error) {
	entries := map[string]epubEntries{}
	add := func(folder, href, title string, level int) {
		if title = normalise(strings.ReplaceAll(title, "\n", " "), false); title != "" && href != "" {
			name := partName(partOf(folder, href))
			entries[name] = append(entries[name], epubEntry{title, min(level, 6)})
		}
	}
	if b.nav != "" {
		data, err := a.read(b.nav)
		if err != nil {
			return nil, err
		}
		if root, err := html.Parse(strings.NewReader(closeElements(string(data)))); err == nil {
			for nav := range root.Descendants() {
				if nav.DataAtom == atom.Nav && slices.Contains(strings.Fields(attribute(nav, "epub:type")), "toc") {
					readNav(nav, 0, func(href, title string, level int) { add(path.Dir(b.nav), href, title, level) })
				}
			}
		}
	}
	if len(entries) > 0 || b.ncx == "" {
		return entries, nil
	}
	var ncx struct {
		Points []ncxPoint `xml:"navMap>navPoint"`
	}
	if _, err := a.readXML(b.ncx, &ncx); err != nil {
		return nil, err
	}
	readNCX(ncx.Points, 1, func(href, title string, level int) { add(path.Dir(b.ncx), href, title, level) })
	return entries, nil
}

// readNav tells of each link below a node of an EPUB 3 table of contents, at the level of lists around it.
func readNav(n *html.Node, level int, tell func(href, title string, level int)) {
	for c := range n.ChildNodes() {
		switch c.DataAtom {
		case atom.A:
			tell(attribute(c, "href"), nodeText(c), max(level, 1))
		case atom.Ol, atom.Ul:
			readNav(c, level+1, tell)
		default:
			readNav(c, level, tell)
		}
	}
}

func nodeText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// ncxPoint is a line of an EPUB 2 table of contents (ANSI/NISO Z39.86-2005, 8).
type ncxPoint struct {
	Label   string `xml:"navLabel>text"`
	Content struct {
		Src string `xml:"src,attr"`
	} `xml:"content"`
	Points []ncxPoint `xml:"navPoint"`
}

func readNCX(points []ncxPoint, level int, tell func(href, title string, level int)) {
	for _, p := range points {
		tell(p.Content.Src, p.Label, level)
		readNCX(p.Points, level+1, tell)
	}
}

// titleWithin is how many blocks at the beginning of a part may hold its title.
const titleWithin = 6

// apply gives a part's headings the levels that the contents have for them, and others levels below. A part that
// does not show the title that the contents have for it gets it as a heading.
func (e epubEntries) apply(blocks []Block) []Block {
	if len(e) == 0 || len(blocks) == 0 {
		return blocks
	}
	levels := map[string]int{}
	for _, entry := range e {
		levels[lettersOf(entry.title)] = entry.level
	}
	first := e[0]
	title := lettersOf(first.title)
	beginning := ""
	for _, b := range blocks[:min(len(blocks), titleWithin)] {
		beginning += lettersOf(b.Text)
	}
	untitled := title != "" && !strings.Contains(beginning, title)
	level := first.level // of the next heading that the contents don't list
	if untitled {
		level++
	}
	shift, shifted := 0, false // between the levels of the part and those of the contents
	for i, b := range blocks {
		if b.Kind != Heading && (b.Kind != Paragraph || i >= titleWithin) {
			continue
		}
		listed, ok := levels[lettersOf(b.Text)]
		if !ok && b.Kind == Paragraph {
			continue
		}
		if b.Kind == Heading && (ok || !shifted) {
			shift, shifted = level-b.Level, true
			if ok {
				shift = listed - b.Level
			}
		}
		if ok && b.Kind == Paragraph {
			level = listed + 1
		}
		if !ok {
			listed = max(1, min(b.Level+shift, 6))
		}
		blocks[i] = Block{Heading, listed, strings.ReplaceAll(b.Text, "\n", " ")}
	}
	if untitled {
		return append([]Block{{Heading, first.level, first.title}}, blocks...)
	}
	return blocks
}

// lettersOf returns the letters and digits of a text, small.
func lettersOf(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
