package parse

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"

	"grounded/ingest/parse/pdftext"
)

// pdfSeen collects page numbers by what is wrong with the pages.
type pdfSeen struct {
	scans   []pdfScan
	garbled []int // no letters of theirs can be told, or not all
	failed  []int
}

// pdfScan is a page that may be read as a picture.
type pdfScan struct {
	number  int
	letters int // that its text has; 0 if it has none that is of use
}

const (
	// manyPaths are enough to be letters.
	manyPaths = 50
	// fewLetters on a page that a picture covers may be a stamp on a scan.
	fewLetters = 150
	covers     = 0.6
)

// note files the page and reports whether its text is to be used.
func (s *pdfSeen) note(number int, d pdftext.Drawing) bool {
	told, odd := d.Letters()
	lost := d.Undecoded + odd
	switch {
	case lost > told:
		s.garbled = append(s.garbled, number)
		s.scans = append(s.scans, pdfScan{number: number})
		return false
	case told == 0:
		if d.Images > 0 || d.Paths >= manyPaths {
			s.scans = append(s.scans, pdfScan{number: number})
		} else if d.Failed {
			s.failed = append(s.failed, number)
		}
		return false
	}
	if d.Failed {
		s.failed = append(s.failed, number)
	}
	switch {
	case d.Undecoded*20 > told:
		s.garbled = append(s.garbled, number)
		s.scans = append(s.scans, pdfScan{number, told / 2})
	case told < fewLetters && d.Covered > covers:
		s.scans = append(s.scans, pdfScan{number: number, letters: told})
	}
	return true
}

// why says why there is no text at all.
func (s *pdfSeen) why(scans *scanReader) *Error {
	switch {
	case len(s.failed) > 0:
		return damagedPDF()
	case len(scans.failed) > 0:
		return errorf(NoText, "The PDF is a scan that could not be read: %v.", scans.reason)
	case len(s.garbled) > 0 && scans.able():
		return errorf(NoText, "The letters of the PDF can't be told: its fonts don't say which letters their glyphs are, and text recognition finds none either.")
	case len(s.garbled) > 0:
		return errorf(NoText, "The letters of the PDF can't be told: its fonts don't say which letters their glyphs are. It can be read as a scan is. %s", scanHint)
	case len(scans.unread) > 0:
		return errorf(NoText, "The PDF is a scan: its pages are pictures without text. %s", scanHint)
	case len(scans.without) > 0:
		return errorf(NoText, "The pages of the PDF are pictures in which text recognition finds no text.")
	}
	return errorf(Empty, "The pages of the PDF are empty.")
}

func (s *pdfSeen) warnings() []string {
	var all []string
	if len(s.garbled) > 0 {
		all = append(all, fmt.Sprintf("Not all text is there: %s letters that can't be told, since a font does not say which its glyphs are.", pageList(s.garbled)))
	}
	if len(s.failed) > 0 {
		all = append(all, fmt.Sprintf("Not all text is there: %s damaged in part.", pageList(s.failed)))
	}
	return all
}

// readScans reads the pages that are pictures into the document.
func (s *pdfSeen) readScans(ctx context.Context, scans *scanReader, r *pdfReader, doc *Document) error {
	for _, p := range s.scans {
		if slices.Contains(s.garbled, p.number) && !scans.able() {
			continue // that its letters can't be told says it all
		}
		blocks, err := scans.page(ctx, p.number, p.letters, func(dpi int) (*image.Gray, int, error) { return r.picture(p.number-1, dpi) })
		if err != nil {
			return err
		}
		if blocks != nil {
			doc.Pages[p.number-1].Blocks = blocks
			s.garbled = slices.DeleteFunc(s.garbled, func(n int) bool { return n == p.number })
		}
	}
	doc.Folder, doc.Scans = scans.folder, scans.scans
	return nil
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
