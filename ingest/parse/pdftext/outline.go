package pdftext

import (
	"strings"

	"github.com/ledongthuc/pdf"
)

// Bookmark is an entry of the document's outline.
type Bookmark struct {
	Title string
	Level int // from 1
	Page  int // from 0
}

// Bounds on what a file can claim: entries of the outline, its depth, and entries of a tree.
const (
	maxBookmarks = 20_000
	maxNesting   = 32
	maxEntries   = 200_000
)

// Outline returns the bookmarks that lead to pages, in their order; of a damaged outline those before the damage.
func (f *File) Outline() []Bookmark {
	o := outliner{file: f}
	func() {
		defer func() { _ = recover() }()
		o.walk(f.reader.Trailer().Key("Root").Key("Outlines").Key("First"), 1)
	}()
	return o.bookmarks
}

type outliner struct {
	file      *File
	bookmarks []Bookmark
	visited   int
	pages     map[string]int       // by the description of the page's dictionary, which names its contents
	named     map[string]pdf.Value // destinations; nil until one is asked for
}

// walk lists an item, what is below it, and its siblings.
func (o *outliner) walk(item pdf.Value, level int) {
	for ; item.Kind() == pdf.Dict && level <= maxNesting; item = item.Key("Next") {
		if o.visited++; o.visited > maxBookmarks {
			return
		}
		title := strings.Join(strings.Fields(textString([]byte(item.Key("Title").RawString()))), " ")
		if page, ok := o.page(item); ok && title != "" {
			o.bookmarks = append(o.bookmarks, Bookmark{title, level, page})
		}
		o.walk(item.Key("First"), level+1)
	}
}

// page returns the page that the item leads to.
func (o *outliner) page(item pdf.Value) (int, bool) {
	target := item.Key("Dest")
	if target.IsNull() && item.Key("A").Key("S").Name() == "GoTo" {
		target = item.Key("A").Key("D")
	}
	switch target.Kind() {
	case pdf.String:
		target = o.lookUp(target.RawString())
	case pdf.Name:
		target = o.lookUp(target.Name())
	}
	if target.Kind() == pdf.Dict {
		target = target.Key("D")
	}
	page := target.Index(0)
	if page.Kind() != pdf.Dict {
		return 0, false
	}
	if o.pages == nil {
		o.pages = map[string]int{}
		for i, p := range o.file.pages {
			o.pages[p.value.String()] = i
		}
	}
	i, ok := o.pages[page.String()]
	return i, ok
}

// lookUp returns the destination of this name.
func (o *outliner) lookUp(name string) pdf.Value {
	root := o.file.reader.Trailer().Key("Root")
	if o.named == nil {
		o.named = map[string]pdf.Value{}
		names := tree{list: "Names", visit: func(key, value pdf.Value) { o.named[key.RawString()] = value }}
		names.walk(root.Key("Names").Key("Dests"), 0)
	}
	if v, ok := o.named[name]; ok {
		return v
	}
	return root.Key("Dests").Key(name)
}

// tree walks a name tree or a number tree (ISO 32000-1, 7.9.6 and 7.9.7).
type tree struct {
	list  string // the key of its pairs: Names or Nums
	visit func(key, value pdf.Value)
	seen  int // nodes and pairs
}

// walk visits the pairs below a node, and reports whether it went to the end.
func (t *tree) walk(node pdf.Value, depth int) bool {
	if t.seen++; depth > maxNesting || t.seen > maxEntries {
		return false
	}
	pairs := node.Key(t.list)
	for i := 0; i+1 < pairs.Len(); i += 2 {
		if t.seen++; t.seen > maxEntries {
			return false
		}
		t.visit(pairs.Index(i), pairs.Index(i+1))
	}
	kids := node.Key("Kids")
	for i := range kids.Len() {
		if !t.walk(kids.Index(i), depth+1) {
			return false
		}
	}
	return true
}
