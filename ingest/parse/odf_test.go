package parse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const odfNamespaces = `xmlns:office="o" xmlns:text="t" xmlns:style="s" xmlns:table="tb" xmlns:draw="d" xmlns:fo="f" xmlns:presentation="p" xmlns:svg="v"`

// makeODF packs an OpenDocument file of a kind: its automatic styles, its body, any other parts.
func makeODF(t testing.TB, kind, styles, body string, parts ...string) string {
	t.Helper()
	content := `<?xml version="1.0" encoding="UTF-8"?><office:document-content ` + odfNamespaces + `><office:automatic-styles>` + styles + `</office:automatic-styles><office:body><office:` + kind + `>` +
		body + `</office:` + kind + `></office:body></office:document-content>`
	return makeArchive(t, append([]string{"mimetype", "application/vnd.oasis.opendocument." + kind, "content.xml", content}, parts...)...)
}

func style(name, parent, properties string) string {
	return `<style:style style:name="` + name + `" style:parent-style-name="` + parent + `">` + properties + `</style:style>`
}

const odfTestStyles = `<office:document-styles ` + odfNamespaces + `><office:styles>
<style:style style:name="Heading_20_2" style:display-name="Heading 2" style:default-outline-level="2"/><style:style style:name="Ring" style:parent-style-name="Ring"/>
</office:styles><office:master-styles><style:master-page><style:header><text:p>Kopfzeile</text:p></style:header></style:master-page></office:master-styles></office:document-styles>`

func TestODTKeepsItsStructure(t *testing.T) {
	styles := style("P1", "Quotations", "") + style("P2", "Preformatted_20_Text", "") + style("P3", "", `<style:paragraph-properties fo:break-before="page"/>`) +
		style("T1", "", `<style:text-properties text:display="none"/>`) + style("P4", "Heading_20_2", "") +
		`<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"/><text:list-level-style-bullet text:level="2"/></text:list-style>`
	cell := func(s string) string { return `<table:table-cell><text:p>` + s + `</text:p></table:table-cell>` }
	body := `<text:tracked-changes><text:changed-region><text:deletion><text:p>weg</text:p></text:deletion></text:changed-region></text:tracked-changes>
<text:p text:style-name="Title">Handbuch</text:p>
<text:table-of-content><text:index-body><text:p>Kapitel .... 3</text:p></text:index-body></text:table-of-content>
<text:section><text:h text:outline-level="1">Kapitel</text:h><text:p text:style-name="P4">Abschnitt</text:p></text:section>
<text:section text:display="none"><text:p>verborgen</text:p></text:section>
<text:p text:style-name="Ring">Ein <text:a>Ver<text:span>weis</text:span></text:a>,<text:s text:c="2"/>
   neu<text:span text:style-name="T1"> verborgen</text:span><text:change/><office:annotation><text:p>Bemerkung</text:p></office:annotation><text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Anmerkung</text:p></text:note-body></text:note><text:line-break/>Zeile</text:p>
<text:list text:style-name="L1"><text:list-item><text:p>eins</text:p><text:list><text:list-item><text:p>Punkt</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>zwei</text:p><text:p>dazu</text:p></text:list-item></text:list>
<text:p text:style-name="P1">Worte</text:p><text:p text:style-name="P2">a<text:s text:c="3"/>b</text:p><text:p text:style-name="P2">c</text:p>
<table:table><table:table-header-rows><table:table-row>` + cell("A") + cell("B") + `</table:table-row></table:table-header-rows><table:table-row>` + cell("1") + `<table:table-cell><text:p>2</text:p><text:p>3</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>
<text:p><draw:frame><draw:text-box><text:p>Kasten</text:p></draw:text-box><svg:title>Bild</svg:title></draw:frame></text:p>
<text:p text:style-name="P3">Seite zwei<text:soft-page-break/> und drei</text:p><text:p>Seite drei</text:p>`
	doc := parseData(t, "a.odt", makeODF(t, "text", styles, body, "styles.xml", odfTestStyles,
		"meta.xml", `<office:document-meta `+odfNamespaces+` xmlns:dc="c" xmlns:meta="m"><office:meta><dc:title>Das Handbuch</dc:title><meta:initial-creator>Ann</meta:initial-creator><dc:creator>Bo</dc:creator><meta:creation-date>2025-01-02T03:04:05.123456789</meta:creation-date><dc:language>de-DE</dc:language><meta:keyword>x</meta:keyword></office:meta></office:document-meta>`))
	wantOutline(t, doc, `
heading1: Handbuch
heading1: Kapitel
heading2: Abschnitt
paragraph: Ein Verweis, neu[1]⏎Zeile
paragraph: [1] Anmerkung
list-item1: 1. eins
list-item2: Punkt
list-item1: 2. zwei
paragraph: dazu
quote: Worte
code: a   b⏎c
table-header: A | B
table-row: 1 | 2 3
paragraph: Kasten
= page 2
paragraph: Seite zwei und drei
= page 3
paragraph: Seite drei`)
	if doc.Title != "Das Handbuch" || doc.Language != "de" || doc.Metadata["author"] != "Ann" || doc.Metadata["created"] != "2025-01-02T03:04:05Z" {
		t.Errorf("title %q, language %q, metadata %v", doc.Title, doc.Language, doc.Metadata)
	}
}

func TestODPHasAPageASlide(t *testing.T) {
	frame := func(class, content string) string {
		return `<draw:frame presentation:class="` + class + `"><draw:text-box>` + content + `</draw:text-box></draw:frame>`
	}
	doc := parseData(t, "a.odp", makeODF(t, "presentation", style("dp2", "", `<style:drawing-page-properties presentation:visibility="hidden"/>`),
		`<draw:page draw:name="one">`+frame("title", "<text:p>Plan</text:p>")+frame("outline", "<text:list><text:list-item><text:p>Ship it</text:p></text:list-item></text:list>")+
			`<presentation:notes>`+frame("notes", "<text:p>Say why</text:p>")+`</presentation:notes></draw:page>
<draw:page draw:name="two" draw:style-name="dp2">`+frame("title", "<text:p>Back up</text:p>")+`</draw:page>
<draw:page><draw:custom-shape><text:p>Sell it</text:p></draw:custom-shape></draw:page>`))
	wantOutline(t, doc, `
heading1: Plan
list-item1: Ship it
paragraph: Say why
= page 2
heading1: Back up
= page 3
paragraph: Sell it`)
	if want := []string{"Slides or sheets that are hidden were read too: two."}; !slices.Equal(doc.Warnings, want) {
		t.Errorf("warnings are %q, want %q", doc.Warnings, want)
	}
	if !doc.Separate || doc.MediaType != "application/vnd.oasis.opendocument.presentation" {
		t.Errorf("separate %t, media type %q", doc.Separate, doc.MediaType)
	}
}

func TestODSHasAPageASheet(t *testing.T) {
	cell := func(attributes, s string) string {
		return `<table:table-cell ` + attributes + `><text:p>` + s + `</text:p></table:table-cell>`
	}
	row := func(attributes string, cells ...string) string {
		return `<table:table-row ` + attributes + `>` + strings.Join(cells, "") + `<table:table-cell table:number-columns-repeated="1020"/></table:table-row>`
	}
	doc := parseData(t, "a.ods", makeODF(t, "spreadsheet", style("ta2", "", `<style:table-properties table:display="false"/>`),
		`<table:table table:name="Rates"><table:shapes><text:p>drawn</text:p></table:shapes>`+row("", cell("", "Country"), cell("", "Rate"), cell("", "Note"))+
			row("", cell("", "Chile"), cell(`office:value="12.5"`, "12,50 €"), cell("", "<text:span>sea</text:span> and air"))+
			row("", cell("", "Peru"), `<table:table-cell office:value="7"/><table:covered-table-cell/>`)+
			row(`table:number-rows-repeated="2"`, cell("", "Fiji"), cell(`table:number-columns-repeated="2"`, "9"))+row(`table:number-rows-repeated="1048570"`)+
			`</table:table><table:table table:name="Old" table:style-name="ta2">`+row("", cell("", "alone"))+`</table:table><table:table table:name="Empty"/>`))
	wantOutline(t, doc, `
heading2: Rates
table-header: Country | Rate | Note
table-row: Chile | 12,50 € | sea and air
table-row: Peru | 7
table-row: Fiji | 9 | 9
table-row: Fiji | 9 | 9
= page 2
heading2: Old
paragraph: alone`)
	if !doc.Separate || doc.Pages[0].Label != "Rates" || len(doc.Warnings) != 1 {
		t.Errorf("separate %t, label %q, warnings %q", doc.Separate, doc.Pages[0].Label, doc.Warnings)
	}
	doc = parseData(t, "a.ods", makeODF(t, "spreadsheet", "", `<table:table table:name="S">`+row(`table:number-rows-repeated="99999999"`, cell(`table:number-columns-repeated="99999999"`, "much"))))
	if n := len(documentText(doc)); len(doc.Warnings) != 2 || n > 3<<20 {
		t.Errorf("%d bytes, warnings %q", n, doc.Warnings)
	}
	doc = parseData(t, "big.ods", makeODF(t, "spreadsheet", "", `<table:table table:name="S">`+strings.Repeat(row("", cell("", "a long name of a thing"), cell("", "7")), 20_000)+`</table:table>`))
	if len(doc.Pages) < 2 || doc.Pages[1].Label != "S" {
		t.Errorf("%d pages, the second is %q", len(doc.Pages), fmt.Sprint(doc.Pages[min(1, len(doc.Pages)-1)].Label))
	}
}

func TestDamagedODTSaysSo(t *testing.T) {
	whole := makeODF(t, "text", "", "<text:p>"+strings.Repeat("text ", 1000)+"</text:p>")
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", whole[:len(whole)/2], Damaged},
		{"too deep", makeODF(t, "text", "", strings.Repeat("<text:list><text:list-item>", 5000)), Damaged},
		{"no text", makeODF(t, "text", "", ""), Empty},
		{"unpacks to too much", makeODF(t, "text", "", strings.Repeat(" ", odfPart)), TooLarge},
		{"needs a password", makeODF(t, "text", "", "", "META-INF/manifest.xml", `<manifest><file-entry full-path="content.xml"><encryption-data/></file-entry></manifest>`), Encrypted},
		{"repeats without end", makeODF(t, "text", "", `<table:table><table:table-row table:number-rows-repeated="99999999"><table:table-cell table:number-columns-repeated="99999999"/></table:table-row></table:table>`), Empty},
	} {
		if got := codeFor("a.odt", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	doc := parseData(t, "a.odt", makeODF(t, "text", "", "<text:p>kept</text:p><text:p>cut <text:span"))
	wantOutline(t, doc, "paragraph: kept\nparagraph: cut")
}

func FuzzODF(f *testing.F) {
	fuzz(f, "a.odt", makeODF(f, "text", style("P1", "P1", ""), `<text:h>Kapitel</text:h><text:list><text:list-item><text:p>x<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>n</text:p></text:note-body></text:note></text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell><table:table-cell/></table:table-row></table:table>`),
		makeODF(f, "spreadsheet", "", `<table:table table:name="S"><table:table-header-rows><table:table-row><table:table-cell table:number-columns-repeated="3"><text:p>1</text:p></table:table-cell></table:table-row></table:table-header-rows></table:table>`),
		makeODF(f, "presentation", "", `<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>T</text:p></draw:text-box></draw:frame></draw:page>`))
}
