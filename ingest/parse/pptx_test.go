package parse

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const pptxNamespaces = `xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" ` +
	`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" ` +
	`xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"`

// makePPTX packs a presentation: the trees of shapes of its slides, and any other parts, name and content by turns. The
// file names of the slides run against their order.
func makePPTX(t testing.TB, slides []string, parts ...string) string {
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
	var ids, links strings.Builder
	for i, slide := range slides {
		name := fmt.Sprintf("slides/slide%d.xml", len(slides)-i)
		fmt.Fprintf(&ids, `<p:sldId id="%d" r:id="rId%d"/>`, 256+i, i+1)
		fmt.Fprintf(&links, `<Relationship Id="rId%d" Type="http://x/relationships/slide" Target="%s"/>`, i+1, name)
		if !strings.HasPrefix(slide, "<p:sld") {
			slide = `<p:sld ` + pptxNamespaces + `><p:cSld><p:spTree>` + slide + `</p:spTree></p:cSld></p:sld>`
		}
		write("ppt/"+name, slide)
	}
	write("ppt/presentation.xml", `<p:presentation `+pptxNamespaces+`><p:sldIdLst>`+ids.String()+`</p:sldIdLst></p:presentation>`)
	write("ppt/_rels/presentation.xml.rels", `<Relationships>`+links.String()+`</Relationships>`)
	for i := 0; i < len(parts); i += 2 {
		write(parts[i], parts[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// shape is a text box, or a placeholder of a kind.
func shape(placeholder string, paragraphs ...string) string {
	if placeholder != "" {
		placeholder = `<p:ph type="` + placeholder + `"/>`
	}
	return `<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:nvPr>` + placeholder + `</p:nvPr></p:nvSpPr><p:txBody>` + strings.Join(paragraphs, "") + `</p:txBody></p:sp>`
}

func ap(properties, text string) string {
	return `<a:p><a:pPr ` + properties + `</a:pPr><a:r><a:t>` + text + `</a:t></a:r></a:p>`
}

func slideLinks(targets ...string) string {
	var b strings.Builder
	for i := 0; i < len(targets); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="http://x/relationships/%s" Target="%s"/>`, i/2+1, targets[i], targets[i+1])
	}
	return `<Relationships>` + b.String() + `</Relationships>`
}

func TestPPTXSlidesArePagesInTheirOrder(t *testing.T) {
	cell := func(attributes, text string) string {
		return `<a:tc ` + attributes + `><a:txBody>` + ap(">", text) + `</a:txBody></a:tc>`
	}
	first := shape("body", ap(">", "Point"), ap(`lvl="1">`, "Below"), ap("><a:buNone/>", "Plain")) +
		shape("title", `<a:p><a:r><a:t>Harbour </a:t></a:r><a:br/><a:r><a:t>plan</a:t></a:r></a:p>`) +
		shape("sldNum", `<a:p><a:fld type="slidenum"><a:t>1</a:t></a:fld></a:p>`) + shape("ftr", ap(">", "Secret")) +
		`<p:grpSp><p:grpSp>` + shape("", ap(">", "In a group"), ap(`><a:buAutoNum type="arabicPeriod"/>`, "One"), ap(`><a:buAutoNum type="arabicPeriod"/>`, "Two")) + `</p:grpSp></p:grpSp>` +
		`<mc:AlternateContent><mc:Choice>` + shape("", ap(">", "Once")) + `</mc:Choice><mc:Fallback>` + shape("", ap(">", "Once")) + `</mc:Fallback></mc:AlternateContent>`
	second := `<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/><a:tr>` + cell("", "Port") + cell("", "Note") + `</a:tr><a:tr>` + cell(`rowSpan="2"`, "Faro") + cell("", "deep") +
		`</a:tr><a:tr>` + cell(`vMerge="1"`, "") + cell("", "old") + `</a:tr></a:tbl></p:graphicFrame>` +
		`<p:graphicFrame><c:chart r:id="rId1"/></p:graphicFrame><p:graphicFrame><dgm:relIds r:dm="rId2"/></p:graphicFrame>`
	picture := func(description string) string {
		return `<p:pic><p:nvPicPr><p:cNvPr id="4" descr="` + description + `"/></p:nvPicPr></p:pic>`
	}
	series := func(name, values string) string {
		return `<c:ser><c:tx><c:strRef><c:f>A!B1</c:f><c:strCache><c:pt idx="0"><c:v>` + name + `</c:v></c:pt></c:strCache></c:strRef></c:tx>` +
			`<c:cat><c:strRef><c:strCache><c:pt idx="0"><c:v>Q1</c:v></c:pt><c:pt idx="1"><c:v>Q2</c:v></c:pt></c:strCache></c:strRef></c:cat>` +
			`<c:val><c:numRef><c:numCache>` + values + `</c:numCache></c:numRef></c:val></c:ser>`
	}
	point := func(at int, value string) string {
		return fmt.Sprintf(`<c:pt idx="%d"><c:v>%s</c:v></c:pt>`, at, value)
	}
	chart := `<c:chartSpace ` + pptxNamespaces + `><c:chart><c:title><c:tx><c:rich>` + ap(">", "Deliveries") + `</c:rich></c:tx></c:title><c:plotArea><c:barChart>` +
		series("Plan", point(0, "4.2999999999999998")+point(1, "5")) + series("Actual", point(1, "6")) + `</c:barChart><c:valAx><c:title><c:tx><c:rich>` + ap(">", "Tonnes") +
		`</c:rich></c:tx></c:title></c:valAx></c:plotArea></c:chart></c:chartSpace>`
	node := func(id, text string) string {
		return `<dgm:pt modelId="` + id + `"><dgm:t>` + ap(">", text) + `</dgm:t></dgm:pt>`
	}
	diagram := `<dgm:dataModel ` + pptxNamespaces + `><dgm:ptLst><dgm:pt modelId="0" type="doc"/>` + node("3", "Ship") + node("1", "Design") + node("2", "Draw") +
		`<dgm:pt modelId="9" type="pres"/></dgm:ptLst><dgm:cxnLst><dgm:cxn srcId="0" destId="3" srcOrd="1"/><dgm:cxn srcId="0" destId="1" srcOrd="0"/>` +
		`<dgm:cxn srcId="1" destId="2" srcOrd="0"/><dgm:cxn srcId="2" destId="1" srcOrd="0"/></dgm:cxnLst></dgm:dataModel>`
	hidden := `<p:sld show="0" ` + pptxNamespaces + `><p:cSld><p:spTree>` + shape("ctrTitle", ap(">", "Not shown")) + picture("A ship beside a crane") + picture("IMG 1234 of a ship.png") + `</p:spTree></p:cSld></p:sld>`
	doc := parseData(t, "a.pptx", makePPTX(t, []string{first, second, picture(""), hidden},
		"ppt/slides/_rels/slide4.xml.rels", slideLinks("notesSlide", "../notesSlides/n.xml", "comments", "../comments/c.xml"),
		"ppt/notesSlides/n.xml", `<p:notes `+pptxNamespaces+`><p:cSld><p:spTree>`+shape("sldImg")+shape("body", ap(">", "Speak slowly."))+shape("sldNum", ap(">", "1"))+`</p:spTree></p:cSld></p:notes>`,
		"ppt/comments/c.xml", `<p:cmLst `+pptxNamespaces+`><p:cm><p:pos x="1"/><p:text>Too long?</p:text></p:cm></p:cmLst>`,
		"ppt/slides/_rels/slide3.xml.rels", slideLinks("chart", "../charts/chart1.xml", "diagramData", "../diagrams/data1.xml"),
		"ppt/charts/chart1.xml", chart, "ppt/diagrams/data1.xml", diagram))
	wantOutline(t, doc, `
heading1: Harbour plan
list-item1: Point
list-item2: Below
paragraph: Plain
paragraph: In a group
list-item1: 1. One
list-item1: 2. Two
paragraph: Once
heading2: Notes
paragraph: Speak slowly.
heading2: Comments
paragraph: Too long?
= page 2
table-header: Port | Note
table-row: Faro | deep
table-row: Faro | old
paragraph: Deliveries
table-header: | Plan | Actual
table-row: Q1 | 4.3
table-row: Q2 | 5 | 6
paragraph: Tonnes
list-item1: Design
list-item2: Draw
list-item1: Ship
= page 3
= page 4
heading1: Not shown
paragraph: A ship beside a crane`)
	if !doc.Separate || doc.Title != "Harbour plan" {
		t.Errorf("separate %t, title %q", doc.Separate, doc.Title)
	}
	want := []string{"There are pictures but no text, so nothing was read: slide 3.", "Slides that are hidden in PowerPoint were read too: slide 4."}
	if !slices.Equal(doc.Warnings, want) {
		t.Errorf("warnings are %q, want %q", doc.Warnings, want)
	}
}

func TestDamagedPPTXSaysSo(t *testing.T) {
	whole := makePPTX(t, []string{shape("title", ap(">", "Kept")), shape("", ap(">", "Before"))[:90]})
	doc := parseData(t, "a.pptx", whole)
	if want := []string{"Some of the text is lost, because the file is damaged there: slide 2."}; !slices.Equal(doc.Warnings, want) {
		t.Errorf("warnings are %q, want %q", doc.Warnings, want)
	}
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", whole[:len(whole)/2], Damaged},
		{"no slides", makePPTX(t, nil), Empty},
		{"a list of slides that is cut off", makePPTX(t, nil, "ppt/presentation.xml", "<p:presentation><p:sldIdLst>"), Damaged},
		{"only pictures", makePPTX(t, []string{`<p:pic/>`}), NoText},
		{"too deep", makePPTX(t, []string{strings.Repeat("<p:grpSp>", 5000) + strings.Repeat("</p:grpSp>", 5000)}), Damaged},
	} {
		if got := codeFor("a.pptx", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := codeFor("talk.txt", whole); got != "" {
		t.Errorf("a presentation that is called .txt gave %q", got)
	}
}
