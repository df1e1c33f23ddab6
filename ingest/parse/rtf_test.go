package parse

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

const rtfHead = `{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun{\*\falt \'cb\'ce\'cc\'e5};}}{\colortbl;\red0\green0\blue0;}
{\stylesheet{\ql \snext0 Normal;}{\s1\outlinelevel0 \'dcberschrift 1;}{\s2\sbasedon1 heading 2;}{\s3\sbasedon3 Ring;}{\s4 toc 1;}{\s5 Quote;}{\s6 HTML Preformatted;}{\*\cs10 heading 9;}}
{\info{\title Das Handbuch}{\author Ann}{\author Bo}{\keywords x, y}{\creatim\yr2025\mo1\dy2\hr3\min4}{\operator Eve}}
`

func TestRTFKeepsItsStructure(t *testing.T) {
	doc := parseData(t, "a.rtf", rtfHead+`{\header Kopfzeile\par}{\pard\s4 Kapitel\tab 3\par}
\pard\plain\s1 Kapitel\par\pard\s2 Abschnitt\par\pard\s3 Ein {\field{\*\fldinst HYPERLINK "x"}{\fldrslt Verweis}}, ne
u{\v verborgen}{\deleted weg}{\*\unknown fort}{\pict\wmetafile8 0102}{\object{\*\objdata 0105}{\result da}}{\super\chftn}{\footnote {\super\chftn} Anmerkung\par}\line Zeile\~\emdash\_zwei\par
{\listtext\pard 1.\tab}\ls1\ilvl0 eins\par{\listtext\'b7\tab}\ilvl1 Punkt\par\pard\fi-360\li720 \bullet\tab h\u228\'e4ngt\par
\pard\s5 Worte\par\pard\s6 a   b\par c\par\pard
\trowd\trhdr\cellx1\cellx2\intbl A\cell B\cell\row\trowd\cellx1\cellx2\intbl 1\cell 2\par 3\cell\row\pard Danach\par
\trowd\cellx1\intbl Im Rahmen\cell\row\pard\plain{\shp{\*\shpinst{\sp{\sn fill}{\sv 1}}{\shptxt Kasten\par}}{\shprslt Kasten}}Satz\page
{\upr{a?}{\*\ud a\u8364?}} und \u-10179?\u-8694?\par\bin5 }}}}}\par}  Abfall`)
	wantOutline(t, doc, `
heading1: Kapitel
heading2: Abschnitt
paragraph: Ein Verweis, neuda[1]⏎Zeile —-zwei
paragraph: [1] Anmerkung
list-item1: 1. eins
list-item2: Punkt
list-item2: hängt
quote: Worte
code: a   b⏎c
table-header: A | B
table-row: 1 | 2 3
paragraph: Danach
paragraph: Im Rahmen
paragraph: Satz
paragraph: Kasten
= page 2
paragraph: a€ und 😊`)
	if doc.Title != "Das Handbuch" || doc.Metadata["author"] != "Ann" || doc.Metadata["created"] != "2025-01-02T03:04:00Z" || len(doc.Warnings) > 0 {
		t.Errorf("title %q, metadata %v, warnings %q", doc.Title, doc.Metadata, doc.Warnings)
	}
}

func TestRTFReadsEachCharset(t *testing.T) {
	escape := func(e encoding.Encoding, s string) string {
		var b strings.Builder
		for _, c := range []byte(encode(t, e, s)) {
			if c < 0x80 && c != '\\' && c != '{' && c != '}' { // the second byte of a character may be a letter
				b.WriteByte(c)
				continue
			}
			fmt.Fprintf(&b, `\'%02x`, c)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, font, header, text string
		charset                  encoding.Encoding
	}{
		{"Western", `\fcharset0`, "", "Größe: 5 €", charmap.Windows1252},
		{"Cyrillic", `\fcharset204`, "", "Проверка", charmap.Windows1251},
		{"Greek", `\fcharset161`, "", "Στάθμη", charmap.Windows1253},
		{"GB 2312", `\fcharset134`, "", "潮汐站位于码头", simplifiedchinese.GBK},
		{"Big 5", `\fcharset136`, "", "潮位資料功能許", traditionalchinese.Big5},
		{"Shift JIS", `\fcharset128`, "", "ソ連の潮位表", japanese.ShiftJIS},
		{"Korean", `\fcharset129`, "", "조위 관측소", korean.EUCKR},
		{"the document's", `\fcharset1`, `\ansicpg936`, "潮汐站", simplifiedchinese.GBK},
		{"Macintosh", "", `\mac`, "Größe", charmap.Macintosh},
	} {
		doc := parseData(t, "a.rtf", `{\rtf1\ansi`+tt.header+`\deff0{\fonttbl{\f0\fcharset0 A;}{\f3`+tt.font+` B;}}{\f3 `+escape(tt.charset, tt.text)+`}{\f0  end}\par}`)
		if got := doc.Pages[0].Blocks[0].Text; got != tt.text+" end" || len(doc.Warnings) > 0 {
			t.Errorf("%s: got %q, warnings %q", tt.name, got, doc.Warnings)
		}
	}
}

func TestDamagedRTFSaysSo(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"nested without end", `{\rtf1` + strings.Repeat("{", 1e6), Damaged},
		{"no text", `{\rtf1{\pict 00}}`, Empty},
		{"only its first word", `{\rtf1`, Empty},
		{"a picture that is longer than the file", `{\rtf1\bin99999999 abc}`, Empty},
	} {
		if got := codeFor("a.rtf", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	doc := parseData(t, "a.rtf", `{\rtf1 kept\par and {\b this`)
	wantOutline(t, doc, "paragraph: kept\nparagraph: and this")
	if len(doc.Warnings) != 1 || !strings.Contains(doc.Warnings[0], "ends in the middle") {
		t.Errorf("warnings are %q", doc.Warnings)
	}
	doc = parseData(t, "a.rtf", `{\rtf1{\fonttbl{\f0\fcharset134 S;}}\f0 text \'ff\'ff}`)
	if len(doc.Warnings) != 1 || !strings.Contains(doc.Warnings[0], "left out") {
		t.Errorf("warnings are %q", doc.Warnings)
	}
}

func FuzzRTF(f *testing.F) {
	fuzz(f, "a.rtf", rtfHead+`\pard\s1 H\par{\listtext\'b7\tab}x\par\trowd\intbl 1\cell 2\cell\row\pard{\footnote n\par}{\upr{a}{\*\ud \u8364?}}\f1 \'cb\'ce\page\u-10179?\u-8694?}`)
}
