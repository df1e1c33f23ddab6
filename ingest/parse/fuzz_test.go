package parse

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// fuzz feeds a format with variations of the seeds. It must not panic, and what it makes must hold what Document
// and Block promise. The seeds run with the ordinary tests.
func fuzz(f *testing.F, name string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
		f.Add([]byte(s[:len(s)/2]))
		f.Add([]byte(s[len(s)/3:]))
		f.Add([]byte(strings.ReplaceAll(s, "e", "\xff")))
	}
	all := formats()
	scratch := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		began := time.Now()
		defer os.RemoveAll(scratch)
		doc, err := all.parse(context.Background(), Input{Name: name, Data: data, Scratch: scratch}, 1<<20)
		if took := time.Since(began); took > 30*time.Second {
			t.Fatalf("took %s", took)
		}
		if err != nil {
			if code := CodeOf(err); code == "" || code == Crashed {
				t.Fatalf("failed with %q: %v", code, err)
			}
			return
		}
		checkDocument(t, doc)
	})
}

// fuzzPart is fuzz for a part of an archive.
func fuzzPart(f *testing.F, name, archive, part, seed string) {
	f.Add([]byte(seed))
	f.Add([]byte(seed[:len(seed)/2]))
	all := formats()
	f.Fuzz(func(t *testing.T, content []byte) {
		data := editParts(t, archive, func(name, old string) string {
			if name == part {
				return string(content)
			}
			return old
		})
		doc, err := all.parse(context.Background(), Input{Name: name, Data: []byte(data)}, 1<<20)
		if err == nil {
			checkDocument(t, doc)
		} else if code := CodeOf(err); code == "" || code == Crashed {
			t.Fatalf("failed with %q: %v", code, err)
		}
	})
}

func checkDocument(t *testing.T, doc Document) {
	t.Helper()
	if doc.Title == "" || doc.MediaType == "" || len(doc.Pages) == 0 {
		t.Fatalf("title %q, media type %q, %d pages", doc.Title, doc.MediaType, len(doc.Pages))
	}
	paths := map[string]bool{}
	for _, p := range doc.Parts {
		if paths[p.Path] || !fs.ValidPath(p.Path) || strings.Contains(p.Path, PartSeparator) || strings.ContainsAny(p.Path, "\x00\n\ufffd\\") || (p.File == "") != (p.Error != nil) {
			t.Fatalf("part %+v", p)
		}
		paths[p.Path] = true
	}
	for i, page := range doc.Pages {
		if page.Number != i+1 {
			t.Fatalf("page %d has number %d", i+1, page.Number)
		}
		for _, b := range page.Blocks {
			if !utf8.ValidString(b.Text) || strings.TrimSpace(b.Text) == "" || strings.ContainsAny(b.Text, "\x00\ufffd\r") {
				t.Fatalf("block %q", b.Text)
			}
			if b.Kind == Heading && (b.Level < 1 || b.Level > 6) || b.Kind == ListItem && b.Level < 1 {
				t.Fatalf("%s of level %d", b.Kind, b.Level)
			}
		}
		text, spans := page.Assemble()
		if n := utf8.RuneCountInString(text); len(spans) > 0 && spans[len(spans)-1].End != n {
			t.Fatalf("the last span ends at %d of %d", spans[len(spans)-1].End, n)
		}
	}
}

func FuzzText(f *testing.F) {
	fuzz(f, "a.txt", "Words\nand more-\nwords\n\n- item\n1) two\n\tcode", "\xff\xfeW\x00o\x00", "Gr\xf6\xdfe der Boje")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "a.csv", "sep=;\nA;B\n1;\"x \"\"y\"\" \nz\"\n;\"open\n\"a\" b;c\n", "Port,2024,,2025\n,a,b,c\nx,1,2,3\n\nonly\n", "a\tb\r\n1\t\"2\" \r\n")
}

func FuzzJSON(f *testing.F) {
	fuzz(f, "a.json", `{"title": "T", "a": {"b": [1, [2, 3]], "c": null}, "d": [{"x": "1", "y": true}, {"x": "2", "y": 1e9}, [], "s"]}`,
		`[{"title": "T", "text": "<p>x</p>"}, {"title": "U", "body": "# h\nx"}] {"z": "`+"\xff"+`"}`, "[[\"a\", 1], [\"b\", [2]]]")
}

func FuzzJSONLines(f *testing.F) {
	fuzz(f, "a.jsonl", "{\"a\": 1, \"b\": 2}\n{\"a\": 3}\n{x}\n\n3\n\"x\" y\n")
}

func FuzzMarkdown(f *testing.F) {
	fuzz(f, "a.md", "---\ntitle: x\ntags: [a, {b: 1}]\nwhen: 2024-01-01\n---\n# H\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n[^1]: n\n\n```\nx\n```\n{% tag \"words\" %} {{ x }} `{%` <div><li>x</div>",
		"---\na: &a [*a]\n---\n")
}

func FuzzHTML(f *testing.F) {
	fuzz(f, "a.html", "<!DOCTYPE html><html lang=en><title>T</title><meta charset=latin1><body><h1>A</h1><table><tr><th>a<td>b<table><tr><td>c</table></table><ul><li><p>x<ol start=-3><li>y</ul><dl><dt>t<dd>d</dl><pre>\n x</pre><svg><title>no</title></svg>")
}

func FuzzDOCX(f *testing.F) {
	fuzz(f, "a.docx", makeDOCX(f, styled("berschrift1", "Kapitel")+p("", "Text")+"<w:tbl><w:tr><w:tc>"+p("", "1")+"</w:tc><w:tc>"+p("", "2")+"</w:tc></w:tr></w:tbl>",
		"word/styles.xml", docxTestStyles, "word/numbering.xml", docxTestNumbering))
}

func FuzzXLSX(f *testing.F) {
	fuzz(f, "a.xlsx", makeXLSX(f, func(w *excelize.File) {
		setRow(f, w, "Sheet1", "A1", "Port", "Depth")
		setRow(f, w, "Sheet1", "A2", "Faro", 4.5)
		_ = w.SetCellFormula("Sheet1", "B3", "SUM(B1:B2)")
		_ = w.MergeCell("Sheet1", "A2", "A3")
		_ = w.AddComment("Sheet1", excelize.Comment{Cell: "B2", Text: "deep"})
	}))
}

// FuzzXLSXSheet varies what is in the archive: of a whole archive, hardly any variation can be opened.
func FuzzXLSXSheet(f *testing.F) {
	book := makeXLSX(f, func(*excelize.File) {})
	fuzzPart(f, "a.xlsx", book, "xl/worksheets/sheet1.xml", `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+
		`<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="C1" s="1"><f>SUM(B1)</f><v></v></c></row><row r="9"><c t="str"><v>x</v></c><c><v>1e9</v></c></row>`+
		`</sheetData><mergeCells><mergeCell ref="A1:B9"/></mergeCells></worksheet>`)
}

func FuzzPPTX(f *testing.F) {
	fuzz(f, "a.pptx", makePPTX(f, []string{shape("title", ap(">", "Title")) + shape("body", ap(`lvl="1">`, "Point")), "<p:pic/>"}))
}

func FuzzPPTXSlide(f *testing.F) {
	deck := makePPTX(f, []string{""}, "ppt/slides/_rels/slide1.xml.rels", slideLinks("chart", "slide1.xml", "diagramData", "slide1.xml"))
	fuzzPart(f, "a.pptx", deck, "ppt/slides/slide1.xml", `<p:sld `+pptxNamespaces+` show="0">`+shape("title", ap(`lvl="-3">`, "Title"))+`<a:tbl><a:tr><a:tc vMerge="1"/><a:tc/></a:tr></a:tbl>`+
		`<c:chart r:id="rId1"><c:title/><c:plotArea><c:barChart><c:ser><c:val><c:pt idx="9"><c:v>1</c:v></c:pt></c:val></c:ser></c:barChart></c:plotArea></c:chart>`+
		`<dgm:relIds r:dm="rId2"/><dgm:pt modelId="1"/><dgm:cxn srcId="1" destId="1"/></p:sld>`)
}

func FuzzPDF(f *testing.F) {
	fuzz(f, "a.pdf", makePDF(at("F2", 18, 50, 740, "Title")+lines(50, 700, "One line of te-", "xt and another")+"/X1 Do /X2 Do q BI ID xx EI Q", "BT /F1 10 Tf [(a)-500(b)] TJ ET"))
}

func FuzzZIP(f *testing.F) {
	fuzz(f, "a.zip", awkwardFile(f, "encrypted.zip"), awkwardFile(f, "unsafe-names.zip"), awkwardFile(f, "nested.zip"), awkwardFile(f, "gb18030-names.zip"))
}

func FuzzTAR(f *testing.F) {
	fuzz(f, "a.tgz", awkwardFile(f, "tape.tar"), awkwardFile(f, "tape-cut-off.tgz"), awkwardFile(f, "tape.tar.bz2"), awkwardFile(f, "log.txt.gz"))
}

func FuzzEML(f *testing.F) {
	fuzz(f, "a.eml", mixed("Content-Type: multipart/alternative; boundary=c\n\n--c\n\nText\n--c\nContent-Type: text/html; charset=latin1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Caf=E9\n--c--",
		"Content-Type: message/rfc822\n\nFrom: b@x.org\nSubject: =?utf-8?B?w6k=?=\n\nDeep.", "Content-Type: text/csv; name*=utf-8''a%2Fb.csv\nContent-Transfer-Encoding: base64\n\nYSxi"),
		"From a@x.org Mon May  4 10:00:00 2025\nFrom: a@x.org\nSubject: Tide\n\n> quoted\nText.\n\nFrom b@x.org Mon May  4 10:00:00 2025\nFrom: b@x.org\n\n>From x\n")
}

func awkwardFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(awkward, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
