package parse

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

const docxNamespaces = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"`

// makeDOCX packs a Word document: its body and any other parts, name and content by turns.
func makeDOCX(t testing.TB, body string, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	write := func(name, content string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("[Content_Types].xml", `<Types/>`)
	write("word/document.xml", `<?xml version="1.0"?><w:document `+docxNamespaces+`><w:body>`+body+`</w:body></w:document>`)
	for i := 0; i < len(parts); i += 2 {
		write(parts[i], parts[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func p(properties, text string) string {
	return `<w:p><w:pPr>` + properties + `</w:pPr><w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
}

func styled(id, text string) string { return p(`<w:pStyle w:val="`+id+`"/>`, text) }

const docxTestStyles = `<w:styles ` + docxNamespaces + `>
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="MyHead"><w:name w:val="My own"/><w:basedOn w:val="MyBase"/></w:style>
<w:style w:type="paragraph" w:styleId="MyBase"><w:name w:val="base"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Ring"><w:name w:val="ring"/><w:basedOn w:val="Ring"/></w:style>
<w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Zitat"><w:name w:val="Quote"/></w:style>
</w:styles>`

const docxTestNumbering = `<w:numbering ` + docxNamespaces + `>
<w:abstractNum w:abstractNumId="5"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num></w:numbering>`

func TestDOCXKeepsItsStructure(t *testing.T) {
	item := func(level, text string) string {
		return p(`<w:numPr><w:ilvl w:val="`+level+`"/><w:numId w:val="1"/></w:numPr>`, text)
	}
	cell := func(text string) string { return `<w:tc>` + p("", text) + `</w:tc>` }
	body := styled("TOC1", "Kapitel .... 3") + styled("berschrift1", "Kapitel") + styled("MyHead", "Abschnitt") + styled("Ring", "Text") +
		item("0", "eins") + item("1", "Punkt") + item("0", "zwei") + styled("Zitat", "Worte") +
		`<w:tbl><w:tblPr><w:tblLook w:firstRow="1"/></w:tblPr><w:tr>` + cell("A") + cell("B") + `</w:tr><w:sdt><w:sdtContent><w:tr>` + cell("1") +
		`<w:tc>` + p("", "2") + p("", "3") + `</w:tc></w:tr></w:sdtContent></w:sdt></w:tbl>` +
		`<w:tbl><w:tr>` + cell("Im Rahmen") + `</w:tr></w:tbl>` +
		`<w:p><w:r><w:t>Ein </w:t></w:r><w:hyperlink><w:r><w:t>Verweis</w:t></w:r></w:hyperlink>` +
		`<w:del><w:r><w:delText>weg</w:delText></w:r></w:del><w:ins><w:r><w:t>, neu</w:t></w:r></w:ins>` +
		`<w:r><w:rPr><w:vanish/></w:rPr><w:t>verborgen</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>, da</w:t></w:r>` +
		`<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:br/><w:t>Zeile</w:t><w:noBreakHyphen/><w:t>zwei</w:t></w:r></w:p>` +
		`<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx><w:txbxContent>` + p("", "Kasten") + `</w:txbxContent></wps:txbx></w:drawing></mc:Choice>` +
		`<mc:Fallback><w:pict><w:txbxContent>` + p("", "Kasten") + `</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>` +
		`<w:p><w:r><w:fldChar/><w:instrText>PAGE</w:instrText></w:r></w:p>` +
		`<w:p><w:r><w:br w:type="page"/></w:r></w:p>` + p("", "Seite zwei") + `<w:sectPr><w:headerReference/></w:sectPr>`
	doc := parseData(t, "a.docx", makeDOCX(t, body, "word/styles.xml", docxTestStyles, "word/numbering.xml", docxTestNumbering,
		"word/header1.xml", `<w:hdr `+docxNamespaces+`>`+p("", "Kopfzeile")+`</w:hdr>`,
		"word/footnotes.xml", `<w:footnotes `+docxNamespaces+`><w:footnote w:type="separator" w:id="0">`+p("", "---")+`</w:footnote><w:footnote w:id="2">`+p("", "Anmerkung")+`</w:footnote></w:footnotes>`,
		"docProps/core.xml", `<cp:coreProperties xmlns:cp="a" xmlns:dc="b" xmlns:dcterms="c"><dc:title>Handbuch</dc:title><dc:creator>Ann</dc:creator><dcterms:created>2025-01-02T03:04:05Z</dcterms:created><dc:language>de-DE</dc:language></cp:coreProperties>`))
	wantOutline(t, doc, `
heading1: Kapitel
heading2: Abschnitt
paragraph: Text
list-item1: 1. eins
list-item2: Punkt
list-item1: 2. zwei
quote: Worte
table-header: A | B
table-row: 1 | 2 3
paragraph: Im Rahmen
paragraph: Ein Verweis, neu, da[2]⏎Zeile-zwei
paragraph: [2] Anmerkung
paragraph: Kasten
= page 2
paragraph: Seite zwei`)
	if doc.Title != "Handbuch" || doc.Language != "de" || doc.Metadata["author"] != "Ann" || doc.Metadata["created"] != "2025-01-02T03:04:05Z" {
		t.Errorf("title %q, language %q, metadata %v", doc.Title, doc.Language, doc.Metadata)
	}
}

func TestDOCXPagesAreThoseThatWordSaw(t *testing.T) {
	rendered := `<w:p><w:r><w:br w:type="page"/></w:r></w:p><w:p><w:r><w:lastRenderedPageBreak/><w:t>Two</w:t></w:r></w:p>`
	doc := parseData(t, "a.docx", makeDOCX(t, p("", "One")+rendered+`<w:p><w:r><w:t>Two, and </w:t><w:lastRenderedPageBreak/><w:t>on three</w:t></w:r></w:p>`+p("", "Three")))
	wantOutline(t, doc, `
paragraph: One
= page 2
paragraph: Two
paragraph: Two, and on three
= page 3
paragraph: Three`)
}

func TestDamagedDOCXSaysSo(t *testing.T) {
	whole := makeDOCX(t, p("", strings.Repeat("text ", 1000)))
	deep := makeDOCX(t, strings.Repeat("<w:p><w:r>", 5000)+strings.Repeat("</w:r></w:p>", 5000))
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", whole[:len(whole)/2], Damaged},
		{"too deep", deep, Damaged},
		{"no text", makeDOCX(t, ""), Empty},
		{"unpacks to too much", makeDOCX(t, p("", strings.Repeat("a", docxPart))), TooLarge},
		{"another archive", strings.ReplaceAll(whole, "word/document", "ward/dacument"), UnsupportedFormat},
		{"encrypted", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600) + string(officeWithPassword), Encrypted},
	} {
		if got := codeFor("a.docx", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	doc := parseData(t, "a.docx", makeDOCX(t, p("", "kept")+"<w:p><w:r></w:p>"))
	wantOutline(t, doc, "paragraph: kept")
}
