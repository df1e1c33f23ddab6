package parse

import (
	"fmt"
	"strings"
	"testing"
)

// makePDF makes a PDF of pages with these content streams. F1 is Helvetica, F2 Helvetica-Bold, each with the
// widths of a typewriter; X1 is a form that draws itself; X2 a picture.
func makePDF(pages ...string) string { return makePDFWith("", pages...) }

// makePDFWith makes it with more entries in its catalog. The i-th page, from 0, is object 7+2i.
func makePDFWith(catalog string, pages ...string) string {
	var b strings.Builder
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(offsets)}, args...)...)
	}
	b.WriteString("%PDF-1.4\n")
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", 7+2*i)
	}
	widths := strings.Repeat("500 ", 224)
	object("<< /Type /Catalog /Pages 2 0 R %s >>", catalog)
	object("<< /Type /Pages /Count %d /Kids [%s] /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> /XObject << /X1 5 0 R /X2 6 0 R >> >> >>", len(pages), kids)
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FirstChar 32 /Widths [%s] >>", widths)
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding /FirstChar 32 /Widths [%s] >>", widths)
	form := "BT /F1 10 Tf 50 400 Td (In the form) Tj ET /X1 Do"
	object("<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Length %d >>\nstream\n%s\nendstream", len(form), form)
	object("<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\nx\nendstream")
	for _, content := range pages {
		object("<< /Type /Page /Parent 2 0 R /Contents %d 0 R >>", len(offsets)+2)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return b.String()
}

// at writes a text with a font and size at a place.
func at(font string, size, x, y int, text string) string {
	return fmt.Sprintf("BT /%s %d Tf %d %d Td (%s) Tj ET\n", font, size, x, y, text)
}

// lines writes lines of ordinary text downwards.
func lines(x, y int, texts ...string) string {
	var b strings.Builder
	for i, text := range texts {
		b.WriteString(at("F1", 10, x, y-12*i, text))
	}
	return b.String()
}

func TestPDFBecomesHeadingsParagraphsListsAndTables(t *testing.T) {
	doc := parseData(t, "a.pdf", makePDF(
		at("F2", 18, 50, 740, "Field Manual")+
			at("F2", 10, 50, 700, "Before you start")+
			lines(50, 680, "The instrument is a well-known recorder for shallow water. It con-", "tains two cells and a well-", "known board, as described further down in this manual.")+
			lines(50, 632, "Take with you:", "\x95 a magnet", "\x95 a cable with enough length to reach the bottom of the", "basin")+
			at("F2", 10, 50, 560, "Code")+at("F2", 10, 200, 560, "Meaning")+
			at("F1", 10, 50, 546, "E01")+at("F1", 10, 200, 546, "Clock lost")+
			at("F1", 10, 50, 532, "E02")+at("F1", 10, 200, 532, "Too deep")+
			"/X1 Do"))
	wantOutline(t, doc, `
heading1: Field Manual
heading2: Before you start
paragraph: The instrument is a well-known recorder for shallow water. It contains two cells and a well-known board, as described further down in this manual.
paragraph: Take with you:
list-item1: a magnet
list-item1: a cable with enough length to reach the bottom of the basin
table-header: Code | Meaning
table-row: E01 | Clock lost
table-row: E02 | Too deep
paragraph: In the form`)
	if doc.Title != "Field Manual" || doc.MediaType != "application/pdf" {
		t.Errorf("title %q, media type %q", doc.Title, doc.MediaType)
	}
}

func TestPDFColumnsAreReadOneAfterTheOther(t *testing.T) {
	doc := parseData(t, "a.pdf", makePDF(
		lines(50, 700, "The left column begins here and its", "last sentence goes on in the other")+lines(320, 700, "column without a break, as", "readers know it from papers.")))
	wantOutline(t, doc, `paragraph: The left column begins here and its last sentence goes on in the other column without a break, as readers know it from papers.`)
}

func TestPDFWordsAreToldByTheGapsBetweenGlyphs(t *testing.T) {
	doc := parseData(t, "a.pdf", makePDF(
		"BT /F1 10 Tf 50 700 Td [(Gaps)-300(are)-300(spaces,)-300(ker)20(ning)-20( is)-300(none.)] TJ 0 -12 Td /F1 10 Tf 10 TL (T) Tj (wice) ' ET"))
	text, _ := doc.Pages[0].Assemble()
	if !strings.Contains(text, "Gaps are spaces, kerning is none.") {
		t.Errorf("got %q", text)
	}
}

func TestPDFHeadersAndFootersGoOnlyWhenTheyRepeat(t *testing.T) {
	var pages []string
	for i := 1; i <= 5; i++ {
		page := at("F1", 8, 50, 780, "Confidential report") + lines(50, 700, fmt.Sprintf("Body of part %d is different on each page.", i)) +
			at("F1", 8, 280, 20, fmt.Sprintf("Page %d of 5", i))
		if i == 2 {
			page += at("F1", 8, 50, 40, "Only here: 17 May")
		}
		pages = append(pages, page)
	}
	doc := parseData(t, "a.pdf", makePDF(pages...))
	for i, page := range doc.Pages {
		text, _ := page.Assemble()
		if !strings.Contains(text, "Body of part") || strings.Contains(text, "Confidential") || strings.Contains(text, "Page ") {
			t.Errorf("page %d: %q", i+1, text)
		}
		if (i == 1) != strings.Contains(text, "Only here") {
			t.Errorf("page %d: %q", i+1, text)
		}
	}
	short := parseData(t, "a.pdf", makePDF(pages[:2]...))
	if text, _ := short.Pages[0].Assemble(); !strings.Contains(text, "Confidential report") {
		t.Errorf("on two pages nothing repeats enough: %q", text)
	}
}

func TestPDFHeadingsComeFromBookmarks(t *testing.T) {
	// The titles look like the text; "Data sheet" only looks like a heading, and is within the one before.
	doc := parseData(t, "a.pdf", makePDFWith(`
		/Outlines << /First << /Title (Care of the buoy) /Dest [7 0 R /Fit] /First <<
			/Title (Rinsing with fresh water and a soft brush) /A << /S /GoTo /D (rinse) >> /Next <<
			/Title <feff0044007200790069006e0067> /Dest [9 0 R /Fit] >> >> >> >>
		/Names << /Dests << /Kids [<< /Names [(rinse) << /D [7 0 R /Fit] >>] >>] >> >>`,
		lines(50, 700, "Care of the buoy", "It is rinsed and dried after each use, wherever it was in the", "sea.", "1.1 Rinsing with fresh", "water and a soft brush", "Fresh water takes the salt away, and the brush what grows on it.")+
			at("F2", 14, 50, 600, "Data sheet")+lines(50, 570, "Of steel."),
		lines(50, 700, "Drying", "In the shade.")))
	wantOutline(t, doc, `
heading1: Care of the buoy
paragraph: It is rinsed and dried after each use, wherever it was in the sea.
heading2: 1.1 Rinsing with fresh water and a soft brush
paragraph: Fresh water takes the salt away, and the brush what grows on it.
heading3: Data sheet
paragraph: Of steel.
= page 2
heading2: Drying
paragraph: In the shade.`)
}

func TestPDFPagesKeepTheirLabels(t *testing.T) {
	var pages []string
	for i := range 8 {
		pages = append(pages, lines(50, 700, fmt.Sprintf("Text of sheet %d", i)))
	}
	doc := parseData(t, "a.pdf", makePDFWith(`/PageLabels << /Kids [
		<< /Nums [0 << /S /r >> 2 << /S /D >>] >> << /Nums [4 << /S /D /P (A-) /St 3 >> 6 << /S /A /St 27 >> 7 << /P (Index) >>] >>] >>`, pages...))
	var got []string
	for _, page := range doc.Pages {
		got = append(got, page.Label)
	}
	if want := "i ii 1 2 A-3 A-4 AA Index"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	plain := parseData(t, "a.pdf", makePDFWith("/PageLabels << /Nums [0 << /S /D >>] >>", pages...))
	if label := plain.Pages[2].Label; label != "" {
		t.Errorf("page 3 is called %q, which says no more than its number", label)
	}
}

func TestPDFsOfEndlessTreesComeToAnEnd(t *testing.T) {
	text := lines(50, 700, "Hello there, reader")
	for name, catalog := range map[string]string{
		"outline": "/Outlines << /First 8 0 R >>",
		"labels":  "/PageLabels 1 0 R /Kids [1 0 R 1 0 R]",
		"names":   "/Outlines << /First << /Title (x) /Dest (x) >> >> /Names << /Dests 1 0 R >> /Kids [1 0 R 1 0 R]",
		"item":    "/Outlines 1 0 R /First 1 0 R /Next 1 0 R /Title (x) /Dest (y)",
	} {
		doc := parseData(t, name+".pdf", makePDFWith(catalog, text))
		if got := outline(doc.Pages); got != "paragraph: Hello there, reader\n" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestPDFTextDrawnTwiceForBoldnessIsReadOnce(t *testing.T) {
	doc := parseData(t, "a.pdf", makePDF(at("F1", 10, 50, 700, "Warning sign")+at("F1", 10, 50, 700, "Warning sign")+lines(50, 600, "Other words")))
	wantOutline(t, doc, "paragraph: Warning sign\nparagraph: Other words")
}

func TestPDFOutcomesSayWhatIsWrong(t *testing.T) {
	good := makePDF(lines(50, 700, "Hello there, reader"))
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"a scan", makePDF("q 600 0 0 800 0 0 cm /X2 Do Q"), NoText},
		{"an inline picture", makePDF("q BI /W 1 /H 1 /BPC 8 /CS /G ID \xff(\x80 EI Q"), NoText},
		{"blank pages", makePDF("", " "), Empty},
		{"cut off before its pages", good[:60], Damaged},
		{"text in a PDF's name", "Hello", Damaged},
		{"bytes turned to U+FFFD", strings.ReplaceAll(good, "500 ", "\ufffd\ufffd "), Damaged},
	} {
		if got := codeFor("a.pdf", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	mixed := parseData(t, "a.pdf", makePDF(lines(50, 700, "Text"), "/X2 Do"))
	if len(mixed.Pages) != 2 || len(mixed.Warnings) != 1 || !strings.Contains(mixed.Warnings[0], "page 2") {
		t.Errorf("%d pages, warnings %q", len(mixed.Pages), mixed.Warnings)
	}
}

func TestDamagedPDFsAreReadAsFarAsTheyGo(t *testing.T) {
	good := makePDF(lines(50, 700, "Hello there, reader"))
	for name, data := range map[string]string{
		"junk in front":      "junk\n" + good,
		"junk behind":        good + strings.Repeat("\x00", 5000),
		"a header of 2.0":    strings.Replace(good, "%PDF-1.4", "%PDF-2.0", 1),
		"a wrong startxref":  good[:strings.LastIndex(good, "startxref")] + "startxref\n3\n%%EOF\n",
		"no end":             good[:strings.LastIndex(good, "xref\n0")],
		"wrong xref offsets": strings.ReplaceAll(good, "00000 n", "00001 n"),
	} {
		doc := parseData(t, name+".pdf", data)
		if got := outline(doc.Pages); got != "paragraph: Hello there, reader\n" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
