package pdftext

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	pixels "image/draw"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Pdfium opens files with pdfium, in WebAssembly. It starts when it is first used, which takes seconds once and
// tenths of a second with the compiled code from the user's cache folder; it holds about 100 MB. The zero value
// is ready for use, by one goroutine at a time.
type Pdfium struct {
	start    sync.Once
	pool     pdfium.Pool
	err      error
	instance pdfium.Pdfium // nil: the next file gets a new one
	taken    int           // bytes of files that the instance has opened; its memory never shrinks
}

// maxTaken is how many bytes of files an instance opens before it is replaced.
const maxTaken = 64 << 20

func (p *Pdfium) ready() error {
	p.start.Do(func() {
		config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling)
		if folder, err := os.UserCacheDir(); err == nil {
			if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(folder, "grounded", "pdfium")); err == nil {
				config = config.WithCompilationCache(cache)
			}
		}
		p.pool, p.err = webassembly.Init(webassembly.Config{MaxIdle: 1, MaxTotal: 1, RuntimeConfig: config,
			FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard})
	})
	if p.err != nil || p.instance != nil {
		return p.err
	}
	var err error
	p.instance, err = p.pool.GetInstance(time.Minute)
	p.taken = 0
	return err
}

// drop gives the instance up, with all that it holds.
func (p *Pdfium) drop() {
	if p.instance != nil {
		_ = p.instance.Kill()
		p.instance = nil
	}
}

// trapped reports whether the error says that pdfium itself failed, after which its memory is not to be trusted.
func trapped(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "wasm error") || strings.Contains(err.Error(), "panic occurred") ||
		strings.Contains(err.Error(), "module closed"))
}

// PdfiumFile is a PDF that pdfium has opened. Close it.
type PdfiumFile struct {
	engine   *Pdfium
	instance pdfium.Pdfium
	document references.FPDF_DOCUMENT
	pages    int
	lost     bool // pdfium has failed on it
}

// Open opens a PDF with the first of the passwords, of user or owner, that fits; one without a password needs
// none of them. The error is ErrPassword where none fits.
func (p *Pdfium) Open(data []byte, passwords ...string) (*PdfiumFile, error) {
	err := ErrPassword
	for i := -1; i < len(passwords) && errors.Is(err, ErrPassword); i++ {
		request := &requests.OpenDocument{File: &data}
		if i >= 0 {
			request.Password = &passwords[i]
		}
		var f *PdfiumFile
		if f, err = p.open(request, len(data)); err == nil {
			return f, nil
		}
	}
	return nil, err
}

func (p *Pdfium) open(request *requests.OpenDocument, size int) (*PdfiumFile, error) {
	if p.taken > 0 && p.taken+size > maxTaken {
		p.drop()
	}
	if err := p.ready(); err != nil {
		return nil, fmt.Errorf("start pdfium: %w", err)
	}
	p.taken += size
	opened, err := p.instance.OpenDocument(request)
	if errors.Is(err, pdfiumerrors.ErrPassword) {
		return nil, ErrPassword
	}
	if trapped(err) {
		p.drop()
	}
	if err != nil {
		return nil, err
	}
	f := &PdfiumFile{engine: p, instance: p.instance, document: opened.Document}
	count, err := p.instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: f.document})
	if err == nil && count.PageCount == 0 {
		err = errors.New("no pages")
	}
	if err != nil {
		f.check(err)
		f.Close()
		return nil, err
	}
	f.pages = min(count.PageCount, maxPages)
	return f, nil
}

// check gives pdfium up when it has failed; the file then has nothing more to tell.
func (f *PdfiumFile) check(err error) {
	if trapped(err) && !f.lost {
		f.lost = true
		if f.engine.instance == f.instance {
			f.engine.drop()
		}
	}
}

// Close frees what pdfium holds of the file.
func (f *PdfiumFile) Close() {
	if !f.lost {
		_, err := f.instance.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: f.document})
		f.check(err)
	}
}

// maxPlain bounds the size of a plain copy, in bytes.
const maxPlain = 256 << 20

// Plain returns the file without encryption, with a sound table of its objects.
func (f *PdfiumFile) Plain() ([]byte, error) {
	if f.lost {
		return nil, errLost
	}
	var out bounded
	_, err := f.instance.FPDF_SaveAsCopy(&requests.FPDF_SaveAsCopy{
		Document: f.document, Flags: requests.SaveFlagRemoveSecurity, FileWriter: &out})
	f.check(err)
	return out.Bytes(), err
}

var errLost = errors.New("pdfium failed on the file")

// bounded keeps at most maxPlain bytes.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPlain {
		return 0, errors.New("the copy is too large")
	}
	return b.Buffer.Write(p)
}

// Pages is how many pages there are.
func (f *PdfiumFile) Pages() int { return f.pages }

// Info is as File.Info.
func (f *PdfiumFile) Info() map[string]string {
	info := map[string]string{}
	for _, key := range []string{"Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"} {
		got, err := f.instance.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: f.document, Tag: key})
		if err == nil && got.Value != "" {
			info[key] = got.Value
		}
	}
	return info
}

// Page draws the page with this number, from 0.
func (f *PdfiumFile) Page(i int) Drawing {
	if f.lost {
		return Drawing{Failed: true}
	}
	out, err := f.page(i)
	f.check(err)
	out.Failed = err != nil
	return out
}

func (f *PdfiumFile) page(i int) (out Drawing, err error) {
	loaded, err := f.instance.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: f.document, Index: i})
	if err != nil {
		return out, err
	}
	page := requests.Page{ByReference: &loaded.Page}
	defer func() { _, _ = f.instance.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page}) }()
	out.Images = f.images(page)
	rotate, err := f.instance.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
	if err != nil {
		return out, err
	}
	text, err := f.instance.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return out, err
	}
	defer func() { _, _ = f.instance.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage}) }()
	count, err := f.instance.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: text.TextPage})
	if err != nil {
		return out, err
	}
	turn := rotation(90 * int(rotate.PageRotation))
	for i := range min(count.Count, maxGlyphs) {
		g, ok, err := f.glyph(text.TextPage, i, turn)
		if err != nil {
			return out, err
		}
		if !ok {
			continue
		}
		if g.Text == "" {
			out.Undecoded++
		}
		out.Glyphs = append(out.Glyphs, g)
	}
	markVertical(out.Glyphs)
	return out, nil
}

// pictureArea bounds a picture, in pixels: A3 at 200 dots an inch has 7.7 million.
const pictureArea = 12 << 20

// Picture draws the page with this number, from 0, as it is shown, in grey, at so many dots an inch or at fewer if it
// is very large. The picture is the caller's.
func (f *PdfiumFile) Picture(i, dpi int) (picture *image.Gray, madeWith int, err error) {
	if f.lost {
		return nil, 0, errLost
	}
	defer func() { f.check(err) }()
	size, err := f.instance.FPDF_GetPageSizeByIndex(&requests.FPDF_GetPageSizeByIndex{Document: f.document, Index: i})
	if err != nil {
		return nil, 0, err
	}
	if area := size.Width * size.Height / (72 * 72); area*float64(dpi*dpi) > pictureArea {
		if dpi = int(math.Sqrt(pictureArea / area)); dpi < 20 {
			return nil, 0, fmt.Errorf("the page is too large to be drawn: %.0f × %.0f inches", size.Width/72, size.Height/72)
		}
	}
	rendered, err := f.instance.RenderPageInDPI(&requests.RenderPageInDPI{
		Page: requests.Page{ByIndex: &requests.PageByIndex{Document: f.document, Index: i}},
		DPI:  dpi, ImageFormat: requests.RenderImageFormatGrayscale, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
	})
	if err != nil {
		return nil, 0, err
	}
	defer rendered.Cleanup()
	shown := rendered.Result.RenderedImage
	if shown == nil {
		return nil, 0, errors.New("pdfium drew nothing")
	}
	picture = image.NewGray(shown.Bounds())
	pixels.Draw(picture, picture.Rect, shown, picture.Rect.Min, pixels.Src)
	return picture, dpi, nil
}

// glyph reads a character; ok is false for one that pdfium has put in.
func (f *PdfiumFile) glyph(text references.FPDF_TEXTPAGE, i int, turn matrix) (g Glyph, ok bool, err error) {
	generated, err := f.instance.FPDFText_IsGenerated(&requests.FPDFText_IsGenerated{TextPage: text, Index: i})
	if err != nil || generated.IsGenerated {
		return g, false, err
	}
	unicode, err := f.instance.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	unknown, err := f.instance.FPDFText_HasUnicodeMapError(&requests.FPDFText_HasUnicodeMapError{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	m, err := f.instance.FPDFText_GetMatrix(&requests.FPDFText_GetMatrix{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	size, err := f.instance.FPDFText_GetFontSize(&requests.FPDFText_GetFontSize{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	origin, err := f.instance.FPDFText_GetCharOrigin(&requests.FPDFText_GetCharOrigin{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	box, err := f.instance.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: text, Index: i})
	if err != nil {
		return g, false, err
	}
	r := rune(unicode.Unicode)
	switch {
	case unknown.HasUnicodeMapError || r == 0 || r == 0xfffe || r == 0xffff || r == 0xfffd:
	case r == 2: // a hyphen at the end of a line
		g.Text = "-"
	default:
		g.Text = string(r)
	}
	trm := matrix{float64(m.Matrix.A), float64(m.Matrix.B), float64(m.Matrix.C), float64(m.Matrix.D), 0, 0}.times(turn)
	at := matrix{1, 0, 0, 1, origin.X, origin.Y}.times(turn)
	g.X, g.Y, g.Dir = at[4], at[5], direction(trm[0], trm[1])
	g.Size = size.FontSize * math.Hypot(trm[2], trm[3])
	g.Advance = float64(box.Rect.Right - box.Rect.Left)
	if math.Abs(float64(m.Matrix.B)) > math.Abs(float64(m.Matrix.A)) {
		g.Advance = float64(box.Rect.Top - box.Rect.Bottom)
	}
	if font, err := f.instance.FPDFText_GetFontInfo(&requests.FPDFText_GetFontInfo{TextPage: text, Index: i}); err == nil {
		g.Bold = strings.Contains(strings.ToLower(font.FontName), "bold")
	}
	return g, true, nil
}

func (f *PdfiumFile) images(page requests.Page) int {
	objects, err := f.instance.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: page})
	if err != nil {
		return 0
	}
	images := 0
	for i := range min(objects.Count, 1000) {
		object, err := f.instance.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: page, Index: i})
		if err != nil {
			return images
		}
		kind, err := f.instance.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: object.PageObject})
		if err == nil && kind.Type == 3 { // FPDF_PAGEOBJ_IMAGE
			images++
		}
	}
	return images
}

// markVertical finds the glyphs that are written downwards, which pdfium does not tell: each begins about its
// own size below the one before it.
func markVertical(glyphs []Glyph) {
	below := func(a, b Glyph) bool {
		size := math.Max(a.Size, 0.1)
		step := (a.Y - b.Y) / size
		return a.Dir == Right && b.Dir == Right && math.Abs(a.X-b.X) < 0.6*size && step > 0.4 && step < 1.4
	}
	steps := 0
	for i := 1; i < len(glyphs); i++ {
		if below(glyphs[i-1], glyphs[i]) {
			steps++
		}
	}
	if steps*2 < len(glyphs) {
		return
	}
	for i := range glyphs {
		glyphs[i].Dir = Vertical
	}
}
