package parse

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Limits of what is read from JSON, in characters and numbers.
const (
	jsonEncoded = 512 // a text without blanks of this length is no text
	jsonVector  = 256 // more numbers than that in an array are for programs
	jsonLine    = 300 // values that are longer are paragraphs by themselves
	jsonCell    = 200 // a table has no longer values
	jsonColumns = 40
)

var encoded = regexp.MustCompile(`^(?:data:[^,]{0,100},)?[A-Za-z0-9+/_=-]+$`)

// isEncoded reports whether a text is a picture, a key or the like.
func isEncoded(s string) bool { return len(s) >= jsonEncoded && encoded.MatchString(s) }

// numbers counts the numbers in an array that has nothing else, even in arrays within it; else it returns 0.
func (v jsonValue) numbers() int {
	n := 0
	for _, item := range v.items {
		more := 0
		switch item.kind {
		case jsonNumber:
			more = 1
		case jsonArray:
			more = item.numbers()
		}
		if more == 0 {
			return 0
		}
		n += more
	}
	return n
}

// field returns the text of the first key that has one.
func (v jsonValue) field(keys ...string) (key, text string) {
	for _, k := range keys {
		for i, name := range v.keys {
			if strings.EqualFold(name, k) && v.items[i].kind == jsonString && strings.TrimSpace(v.items[i].text) != "" {
				return name, strings.TrimSpace(v.items[i].text)
			}
		}
	}
	return "", ""
}

// jsonPair is a value with the path to it: "server.ports[0]".
type jsonPair struct{ path, text string }

// pairs returns all there is in a value; scalars that are alike in one.
func (v jsonValue) pairs(path string) []jsonPair {
	var pairs []jsonPair
	switch v.kind {
	case jsonString, jsonNumber:
		if text := strings.TrimSpace(v.text); text != "" {
			pairs = append(pairs, jsonPair{path, text})
		}
	case jsonObject:
		for i, key := range v.keys {
			if path != "" {
				key = path + "." + key
			}
			pairs = append(pairs, v.items[i].pairs(key)...)
		}
	case jsonArray:
		if texts, ok := v.scalars(); ok {
			if text := strings.Join(texts, ", "); text != "" {
				pairs = append(pairs, jsonPair{path, text})
			}
			return pairs
		}
		for i, item := range v.items {
			pairs = append(pairs, item.pairs(fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return pairs
}

// scalars returns the texts of an array that has only numbers, or only short texts.
func (v jsonValue) scalars() (texts []string, ok bool) {
	numbers := v.numbers() > 0
	for _, item := range v.items {
		switch {
		case item.kind == jsonArray && numbers:
			inner, _ := item.scalars()
			texts = append(texts, inner...)
		case item.kind == jsonObject || item.kind == jsonArray || strings.Contains(item.text, "\n") || len(item.text) > jsonCell:
			return nil, false
		case strings.TrimSpace(item.text) != "":
			texts = append(texts, strings.TrimSpace(item.text))
		}
	}
	return texts, true
}

// jsonWriter turns values into blocks.
type jsonWriter struct {
	ctx     context.Context
	title   string
	blocks  []Block
	encoded int
}

func (w *jsonWriter) document() Document {
	doc := Document{Title: w.title, Pages: []Page{{Blocks: w.blocks}}}
	if w.encoded > 0 {
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("Left out, because they are data for programs, such as pictures or vectors: %d values.", w.encoded))
	}
	return doc
}

// top writes the value that the file consists of.
func (w *jsonWriter) top(v jsonValue) {
	if v.kind == jsonObject {
		_, w.title = v.field("title")
		if b, ok := w.article(v, 2); ok {
			w.blocks = b
			return
		}
	}
	w.object("", v, 2)
}

// object writes what is in a value as a list of paths and values; what is a list of objects gets a heading, and stands
// behind the rest.
func (w *jsonWriter) object(path string, v jsonValue, level int) {
	if v.kind != jsonObject {
		w.pairs(v.pairs(path))
		return
	}
	type section struct {
		path  string
		value jsonValue
	}
	var sections []section
	var pairs []jsonPair
	for i, item := range v.items {
		key := v.keys[i]
		if path != "" {
			key = path + "." + key
		}
		_, scalars := item.scalars()
		switch {
		case item.kind == jsonArray && !scalars, item.kind == jsonObject && (path == "" || item.hasRecords()):
			sections = append(sections, section{key, item})
		default:
			pairs = append(pairs, item.pairs(key)...)
		}
	}
	w.pairs(pairs)
	for _, s := range sections {
		if len(s.value.pairs(s.path)) == 0 {
			continue
		}
		w.blocks = append(w.blocks, Block{Heading, min(level, 6), s.path})
		if s.value.kind == jsonObject {
			w.object(s.path, s.value, level+1)
			continue
		}
		records := jsonRecords{jsonWriter: w, level: level + 1}
		for _, item := range s.value.items {
			if records.add(item) != nil {
				return
			}
		}
		records.end()
	}
}

// hasRecords reports whether an object has arrays of objects, also further below.
func (v jsonValue) hasRecords() bool {
	for _, item := range v.items {
		if _, scalars := item.scalars(); item.kind == jsonArray && !scalars || item.kind == jsonObject && item.hasRecords() {
			return true
		}
	}
	return false
}

// pairs writes a line for each short value, and paragraphs for a longer one.
func (w *jsonWriter) pairs(pairs []jsonPair) {
	for _, p := range pairs {
		text := p.text
		if p.path != "" {
			text = p.path + ": " + text
		}
		if strings.Contains(p.text, "\n") || utf8.RuneCountInString(p.text) > jsonLine {
			w.blocks = append(w.blocks, textBlocks(text)...)
		} else {
			w.blocks = append(w.blocks, Block{ListItem, 1, text})
		}
	}
}

// Keys under which exports have what a text is called, and the text.
var (
	titleKeys = []string{"title", "headline", "heading", "subject", "question", "name", "label"}
	textKeys  = []string{"text", "content", "body", "page_content", "html", "markdown", "answer", "article"}
)

// article writes an object that is a text with a title, such as a page of a wiki or an entry of a blog.
func (w *jsonWriter) article(v jsonValue, level int) ([]Block, bool) {
	titleKey, title := v.field(titleKeys...)
	textKey, text := v.field(textKeys...)
	if title == "" || text == "" || utf8.RuneCountInString(title) > jsonLine {
		return nil, false
	}
	rest := jsonValue{kind: jsonObject}
	for i, key := range v.keys {
		if key != titleKey && key != textKey {
			rest.keys, rest.items = append(rest.keys, key), append(rest.items, v.items[i])
		}
	}
	other := jsonWriter{ctx: w.ctx}
	other.pairs(rest.pairs(""))
	blocks := append([]Block{{Heading, min(level, 6), strings.Join(strings.Fields(title), " ")}}, other.blocks...)
	for _, b := range w.markup(text) {
		if b.Kind == Heading {
			b.Level = min(b.Level+level, 6)
		}
		blocks = append(blocks, b)
	}
	return blocks, true
}

var (
	htmlInText     = regexp.MustCompile(`(?i)</(?:p|div|li|h[1-6]|a|strong|b|em|td|span)>|<br ?/?>`)
	markdownInText = regexp.MustCompile("(?m)^(?:#{1,6} \\S|```|\\|.*\\|$)")
)

// markup reads a text as HTML, Markdown or plain text, as it looks.
func (w *jsonWriter) markup(text string) []Block {
	read := parseText
	switch {
	case htmlInText.MatchString(text):
		if root, err := html.Parse(strings.NewReader(text)); err == nil {
			return htmlBlocks(root, false)
		}
	case markdownInText.MatchString(text):
		read = markdownFormat().Parse
	}
	doc, err := read(w.ctx, Input{Data: []byte(text)})
	if err != nil {
		return textBlocks(text)
	}
	var blocks []Block
	for _, p := range doc.Pages {
		blocks = append(blocks, p.Blocks...)
	}
	return blocks
}

// jsonRecords writes the elements of an array: as a table if they are objects with the same few keys, else each by
// itself.
type jsonRecords struct {
	*jsonWriter
	level  int         // of headings of elements
	top    []jsonValue // the first elements, by which it is decided
	ready  bool        // that is done
	header []string    // the paths that are columns; nil if it is no table
	number int         // of the last element
}

func (r *jsonRecords) add(v jsonValue) error {
	if r.ready {
		r.write(v)
		return r.ctx.Err()
	}
	if r.top = append(r.top, v); len(r.top) == headerSample {
		r.decide()
	}
	return r.ctx.Err()
}

func (r *jsonRecords) end() {
	if !r.ready {
		r.decide()
	}
}

func (r *jsonRecords) decide() {
	top := r.top
	r.top, r.ready = nil, true
	if len(top) > 0 && !slices.ContainsFunc(top, func(v jsonValue) bool { _, ok := v.scalars(); return v.kind != jsonArray || !ok }) {
		r.matrix(top)
		return
	}
	if r.header = r.columns(top); r.header != nil {
		r.blocks = append(r.blocks, Block{Kind: TableHeader, Text: rowText(r.header)})
	}
	for _, v := range top {
		r.write(v)
	}
}

// matrix writes arrays as rows.
func (r *jsonRecords) matrix(rows []jsonValue) {
	var w tableWriter
	for _, row := range rows {
		cells := make([]string, len(row.items))
		for i, item := range row.items {
			cells[i] = item.text
			if item.kind == jsonArray {
				texts, _ := item.scalars()
				cells[i] = strings.Join(texts, ", ")
			}
		}
		w.add(cells)
	}
	r.blocks = append(r.blocks, w.end()...)
	r.number += len(rows)
}

// columns returns the paths of objects that make a table, or nil.
func (r *jsonRecords) columns(values []jsonValue) []string {
	var header []string
	filled := 0
	for _, v := range values {
		if v.kind != jsonObject {
			return nil
		}
		if _, ok := r.article(v, r.level); ok {
			return nil
		}
		for _, p := range v.pairs("") {
			if strings.Contains(p.path, "[") || strings.Contains(p.text, "\n") || utf8.RuneCountInString(p.text) > jsonCell {
				return nil
			}
			filled++
			if !slices.Contains(header, p.path) {
				header = append(header, p.path)
			}
		}
		if len(header) > jsonColumns {
			return nil
		}
	}
	if len(header) < 2 || len(values) < 2 || 2*filled < len(header)*len(values) {
		return nil
	}
	return header
}

func (r *jsonRecords) write(v jsonValue) {
	r.number++
	if r.header != nil && v.kind == jsonObject {
		r.row(v)
		return
	}
	if v.kind != jsonObject {
		r.pairs(v.pairs(""))
		return
	}
	if blocks, ok := r.article(v, r.level); ok {
		r.blocks = append(r.blocks, blocks...)
		return
	}
	if len(v.pairs("")) == 0 {
		return
	}
	_, label := v.field(append(titleKeys, "id", "key", "url", "path")...)
	if label == "" || utf8.RuneCountInString(label) > jsonLine || strings.Contains(label, "\n") {
		label = fmt.Sprintf("#%d", r.number)
	}
	r.blocks = append(r.blocks, Block{Heading, min(r.level, 6), label})
	r.pairs(v.pairs(""))
}

// row writes an object as a row. What has no column stands at its end, with its path.
func (r *jsonRecords) row(v jsonValue) {
	cells := make([]string, len(r.header))
	for _, p := range v.pairs("") {
		if at := slices.Index(r.header, p.path); at >= 0 && cells[at] == "" {
			cells[at] = p.text
		} else {
			cells = append(cells, p.path+": "+p.text)
		}
	}
	if text := rowText(cells); text != "" {
		r.blocks = append(r.blocks, Block{Kind: TableRow, Text: text})
	}
}
