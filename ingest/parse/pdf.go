package parse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/ingest/parse/pdftext"
)

func pdfFormat() Format {
	engine := &pdftext.Pdfium{}
	return Format{
		Name: "pdf", Version: 1, MediaType: "application/pdf",
		Extensions: []string{".pdf"},
		Sniff: func(data []byte) bool {
			return bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-"))
		},
		Parse: func(ctx context.Context, in Input) (Document, error) { return parsePDF(ctx, in, engine) },
	}
}

// pdfFile is a PDF that one of two engines has opened.
type pdfFile interface {
	Pages() int
	Page(i int) pdftext.Drawing
	Info() map[string]string
}

// pdfReader draws the pages of one file with the quick engine, and those that it has trouble with again with
// pdfium.
type pdfReader struct {
	data   []byte
	engine *pdftext.Pdfium
	file   pdfFile
	second *pdftext.PdfiumFile // nil until it is needed
	failed bool                // the second engine can't open it
	broken bool                // it had to be repaired
}

func openPDF(data []byte, engine *pdftext.Pdfium) (*pdfReader, error) {
	r := &pdfReader{data: data, engine: engine}
	file, err := pdftext.Open(data)
	if err == nil {
		r.file = file
		return r, nil
	}
	if !errors.Is(err, pdftext.ErrPassword) {
		if r.second, err = engine.Open(data); err == nil {
			r.file = r.second
			return r, nil
		}
	}
	if errors.Is(err, pdftext.ErrPassword) {
		return nil, errorf(Encrypted, "The PDF needs a password; save a copy without one.")
	}
	if repaired, ok := pdftext.Repair(data); ok {
		if file, err := pdftext.Open(repaired); err == nil {
			r.file, r.data, r.broken = file, repaired, true
			return r, nil
		}
	}
	return nil, damagedPDF()
}

func damagedPDF() *Error {
	return errorf(Damaged, "The PDF is damaged: no page of it can be read. Get the original, or print it to a new PDF.")
}

func (r *pdfReader) close() {
	if r.second != nil {
		r.second.Close()
	}
}

// draw returns the page as drawn by the engine that tells more letters.
func (r *pdfReader) draw(i int) pdftext.Drawing {
	first := r.file.Page(i)
	if !first.Suspicious() || r.failed || r.file == pdfFile(r.second) {
		return first
	}
	if r.second == nil {
		second, err := r.engine.Open(r.data)
		if err != nil || second.Pages() != r.file.Pages() {
			if err == nil {
				second.Close()
			}
			r.failed = true
			return first
		}
		r.second = second
	}
	if other := r.second.Page(i); letters(other) > letters(first) {
		return other
	}
	return first
}

// letters counts the glyphs that can be told.
func letters(d pdftext.Drawing) int { return len(d.Glyphs) - d.Undecoded }

func parsePDF(ctx context.Context, in Input, engine *pdftext.Pdfium) (Document, error) {
	// Such a file may open, with most of its text gone.
	if replaced := bytes.Count(in.Data, []byte("\xef\xbf\xbd")); replaced > 20 && replaced*200 > len(in.Data) {
		return Document{}, errorf(Damaged, "The PDF was damaged when something treated it as text: %d of its bytes became U+FFFD. Get the original.", replaced)
	}
	r, err := openPDF(in.Data, engine)
	if err != nil {
		return Document{}, err
	}
	defer r.close()
	pages := make([][]pdftext.Line, r.file.Pages())
	var seen pdfSeen
	for i := range pages {
		if ctx.Err() != nil {
			return Document{}, ctx.Err()
		}
		drawing := r.draw(i)
		if seen.note(i+1, drawing) {
			pages[i] = pdftext.Lines(drawing.Glyphs)
		}
	}
	if seen.text == 0 {
		return Document{}, seen.why()
	}
	doc := Document{Metadata: pdfMetadata(r.file.Info()), Title: r.file.Info()["Title"], Warnings: seen.warnings()}
	if r.broken {
		doc.Warnings = append(doc.Warnings, "The PDF is damaged, and parts of it may be missing. Get the original.")
	}
	doc.Language = languageCode(r.file.Info()["Lang"])
	dropRepeated(pages)
	style := measure(pages)
	for i, lines := range pages {
		doc.Pages = append(doc.Pages, Page{Number: i + 1, Blocks: style.blocks(lines)})
	}
	if cover := coverTitle(doc.Pages); doc.Title == "" {
		doc.Title = cover
	}
	return doc, nil
}

// coverTitle joins the headings of a first page that has nothing else; "" if it has.
func coverTitle(pages []Page) string {
	var parts []string
	for _, page := range pages {
		for _, b := range page.Blocks {
			if b.Kind != Heading {
				return ""
			}
			parts = append(parts, b.Text)
		}
		if len(parts) > 0 {
			break
		}
	}
	if title := strings.Join(parts, " – "); len(parts) <= 4 && utf8.RuneCountInString(title) <= 160 {
		return title
	}
	return ""
}

// pdfSeen collects what the pages without text have instead.
type pdfSeen struct {
	text                            int   // pages with text
	pictures, garbled, failed, bare []int // page numbers
}

// note files the page and reports whether its text is to be used.
func (s *pdfSeen) note(number int, d pdftext.Drawing) bool {
	told := 0
	for _, g := range d.Glyphs {
		if strings.IndexFunc(g.Text, func(r rune) bool { return !unicode.IsSpace(r) }) >= 0 {
			told++
		}
	}
	switch {
	case d.Undecoded > told:
		s.garbled = append(s.garbled, number)
	case told > 0:
		s.text++
		if d.Failed {
			s.failed = append(s.failed, number)
		}
		return true
	case d.Images > 0:
		s.pictures = append(s.pictures, number)
	case d.Failed:
		s.failed = append(s.failed, number)
	default:
		s.bare = append(s.bare, number)
	}
	return false
}

// why says why there is no text at all.
func (s *pdfSeen) why() *Error {
	switch {
	case len(s.failed) > 0:
		return damagedPDF()
	case len(s.garbled) > 0:
		return errorf(NoText, "The letters of the PDF can't be told: its fonts don't say which letters their glyphs are. Print it to a new PDF with text recognition (OCR).")
	case len(s.pictures) > 0:
		return errorf(NoText, "The PDF is a scan: its pages are pictures without text. Run text recognition (OCR) on it first.")
	}
	return errorf(Empty, "The pages of the PDF are empty.")
}

func (s *pdfSeen) warnings() []string {
	var all []string
	for _, w := range []struct {
		pages []int
		what  string
	}{
		{s.pictures, "pictures without text"},
		{s.garbled, "letters that can't be told, since a font does not say which its glyphs are"},
		{s.failed, "damaged in part"},
	} {
		if len(w.pages) > 0 {
			all = append(all, fmt.Sprintf("Not all text is there: %s %s.", pageList(w.pages), w.what))
		}
	}
	return all
}

// pageList names pages: "page 3:", "pages 3, 4 and 9 more:".
func pageList(pages []int) string {
	if len(pages) == 1 {
		return fmt.Sprintf("page %d:", pages[0])
	}
	shown := min(len(pages), 5)
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(pages[:shown]), " ", ", "), "[]")
	if rest := len(pages) - shown; rest > 0 {
		list += fmt.Sprintf(" and %d more", rest)
	}
	return "pages " + list + ":"
}
