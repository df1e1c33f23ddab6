package parse

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlBlocks returns the blocks below a node; without what surrounds the content if contentOnly.
func htmlBlocks(n *html.Node, contentOnly bool) []Block {
	w := htmlWalker{contentOnly: contentOnly}
	w.walk(n)
	w.flush()
	return w.blocks
}

// htmlWalker collects text into the block that is being written.
type htmlWalker struct {
	contentOnly bool
	blocks      []Block
	text        strings.Builder
	kind        Kind // of the block that is being written; empty is a paragraph
	level       int
	numbers     []int  // of the next item of each open list; 0 where items have none
	item        int    // how many bytes of text its number takes
	quotes      int    // open quotes
	pre         int    // open pre elements
	term        string // of a definition list, waiting for its definition
}

// flush ends the block.
func (w *htmlWalker) flush() {
	text := w.text.String()
	w.text.Reset()
	kind, level := w.kind, w.level
	if kind == "" {
		kind = Paragraph
		if w.quotes > 0 {
			kind = Quote
		}
	}
	if w.pre == 0 {
		text = tidy(text)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	w.blocks = append(w.blocks, Block{kind, level, text})
	if w.kind == ListItem { // more paragraphs of the item
		w.kind, w.level = "", 0
	}
}

// within runs f with another kind of block.
func (w *htmlWalker) within(kind Kind, level int, f func()) {
	w.flush()
	outerKind, outerLevel := w.kind, w.level
	w.kind, w.level = kind, level
	f()
	w.flush()
	w.kind, w.level = outerKind, outerLevel
}

func (w *htmlWalker) children(n *html.Node) {
	for c := range n.ChildNodes() {
		w.walk(c)
	}
}

func (w *htmlWalker) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.write(n.Data)
		return
	case html.DocumentNode:
		w.children(n)
		return
	case html.ElementNode:
	default:
		return
	}
	if unseen(n) || w.contentOnly && surrounds(n) {
		return
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.within(Heading, int(n.Data[1]-'0'), func() { w.children(n) })
	case atom.Pre, atom.Listing:
		w.within(Code, 0, func() {
			w.pre++
			w.children(n)
			w.flush()
			w.pre--
		})
	case atom.Ul, atom.Ol, atom.Menu:
		w.within("", 0, func() {
			w.numbers = append(w.numbers, firstNumber(n))
			w.children(n)
			w.numbers = w.numbers[:len(w.numbers)-1]
		})
	case atom.Li:
		w.within(ListItem, max(1, min(len(w.numbers), 6)), func() {
			if last := len(w.numbers) - 1; last >= 0 && w.numbers[last] > 0 {
				w.text.WriteString(strconv.Itoa(w.numbers[last]) + ". ")
				w.numbers[last]++
			}
			w.item = w.text.Len()
			w.children(n)
		})
	case atom.Dt:
		w.flush()
		before := len(w.blocks)
		w.children(n)
		w.flush()
		if len(w.blocks) == before+1 {
			w.term, w.blocks = w.blocks[before].Text, w.blocks[:before]
		}
	case atom.Dd:
		w.within(ListItem, max(1, min(len(w.numbers)+1, 6)), func() {
			if w.term != "" {
				w.text.WriteString(strings.TrimSuffix(w.term, ":") + ": ")
				w.term = ""
			}
			w.children(n)
		})
	case atom.Blockquote:
		w.within("", 0, func() {
			w.quotes++
			w.children(n)
			w.flush()
			w.quotes--
		})
	case atom.Table:
		w.flush()
		w.table(n)
	case atom.Br:
		w.text.WriteByte('\n')
	case atom.Wbr:
	case atom.Img:
		if alt := attribute(n, "alt"); alt != "" {
			if before, _ := utf8.DecodeLastRuneInString(w.text.String()); unicode.IsLetter(before) || unicode.IsDigit(before) {
				w.text.WriteByte(' ')
			}
			w.write(alt)
		}
	case atom.Input:
		w.text.WriteByte(' ')
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Main, atom.Header, atom.Footer, atom.Aside, atom.Nav, atom.Figure,
		atom.Figcaption, atom.Address, atom.Form, atom.Fieldset, atom.Legend, atom.Details, atom.Summary, atom.Hr, atom.Dl,
		atom.Body, atom.Html, atom.Center, atom.Caption, atom.Tr, atom.Td, atom.Th, atom.Tbody, atom.Thead, atom.Tfoot, atom.Hgroup, atom.Option:
		if w.kind == Heading || w.kind == Code {
			w.text.WriteByte(' ')
			w.children(n)
			w.text.WriteByte(' ')
			return
		}
		if w.kind == ListItem && strings.TrimSpace(w.text.String()[min(w.item, w.text.Len()):]) == "" {
			w.children(n) // the first paragraph of an item is the item
			w.flush()
			return
		}
		w.flush()
		w.children(n)
		w.flush()
	default:
		w.children(n)
	}
}

// write adds text; white space in it counts as one space, unless it is preformatted.
func (w *htmlWalker) write(s string) {
	if w.pre > 0 {
		w.text.WriteString(s)
		return
	}
	if strings.Contains(s, "\n") {
		s = wrapOfWide.ReplaceAllString(s, "$1$2")
	}
	// A line break in the source is a space; one that the author asked for stays apart from it.
	w.text.WriteString(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' || r == '\f' {
			return ' '
		}
		return r
	}, s))
}

// wrapOfWide is a line break between characters of scripts without spaces.
var wrapOfWide = regexp.MustCompile(`([\p{Han}\p{Hiragana}\p{Katakana}、。，；：？！）」』])[ \t]*\n[ \t]*([\p{Han}\p{Hiragana}\p{Katakana}（「『])`)

// firstNumber returns the number of the first item of a list; 0 for one without numbers.
func firstNumber(list *html.Node) int {
	if list.DataAtom != atom.Ol {
		return 0
	}
	if start, err := strconv.Atoi(attribute(list, "start")); err == nil && start > 0 {
		return start
	}
	return 1
}

// tidy removes white space at the ends of lines.
func tidy(s string) string {
	if !strings.Contains(s, "\n") {
		return strings.TrimSpace(s)
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
