package parse

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// makeXLSX writes a workbook that has the sheets that fill makes.
func makeXLSX(t testing.TB, fill func(f *excelize.File), options ...excelize.Options) string {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out, options...); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func setRow(t testing.TB, f *excelize.File, sheet, cell string, values ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, cell, &values); err != nil {
		t.Fatal(err)
	}
}

// editParts returns the archive with its parts changed; one of which edit makes nothing is left out.
func editParts(t testing.TB, archive string, edit func(name, content string) string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		changed := edit(f.Name, string(content))
		if changed == "" {
			continue
		}
		part, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(changed)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func cellStyle(t testing.TB, f *excelize.File, sheet, cell string, style excelize.Style) {
	t.Helper()
	id, err := f.NewStyle(&style)
	if err == nil {
		err = f.SetCellStyle(sheet, cell, cell, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestXLSXSheetsArePagesWithCellsAsExcelShowsThem(t *testing.T) {
	euros := `#,##0.00\ "€"`
	doc := parseData(t, "stock.xlsx", makeXLSX(t, func(f *excelize.File) {
		setRow(t, f, "Sheet1", "B1", "Stock at the end of the year")
		setRow(t, f, "Sheet1", "B3", "Port", "Part", "Value", "Share", "Counted")
		setRow(t, f, "Sheet1", "B4", "Faro", "Buoy", 1234.5, 0.25, 45992)
		setRow(t, f, "Sheet1", "B5", nil, "Chain\nold", 80, 0.75, 45993)
		setRow(t, f, "Sheet1", "B6", "Sines", "Buoy", true)
		for _, cell := range []string{"D4", "D5"} {
			cellStyle(t, f, "Sheet1", cell, excelize.Style{CustomNumFmt: &euros})
		}
		for _, cell := range []string{"E4", "E5"} {
			cellStyle(t, f, "Sheet1", cell, excelize.Style{NumFmt: 9})
		}
		for _, cell := range []string{"F4", "F5"} {
			cellStyle(t, f, "Sheet1", cell, excelize.Style{NumFmt: 14})
		}
		_ = f.MergeCell("Sheet1", "B4", "B5")
		_ = f.AddComment("Sheet1", excelize.Comment{Cell: "D4", Author: "Ann", Paragraph: []excelize.RichTextRun{{Text: "Counted "}, {Text: "twice"}}})
		_ = f.AddShape("Sheet1", &excelize.Shape{Cell: "H2", Type: "rect", Paragraph: []excelize.RichTextRun{{Text: "Ask Ann first."}}})
		_ = f.AddChart("Sheet1", "H9", &excelize.Chart{Type: excelize.Col, Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: "Value by port"}}},
			Series: []excelize.ChartSeries{{Categories: "Sheet1!$B$4:$B$6", Values: "Sheet1!$D$4:$D$6"}}})
		_, _ = f.NewSheet("Empty")
		_, _ = f.NewSheet("Rates")
		setRow(t, f, "Rates", "A1", "Only a note.")
		_ = f.SetSheetVisible("Rates", false)
		_ = f.SetSheetName("Sheet1", "Stock")
		_ = f.SetDocProps(&excelize.DocProperties{Creator: "Ann", Title: "Stock list"})
	}))
	wantOutline(t, doc, `
heading2: Stock
paragraph: Stock at the end of the year
table-header: Port | Part | Value | Share | Counted
table-row: Faro | Buoy | 1,234.50 € | 25% | 2025-12-01
table-row: Faro | Chain old | 80.00 € | 75% | 2025-12-02
table-row: Sines | Buoy | TRUE
paragraph: Ask Ann first.
paragraph: Value by port
paragraph: [D4] Counted twice
= page 2
= page 3
heading2: Rates
paragraph: Only a note.`)
	if !doc.Separate || doc.Title != "Stock list" || doc.Metadata["author"] != "Ann" || doc.Pages[1].Label != "Empty" {
		t.Errorf("separate %t, title %q, metadata %v, label %q", doc.Separate, doc.Title, doc.Metadata, doc.Pages[1].Label)
	}
	if want := []string{"Sheets that are hidden in Excel were read too: Rates."}; !slices.Equal(doc.Warnings, want) {
		t.Errorf("warnings are %q, want %q", doc.Warnings, want)
	}
}

func TestXLSXTablesBringTheirHeader(t *testing.T) {
	doc := parseData(t, "a.xlsx", makeXLSX(t, func(f *excelize.File) {
		setRow(t, f, "Sheet1", "A1", "2024", "2025") // would not be taken for a header
		setRow(t, f, "Sheet1", "A2", 2024, 2025)
		setRow(t, f, "Sheet1", "A3", 2023, 2026)
		if err := f.AddTable("Sheet1", &excelize.Table{Range: "A1:B3", Name: "Years"}); err != nil {
			t.Fatal(err)
		}
	}))
	wantOutline(t, doc, "heading2: Sheet1\ntable-header: 2024 | 2025\ntable-row: 2024 | 2025\ntable-row: 2023 | 2026")
	if doc.Title != "a" {
		t.Errorf("title is %q", doc.Title)
	}
}

func TestALongSheetHasItsHeaderOnEveryPage(t *testing.T) {
	doc := parseData(t, "a.xlsx", makeXLSX(t, func(f *excelize.File) {
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 6000 {
			row := []any{i, strings.Repeat("long ", 10), "text"}
			if i == 0 {
				row = []any{"Number", "Note", "More"}
			}
			if err := w.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}))
	rows := 0
	for _, p := range doc.Pages {
		if p.Label != "Sheet1" || p.Blocks[0].Text != "Sheet1" || p.Blocks[1].Text != "Number | Note | More" || p.Blocks[1].Kind != TableHeader {
			t.Errorf("page %d (%q) begins with %v", p.Number, p.Label, p.Blocks[:2])
		}
		rows += len(p.Blocks) - 2
	}
	if len(doc.Pages) != 2 || rows != 5999 {
		t.Errorf("got %d pages with %d rows", len(doc.Pages), rows)
	}
}

func TestAWorkbookSaysWhatIsMissing(t *testing.T) {
	whole := makeXLSX(t, func(f *excelize.File) {
		for i := range 40 {
			setRow(t, f, "Sheet1", "A"+strconv.Itoa(i+1), "Buoy", i)
		}
		_ = f.SetCellFormula("Sheet1", "C1", "SUM(B1:B3)")
	})
	sheet := func(change func(string) string) string {
		return editParts(t, whole, func(name, content string) string {
			if name == "xl/worksheets/sheet1.xml" {
				return change(content)
			}
			return content
		})
	}
	for _, tt := range []struct{ name, data, warning string }{
		{"formulas that were never calculated", whole, "1 formulas have no stored value"},
		{"a sheet that is cut off", sheet(func(s string) string { return s[:len(s)/2] }), `The sheet "Sheet1" is damaged`},
		{"a sheet with bad XML in the middle", sheet(func(s string) string { return s[:len(s)/2] + "<\x00>" + s[len(s)/2:] }), `The sheet "Sheet1" is damaged`},
	} {
		doc := parseData(t, "a.xlsx", tt.data)
		if got := strings.Join(doc.Warnings, "\n"); !strings.Contains(got, tt.warning) {
			t.Errorf("%s: warnings are %q, want %q", tt.name, got, tt.warning)
		}
		if !strings.Contains(documentText(doc), "Buoy | 7") {
			t.Errorf("%s: got %q", tt.name, documentText(doc))
		}
	}
}

func TestDamagedXLSXSaysSo(t *testing.T) {
	whole := makeXLSX(t, func(f *excelize.File) { setRow(t, f, "Sheet1", "A1", strings.Repeat("text ", 1000)) })
	without := func(part string) string {
		return editParts(t, whole, func(name, content string) string {
			if name == part {
				return ""
			}
			return content
		})
	}
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", whole[:len(whole)/2], Damaged},
		{"no workbook", without("xl/workbook.xml"), Damaged},
		{"no sheet", without("xl/worksheets/sheet1.xml"), Damaged},
		{"no cells", makeXLSX(t, func(*excelize.File) {}), Empty},
	} {
		if got := codeFor("a.xlsx", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := codeFor("notes.txt", whole); got != "" {
		t.Errorf("a workbook that is called .txt gave %q", got)
	}
}
