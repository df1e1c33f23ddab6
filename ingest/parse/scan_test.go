package parse

import (
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"testing"

	"grounded/ingest/parse/ocr"
)

// engine is the tesseract of this machine, with English; it skips without.
func engine(t *testing.T) ocr.Engine {
	t.Helper()
	e, err := ocr.Find(t.Context(), nil)
	if err != nil || !e.Reads() {
		t.Skip("no tesseract (Debian: tesseract-ocr): ", err)
	}
	e.Languages = []string{"eng"}
	return e
}

func TestScansAreReadByTesseract(t *testing.T) {
	p := newPool(t, Config{Workers: 1, OCR: engine(t)})
	doc, err := p.Parse(t.Context(), Input{Path: filepath.Join(awkward, "scan.pdf")})
	if err != nil {
		t.Fatal(err)
	}
	if text := documentText(doc); !strings.Contains(text, "DELIVERY NOTE 2025-0417") || len(doc.Warnings) > 0 {
		t.Errorf("got %q, warnings %q", text, doc.Warnings)
	}
}

// outlines draws the letters of a word as areas, as programs do that turn fonts into curves.
func outlines(rows ...string) string {
	var b strings.Builder
	for y, row := range rows {
		for x, c := range row {
			if c == '#' {
				b.WriteString(rectangle(80+8*x, 700-8*y))
			}
		}
	}
	return b.String()
}

func rectangle(x, y int) string { return fmt.Sprintf("%d %d 8 8 re f\n", x, y) }

func gray(width, height int, value byte) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = value
	}
	return picture
}

func TestLettersThatArePaintedAreReadAsAScan(t *testing.T) {
	page := outlines(
		"#   # ### #     #     ",
		"#   #  #  #     #     ",
		"#   #  #  #     #     ",
		"#####  #  #     #     ",
		"#   #  #  #     #     ",
		"#   #  #  #     #     ",
		"#   # ### ##### ##### ")
	if got := codeFor("a.pdf", makePDF(page)); got != NoText {
		t.Errorf("without text recognition: got %q", got)
	}
	doc, err := formats().parse(t.Context(), Input{Name: "a.pdf", Data: []byte(makePDF(page)), ocr: engine(t)}, 1<<30)
	if err != nil || !strings.Contains(documentText(doc), "HILL") {
		t.Errorf("got %q, %v", documentText(doc), err)
	}
}

func TestScansAmongPagesOfText(t *testing.T) {
	text := strings.Repeat("The lock is opened by two people at each hour of the day. ", 4)
	page := at("F1", 10, 50, 700, text)
	stamp := "q 600 0 0 800 0 0 cm /X2 Do Q " + at("F1", 10, 50, 20, "Scanned 4 May")
	doc := parseData(t, "a.pdf", makePDF(page, stamp, "", "q 600 0 0 800 0 0 cm /X2 Do Q "+page, "q 9 0 0 9 0 0 cm /X2 Do Q "+at("F1", 10, 50, 700, "A logo")))
	if len(doc.Warnings) != 1 || !strings.Contains(doc.Warnings[0], "page 2: pictures that nothing here reads") || !strings.Contains(doc.Warnings[0], "tesseract") {
		t.Errorf("warnings %q", doc.Warnings)
	}
	// A picture of nothing but grey has no text to be read.
	read, err := formats().parse(t.Context(), Input{Name: "a.pdf", Data: []byte(makePDF(page, stamp)), ocr: engine(t)}, 1<<30)
	if err != nil || len(read.Warnings) > 0 || !strings.Contains(documentText(read), "Scanned 4 May") {
		t.Errorf("got %q, %q, %v", documentText(read), read.Warnings, err)
	}
}

func TestScansAreLeftForAModelThatSees(t *testing.T) {
	p := newPool(t, Config{Workers: 1, Pictures: true})
	scratch := t.TempDir()
	doc, err := p.Parse(t.Context(), Input{Path: filepath.Join(awkward, "scan.pdf"), Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Scans) != 1 || doc.Scans[0].Page != 1 || doc.Scans[0].MediaType != "image/jpeg" || len(doc.Pages) != 1 {
		t.Fatalf("got %+v", doc)
	}
	data, err := readFile(filepath.Join(doc.Folder, doc.Scans[0].File), 1<<20)
	if err != nil || !strings.HasPrefix(string(data), "\xff\xd8") || !strings.HasPrefix(doc.Folder, scratch) {
		t.Errorf("no JPEG in %s: %v", doc.Folder, err)
	}
}

func TestAPictureIsBlankWithoutInk(t *testing.T) {
	picture := gray(200, 200, 230)
	if !isBlank(picture) {
		t.Error("a plain ground is not blank")
	}
	for i := range 40 {
		picture.Pix[1000+i] = 20
	}
	if isBlank(picture) {
		t.Error("a line is blank")
	}
}
