package parse

import (
	"fmt"
	"strings"
	"unicode"

	"grounded/ingest/parse/pdftext"
)

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
