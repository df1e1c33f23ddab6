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
