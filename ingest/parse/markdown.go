package parse

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	renderer "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

func markdownFormat() Format {
	markdown := sync.OnceValue(newMarkdown)
	return Format{
		Name: "markdown", Version: 2, MediaType: "text/markdown",
		Extensions: []string{".md", ".markdown", ".mdown", ".mkd"},
		Text:       true,
		Parse:      func(_ context.Context, in Input) (Document, error) { return parseMarkdown(in, markdown()) },
	}
}

func newMarkdown() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList),
		goldmark.WithParserOptions(parser.WithHeadingAttribute()),
		goldmark.WithRendererOptions(renderer.WithUnsafe()), // keeps the text of HTML in it, which is never shown as HTML
	)
}

// parseMarkdown reads the front matter, and the rest as the HTML that it stands for, so that HTML inside it is
// read with it.
func parseMarkdown(in Input, markdown goldmark.Markdown) (Document, error) {
	doc := Document{}
	text, err := doc.decode(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	body, err := readFrontMatter(text, &doc)
	if err != nil {
		return Document{}, err
	}
	blocks, err := markdownBlocks(dropTags(body), markdown)
	if err != nil {
		return Document{}, err
	}
	doc.Pages = []Page{{Blocks: blocks}}
	return doc, nil
}

func markdownBlocks(text string, markdown goldmark.Markdown) ([]Block, error) {
	var rendered bytes.Buffer
	if err := markdown.Convert([]byte(text), &rendered); err != nil {
		return nil, errorf(Damaged, "Its Markdown can't be read: %v.", err)
	}
	root, err := html.Parse(&rendered)
	if err != nil {
		return nil, errorf(Damaged, "Its elements are nested deeper than any browser follows.")
	}
	dropBackLinks(root)
	return htmlBlocks(root, false), nil
}

// dropBackLinks removes the arrows behind footnotes that lead back to the text, and puts footnote numbers into
// brackets, so that they don't run into the word before them.
func dropBackLinks(root *html.Node) {
	var drop []*html.Node
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch class := attribute(n, "class"); {
		case class == "footnote-backref":
			drop = append(drop, n)
		case class == "footnote-ref" && n.FirstChild != nil:
			n.FirstChild.Data = "[" + strings.Trim(n.FirstChild.Data, "[]") + "]"
		}
	}
	for _, n := range drop {
		n.Parent.RemoveChild(n)
	}
}
