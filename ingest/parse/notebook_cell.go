package parse

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"golang.org/x/net/html"
)

// notebookOutputLength is how many characters of one output are kept.
const notebookOutputLength = 4000

// notebookOutput is what a cell printed or showed.
type notebookOutput struct {
	Type string                  `json:"output_type"`
	Text notebookText            `json:"text"` // that was printed; in nbformat 3 also that of a result
	HTML notebookText            `json:"html"` // nbformat 3
	Data map[string]notebookText `json:"data"` // by media type
	Name string                  `json:"ename"`
	Why  string                  `json:"evalue"`
}

// notebookWriter turns cells into blocks.
type notebookWriter struct {
	markdown  goldmark.Markdown
	blocks    []Block
	shortened int // outputs
}

func (w *notebookWriter) add(blocks ...Block) { w.blocks = append(w.blocks, blocks...) }

func (w *notebookWriter) cell(c notebookCell) error {
	switch c.Type {
	case "markdown":
		blocks, err := markdownBlocks(string(c.Source), w.markdown)
		if err != nil {
			return err
		}
		w.add(blocks...)
	case "heading":
		w.add(Block{Heading, max(1, min(c.Level, 6)), strings.ReplaceAll(string(c.Source), "\n", " ")})
	case "code":
		w.add(Block{Kind: Code, Text: firstNonEmpty(string(c.Source), string(c.Input))})
		for _, o := range c.Outputs {
			w.output(o)
		}
	case "raw":
		w.add(paragraphsOf(strings.Split(string(c.Source), "\n"))...)
	}
	return nil
}

var (
	terminalColours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
	// printedObject is what Python prints of an object that has no text, such as a plot.
	printedObject = regexp.MustCompile(`^[\[(]?<[\w. ]+( at 0x[0-9a-fA-F]+| size [^>]*)>[\])]?,?$`)
)

func (w *notebookWriter) output(o notebookOutput) {
	text := string(o.Text)
	switch {
	case o.Type == "error" || o.Type == "pyerr":
		text = o.Name + ": " + o.Why
	case o.table():
		if root, err := html.Parse(strings.NewReader(string(o.HTML) + string(o.Data["text/html"]))); err == nil {
			w.addTable(htmlBlocks(root, false))
			return
		}
	case o.Data["text/markdown"] != "":
		if blocks, err := markdownBlocks(w.shorten(string(o.Data["text/markdown"])), w.markdown); err == nil {
			w.add(blocks...)
			return
		}
	case text == "":
		text = string(o.Data["text/plain"])
	}
	text = strings.Trim(terminalColours.ReplaceAllString(text, ""), "\n")
	if strings.TrimSpace(text) == "" || printedObject.MatchString(strings.TrimSpace(text)) {
		return
	}
	w.add(Block{Kind: Code, Text: w.shorten(text)})
}

// table reports whether the output is one that was shown as a table.
func (o notebookOutput) table() bool {
	return strings.Contains(string(o.HTML), "<table") || strings.Contains(string(o.Data["text/html"]), "<table")
}

// addTable adds the rows of a table as far as an output may be long.
func (w *notebookWriter) addTable(blocks []Block) {
	length := 0
	for _, b := range blocks {
		if length += utf8.RuneCountInString(b.Text); length > notebookOutputLength {
			w.shortened++
			return
		}
		w.add(b)
	}
}

// shorten cuts an output that is too long behind a line.
func (w *notebookWriter) shorten(text string) string {
	if utf8.RuneCountInString(text) <= notebookOutputLength {
		return text
	}
	w.shortened++
	text = string([]rune(text)[:notebookOutputLength])
	if end := strings.LastIndexByte(text, '\n'); end > len(text)/2 {
		text = text[:end]
	}
	return text
}
