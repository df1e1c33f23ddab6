package parse

import (
	"errors"
	"fmt"
	"image"

	"grounded/ingest/parse/pdftext"
)

// pdfFile is a PDF that one of two engines has opened.
type pdfFile interface {
	Pages() int
	Page(i int) pdftext.Drawing
	Info() map[string]string
}

// pdfReader draws the pages of one file with the quick engine, and those that it has trouble with again with
// pdfium.
type pdfReader struct {
	data      []byte
	passwords []string
	engine    *pdftext.Pdfium
	file      pdfFile
	second    *pdftext.PdfiumFile // nil until it is needed
	failed    bool                // the second engine can't open it
	broken    bool                // it had to be repaired
}

// openPDF opens a file with the quick engine where that can. What is encrypted or damaged is opened by pdfium,
// which knows every encryption and finds its way through most damage; the quick engine gets a plain copy of it.
func openPDF(in Input, engine *pdftext.Pdfium) (*pdfReader, error) {
	r := &pdfReader{data: in.Data, passwords: in.Passwords, engine: engine}
	encrypted := pdftext.Encrypted(in.Data)
	if !encrypted {
		if file, err := pdftext.Open(in.Data); err == nil {
			r.file = file
			return r, nil
		}
	}
	var err error
	if r.second, err = engine.Open(in.Data, in.Passwords...); err == nil {
		r.file = r.second
		if plain, err := r.second.Plain(); err == nil {
			if file, err := pdftext.Open(plain); err == nil && file.Pages() == r.second.Pages() {
				r.file = file
			}
		}
		return r, nil
	}
	if errors.Is(err, pdftext.ErrPassword) {
		return nil, needsPassword("PDF", len(in.Passwords))
	}
	if encrypted {
		if file, err := pdftext.Open(in.Data); err == nil {
			r.file = file
			return r, nil
		}
	}
	if repaired, ok := pdftext.Repair(in.Data); ok {
		if file, err := pdftext.Open(repaired); err == nil {
			r.file, r.data, r.broken = file, repaired, true
			return r, nil
		}
	}
	return nil, damagedPDF()
}

// needsPassword says of a kind of file that none of so many passwords opens it.
func needsPassword(kind string, tried int) *Error {
	wrong := "It needs a password"
	switch {
	case tried == 1:
		wrong = "The password that was given does not open it"
	case tried > 1:
		wrong = fmt.Sprintf("None of the %d passwords that were given opens it", tried)
	}
	return errorf(Encrypted, "The %s is encrypted. %s: list it under ingest.passwords in the configuration, give it with --password, or save a copy without one.", kind, wrong)
}

func damagedPDF() *Error {
	return errorf(Damaged, "The PDF is damaged: no page of it can be read. Get the original, or print it to a new PDF.")
}

func (r *pdfReader) close() {
	if r.second != nil {
		r.second.Close()
	}
}

// pdfium returns the file as pdfium has opened it, or nil if it can't.
func (r *pdfReader) pdfium() *pdftext.PdfiumFile {
	if r.second != nil || r.failed {
		return r.second
	}
	second, err := r.engine.Open(r.data, r.passwords...)
	if err == nil && second.Pages() != r.file.Pages() {
		second.Close()
		err = errors.New("the engines differ over the pages")
	}
	if err != nil {
		r.failed = true
		return nil
	}
	r.second = second
	return second
}

// draw returns the page as drawn by the engine that tells more letters.
func (r *pdfReader) draw(i int) pdftext.Drawing {
	first := r.file.Page(i)
	if !first.Suspicious() || r.file == pdfFile(r.second) {
		return first
	}
	second := r.pdfium()
	if second == nil {
		return first
	}
	if other := second.Page(i); letters(other) > letters(first) {
		return other
	}
	return first
}

// structure returns what the pages are called and the outline, which only the quick engine tells.
func (r *pdfReader) structure() (labels []string, bookmarks []pdftext.Bookmark) {
	if file, ok := r.file.(*pdftext.File); ok {
		return file.Labels(), file.Outline()
	}
	return nil, nil
}

// picture draws the page, from 0, at so many dots an inch, or tells with how many it did.
func (r *pdfReader) picture(i, dpi int) (*image.Gray, int, error) {
	second := r.pdfium()
	if second == nil {
		return nil, 0, errors.New("pdfium can't open the file")
	}
	return second.Picture(i, dpi)
}

// letters counts the glyphs that can be told.
func letters(d pdftext.Drawing) int {
	told, _ := d.Letters()
	return told
}
