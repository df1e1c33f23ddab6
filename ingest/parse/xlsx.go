package parse

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/xuri/excelize/v2"
)

// xlsxTotal is how many bytes the sheets and texts of a workbook may unpack to.
const xlsxTotal = 256 << 20

func xlsxFormat() Format {
	return Format{
		Name: "xlsx", Version: 1, MediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		Extensions: []string{".xlsx", ".xlsm", ".xltx", ".xltm"},
		Sniff:      func(data []byte) bool { return sniffOPC(data, "xl/workbook") },
		Parse:      parseXLSX,
	}
}

var xlsxKind = opcKind{noun: "workbook", program: "Excel", main: "xl/workbook.xml", part: xlsxTotal}

// xlsxBook reads the sheets of a workbook.
type xlsxBook struct {
	*opcPackage
	ctx context.Context
	doc Document
	// cells gives their texts as a person sees them.
	cells *excelize.File
}

// parseXLSX makes a page of each sheet, or several of a long one.
func parseXLSX(ctx context.Context, in Input) (Document, error) {
	a, err := openOPC(in.Data, xlsxKind)
	if err != nil {
		return Document{}, err
	}
	main, err := a.mainPart()
	if err != nil {
		return Document{}, err
	}
	if strings.HasSuffix(main, ".bin") || a.has("xl/workbook.bin") && !a.has(main) {
		return Document{}, errorf(UnsupportedFormat, "It is a workbook in Excel's binary format (.xlsb); save it as .xlsx.")
	}
	data, err := a.read(main)
	if err != nil {
		return Document{}, err
	}
	sheets, complete := findElements(data, "sheet")
	if !complete || len(sheets) == 0 {
		return Document{}, a.damaged()
	}
	links, err := a.relationships(main)
	if err != nil {
		return Document{}, err
	}
	b := xlsxBook{opcPackage: a, ctx: ctx, doc: Document{Separate: true, Metadata: map[string]any{}}}
	if err := a.readProperties(&b.doc); err != nil {
		return Document{}, err
	}
	if b.cells, err = openCells(a); err != nil {
		return Document{}, err
	}
	defer func() { _ = b.cells.Close() }()
	var hidden []string
	for _, s := range sheets {
		name := s.attr("name")
		if state := s.attr("state"); state == "hidden" || state == "veryHidden" {
			hidden = append(hidden, name)
		}
		pages, err := b.sheet(name, relatedBy(links, s.link("id")))
		if err != nil {
			return Document{}, err
		}
		b.doc.Pages = append(b.doc.Pages, pages...)
	}
	if !hasBlocks(b.doc.Pages) && len(b.doc.Warnings) > 0 {
		return Document{}, a.damaged()
	}
	if len(hidden) > 0 {
		b.warn("Sheets that are hidden in Excel were read too: %s.", strings.Join(hidden, ", "))
	}
	return b.doc, nil
}

func (b *xlsxBook) warn(format string, args ...any) {
	b.doc.Warnings = append(b.doc.Warnings, fmt.Sprintf(format, args...))
}

// openCells opens a copy of the workbook that lacks what has no cells, such as pictures, so that its size does not
// count.
func openCells(a *opcPackage) (*excelize.File, error) {
	var copied bytes.Buffer
	z := zip.NewWriter(&copied)
	total := uint64(0)
	for name, f := range a.files {
		if !hasCells(name) {
			continue
		}
		total += f.UncompressedSize64
		if f.UncompressedSize64 > xlsxTotal || total > xlsxTotal {
			return nil, a.tooLarge()
		}
		if err := z.Copy(f); err != nil {
			return nil, a.damaged()
		}
	}
	if err := z.Close(); err != nil {
		return nil, a.damaged()
	}
	cells, err := excelize.OpenReader(&copied, excelize.Options{
		UnzipSizeLimit: xlsxTotal, UnzipXMLSizeLimit: xlsxTotal, ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd",
	})
	if err != nil {
		return nil, a.damaged()
	}
	return cells, nil
}

// hasCells reports whether a part of the name may say what is in cells, or how it is shown.
func hasCells(name string) bool {
	switch path.Ext(name) {
	case ".xml", ".rels":
	default:
		return false
	}
	for _, folder := range []string{"drawings", "charts", "diagrams", "pivotcache", "pivottables", "externallinks", "media", "embeddings", "customxml"} {
		if strings.Contains(name, "/"+folder+"/") || strings.HasPrefix(name, folder+"/") {
			return false
		}
	}
	return path.Base(name) != "calcchain.xml"
}
