package parse

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func htmlFormat() Format {
	return Format{
		Name: "html", Version: 2, MediaType: "text/html",
		Extensions: []string{".html", ".htm", ".xhtml"},
		Text:       true,
		Sniff: func(data []byte) bool {
			head := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n"))
			return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
		},
		Parse: parseHTML,
	}
}

// declaredCharset is how a page or an XML file names its charset.
var declaredCharset = regexp.MustCompile(`(?i)<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)`)

func parseHTML(_ context.Context, in Input) (Document, error) {
	declared := ""
	if m := declaredCharset.FindSubmatch(in.Data[:min(len(in.Data), 4096)]); m != nil {
		declared = string(m[1])
	}
	doc := Document{Metadata: map[string]any{}}
	text, err := doc.decode(in.Data, declared)
	if err != nil {
		return Document{}, err
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return Document{}, errorf(Damaged, "Its elements are nested deeper than any browser follows.")
	}
	readHead(root, &doc)
	blocks := htmlBlocks(mainContent(root), true)
	if len(blocks) == 0 {
		blocks = htmlBlocks(root, false)
	}
	doc.Pages = []Page{{Blocks: blocks}}
	return doc, nil
}

// readHead fills in what the page says of itself.
func readHead(root *html.Node, doc *Document) {
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.Html:
			doc.Language = languageCode(attribute(n, "lang"))
		case atom.Title:
			if doc.Title == "" && n.FirstChild != nil && n.Namespace == "" {
				doc.Title = n.FirstChild.Data
			}
		case atom.Meta:
			name := strings.ToLower(attribute(n, "name") + attribute(n, "property") + attribute(n, "itemprop"))
			value := attribute(n, "content")
			switch name {
			case "description", "dc.description", "dcterms.description":
				put(doc.Metadata, metaDescription, value)
			case "author", "dc.creator", "dcterms.creator", "article:author":
				put(doc.Metadata, metaAuthor, value)
			case "keywords", "dc.subject":
				putKeywords(doc.Metadata, value)
			case "date", "dc.date", "dcterms.created", "article:published_time", "datepublished":
				putDate(doc.Metadata, metaCreated, value)
			case "last-modified", "dcterms.modified", "article:modified_time", "datemodified":
				putDate(doc.Metadata, metaModified, value)
			}
		}
	}
}

// mainContent returns the element that holds what the page is about: main, or the only article, when it has a
// good part of the page's text; else the whole page.
func mainContent(root *html.Node) *html.Node {
	var mains, articles []*html.Node
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.DataAtom == atom.Main || attribute(n, "role") == "main":
			mains = append(mains, n)
		case n.DataAtom == atom.Article:
			articles = append(articles, n)
		}
	}
	for _, list := range [][]*html.Node{mains, articles} {
		if len(list) == 1 && textLength(list[0])*4 > textLength(root) {
			return list[0]
		}
	}
	return root
}

func textLength(n *html.Node) int {
	length := 0
	for _, b := range htmlBlocks(n, true) {
		length += len(b.Text)
	}
	return length
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// unseen reports whether the element has no text that people read.
func unseen(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Svg, atom.Math, atom.Iframe, atom.Object, atom.Head,
		atom.Select, atom.Datalist, atom.Textarea, atom.Canvas, atom.Audio, atom.Video, atom.Map:
		return n.DataAtom != atom.Math
	}
	style := strings.ReplaceAll(strings.ToLower(attribute(n, "style")), " ", "")
	return hasAttribute(n, "hidden") || strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
}

// furniture matches the classes and ids of what surrounds the content on every page of a site.
var furniture = regexp.MustCompile(`(?i)^(?:.*[-_ ])?(?:breadcrumbs?|cookie(?:s|-?banner|-?consent|-?notice)?|skip-?(?:link|nav|to-content)|skipnav|navbar|site-?nav|site-?footer|site-?header|sidenav|toc-?nav|pagination|social-?share|share-?buttons)(?:[-_ ].*)?$`)

// surrounds reports whether the element is navigation and the like and no content.
func surrounds(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Nav, atom.Button:
		return true
	case atom.Footer, atom.Header:
		// Those of the page, not those of an article or section, and not one that has the page's heading.
		return within(n, atom.Article, atom.Section, atom.Main, atom.Blockquote) == nil && find(n, atom.H1) == nil
	}
	switch attribute(n, "role") {
	case "navigation", "search", "contentinfo", "menu", "menubar", "dialog", "alertdialog", "toolbar":
		return true
	case "banner":
		return find(n, atom.H1) == nil
	}
	switch n.DataAtom {
	case atom.Html, atom.Body, atom.Main, atom.Article:
		return false
	}
	return slices.ContainsFunc(strings.Fields(attribute(n, "class")), furniture.MatchString) || furniture.MatchString(attribute(n, "id"))
}

func within(n *html.Node, atoms ...atom.Atom) *html.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if slices.Contains(atoms, p.DataAtom) {
			return p
		}
	}
	return nil
}

func find(n *html.Node, a atom.Atom) *html.Node {
	for d := range n.Descendants() {
		if d.DataAtom == a {
			return d
		}
	}
	return nil
}
