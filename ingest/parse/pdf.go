package parse

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"grounded/ingest/parse/pdftext"
)

func pdfFormat() Format {
	engine := &pdftext.Pdfium{}
	return Format{
		Name: "pdf", Version: 2, MediaType: "application/pdf",
		Extensions: []string{".pdf"},
		Sniff: func(data []byte) bool {
			return bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-"))
		},
		Parse: func(ctx context.Context, in Input) (Document, error) { return parsePDF(ctx, in, engine) },
	}
}

func parsePDF(ctx context.Context, in Input, engine *pdftext.Pdfium) (Document, error) {
	// Such a file may open, with most of its text gone.
	if replaced := bytes.Count(in.Data, []byte("\xef\xbf\xbd")); replaced > 20 && replaced*200 > len(in.Data) {
		return Document{}, errorf(Damaged, "The PDF was damaged when something treated it as text: %d of its bytes became U+FFFD. Get the original.", replaced)
	}
	r, err := openPDF(in, engine)
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
			pages[i] = splitColumns(pdftext.Lines(drawing.Glyphs))
		}
	}
	doc := Document{Metadata: pdfMetadata(r.file.Info()), Title: r.file.Info()["Title"]}
	doc.Language = languageCode(r.file.Info()["Lang"])
	dropRepeated(pages)
	style := measure(pages)
	labels, bookmarks := r.structure()
	outline, below := findBookmarks(bookmarks, pages), 0
	for i, lines := range pages {
		page := Page{Number: i + 1}
		if i < len(labels) && labels[i] != strconv.Itoa(i+1) {
			page.Label = labels[i]
		}
		page.Blocks, below = style.blocks(lines, outline[i], below)
		doc.Pages = append(doc.Pages, page)
	}
	scans := scanReader{in: in}
	if err := seen.readScans(ctx, &scans, r, &doc); err != nil {
		return Document{}, err
	}
	if len(doc.Scans) == 0 && !slices.ContainsFunc(doc.Pages, func(p Page) bool { return len(p.Blocks) > 0 }) {
		return Document{}, seen.why(&scans)
	}
	doc.Warnings = append(seen.warnings(), scans.warnings()...)
	if r.broken {
		doc.Warnings = append(doc.Warnings, "The PDF is damaged, and parts of it may be missing. Get the original.")
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
