package parse

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// pptxPart is how many bytes a part of a presentation may unpack to.
const pptxPart = 64 << 20

func pptxFormat() Format {
	return Format{
		Name: "pptx", Version: 1, MediaType: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		Extensions: []string{".pptx", ".pptm", ".ppsx", ".ppsm", ".potx"},
		Sniff:      func(data []byte) bool { return sniffOPC(data, "ppt/presentation") },
		Parse:      parsePPTX,
	}
}

var pptxKind = opcKind{noun: "presentation", program: "PowerPoint", main: "ppt/presentation.xml", part: pptxPart}

// pptxDeck reads the slides of a presentation.
type pptxDeck struct {
	*opcPackage
	// Numbers of slides that something is to be said about.
	hidden, torn, pictures, embedded []int
}

// parsePPTX makes a page of each slide, in the order of the presentation.
func parsePPTX(ctx context.Context, in Input) (Document, error) {
	a, err := openOPC(in.Data, pptxKind)
	if err != nil {
		return Document{}, err
	}
	main, err := a.mainPart()
	if err != nil {
		return Document{}, err
	}
	data, err := a.read(main)
	if err != nil {
		return Document{}, err
	}
	slides, complete := findElements(data, "sldId")
	if !complete {
		return Document{}, a.damaged()
	}
	links, err := a.relationships(main)
	if err != nil {
		return Document{}, err
	}
	doc := Document{Separate: true, Metadata: map[string]any{}}
	if err := a.readProperties(&doc); err != nil {
		return Document{}, err
	}
	d := pptxDeck{opcPackage: a}
	for i, s := range slides {
		if err := ctx.Err(); err != nil {
			return Document{}, err
		}
		blocks, err := d.slide(i+1, relatedBy(links, s.link("id")))
		if err != nil {
			return Document{}, err
		}
		doc.Pages = append(doc.Pages, Page{Blocks: blocks})
	}
	if !hasBlocks(doc.Pages) {
		switch {
		case len(d.torn) > 0:
			return Document{}, d.opcKind.damaged()
		case len(d.pictures) > 0:
			return Document{}, errorf(NoText, "Its slides have pictures only, and no text.")
		}
	}
	doc.Warnings = d.warnings()
	return doc, nil
}

func hasBlocks(pages []Page) bool {
	return slices.ContainsFunc(pages, func(p Page) bool { return len(p.Blocks) > 0 })
}

func (d *pptxDeck) warnings() []string {
	var warnings []string
	for _, w := range []struct {
		slides []int
		text   string
	}{
		{d.torn, "Some of the text is lost, because the file is damaged there: %s."},
		{d.pictures, "There are pictures but no text, so nothing was read: %s."},
		{d.embedded, "Embedded files were not read: %s."},
		{d.hidden, "Slides that are hidden in PowerPoint were read too: %s."},
	} {
		if len(w.slides) > 0 {
			warnings = append(warnings, fmt.Sprintf(w.text, numbered("slide", w.slides)))
		}
	}
	return warnings
}

// slide reads a slide, whose part has the name: what it shows, then its notes and comments.
func (d *pptxDeck) slide(number int, part string) ([]Block, error) {
	data, err := d.read(part)
	if err != nil {
		return nil, err
	}
	root, complete := rootElement(data)
	if !complete {
		d.torn = append(d.torn, number)
	}
	if root == nil {
		return nil, nil
	}
	if show := root.attr("show"); show == "0" || show == "false" {
		d.hidden = append(d.hidden, number)
	}
	links, err := d.relationships(part)
	if err != nil {
		return nil, err
	}
	w := shapeWalker{opcPackage: d.opcPackage, links: links}
	if err := w.walk(root); err != nil {
		return nil, err
	}
	blocks := append(w.title, w.blocks...)
	if len(blocks) == 0 && w.pictures > 0 {
		d.pictures = append(d.pictures, number)
	}
	if w.embedded > 0 {
		d.embedded = append(d.embedded, number)
	}
	notes, err := d.notes(links)
	if err != nil {
		return nil, err
	}
	comments, err := d.comments(links)
	return append(append(blocks, notes...), comments...), err
}

// notes returns what the speaker is to say.
func (d *pptxDeck) notes(links []relationship) ([]Block, error) {
	var blocks []Block
	for _, target := range related(links, "notesSlide") {
		data, err := d.read(target)
		if err != nil {
			return nil, err
		}
		shapes, _ := findElements(data, "sp")
		for _, shape := range shapes {
			if shape.placeholder() == "body" {
				blocks = append(blocks, textBody(shape.child("txBody"), false)...)
			}
		}
	}
	return under("Notes", blocks), nil
}

func (d *pptxDeck) comments(links []relationship) ([]Block, error) {
	var blocks []Block
	for _, target := range related(links, "comments") {
		data, err := d.read(target)
		if err != nil {
			return nil, err
		}
		comments, _ := findElements(data, "text", "txBody") // a txBody in a thread, a text before there were threads
		for _, c := range comments {
			if c.text != "" {
				blocks = append(blocks, textBlocks(c.text)...)
			}
			blocks = append(blocks, textBody(c, false)...)
		}
	}
	return under("Comments", blocks), nil
}

// under puts blocks, if there are any, under a heading.
func under(heading string, blocks []Block) []Block {
	if len(blocks) == 0 {
		return nil
	}
	return append([]Block{{Heading, 2, heading}}, blocks...)
}

// textBody returns the paragraphs of a shape; those without a mark of their own are list items if listed.
func textBody(body *element, listed bool) []Block {
	if body == nil {
		return nil
	}
	var blocks []Block
	var counts [10]int // of numbered items, by level
	for _, p := range body.children {
		if p.name != "p" {
			continue
		}
		text := tidy(strings.ReplaceAll(paragraphText(p), "\t", " "))
		if text == "" {
			continue
		}
		properties := p.child("pPr")
		level := min(properties.number("lvl"), 8)
		numbered := properties.child("buAutoNum")
		item := listed && properties.child("buNone") == nil || properties.child("buChar") != nil || properties.child("buBlip") != nil
		clear(counts[level+1:])
		if numbered == nil {
			counts[level] = 0
		}
		switch {
		case numbered != nil:
			counts[level]++
			if strings.HasPrefix(numbered.attr("type"), "arabic") {
				text = fmt.Sprintf("%d. %s", max(numbered.number("startAt"), 1)+counts[level]-1, text)
			}
			blocks = append(blocks, Block{ListItem, min(level+1, 6), text})
		case item:
			blocks = append(blocks, Block{ListItem, min(level+1, 6), text})
		default:
			blocks = append(blocks, Block{Kind: Paragraph, Text: text})
		}
	}
	return blocks
}

// paragraphText joins the runs of a paragraph, without what PowerPoint puts in by itself.
func paragraphText(e *element) string {
	var b strings.Builder
	b.WriteString(e.text)
	for _, c := range e.children {
		kind := c.attr("type")
		switch {
		case leftOut(c.name), c.name == "fld" && (kind == "slidenum" || strings.HasPrefix(kind, "datetime")):
		case c.name == "br":
			b.WriteByte('\n')
		case c.name == "tab":
			b.WriteByte('\t')
		default:
			b.WriteString(paragraphText(c))
		}
	}
	return b.String()
}
