package parse

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func TestTextIsParagraphsAndLists(t *testing.T) {
	doc := parseData(t, "notes.txt", `Opening hours

The office is open from eight in the morning until six in the even-
ing, and the gate is closed at night. Visitors ring the bell at the
south door.

Bring:
- a badge
  * its clip
1) shoes

Line one
Line two
`)
	wantOutline(t, doc, `
paragraph: Opening hours
paragraph: The office is open from eight in the morning until six in the evening, and the gate is closed at night. Visitors ring the bell at the south door.
paragraph: Bring:
list-item1: a badge
list-item1: its clip
list-item1: 1) shoes
paragraph: Line one⏎Line two`)
	if doc.MediaType != "text/plain" || doc.Title != "notes" {
		t.Errorf("media type %q, title %q", doc.MediaType, doc.Title)
	}
}

func encode(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCharsetsAreReadOrRefusedButNeverMistaken(t *testing.T) {
	german := "Größe der Boje: 2,40 Meter. Überprüfung jährlich im März, außer nachts."
	chinese := "这是一个测试，我们在这里工作，他们也来了。公司的地址在上海。"
	little := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	big := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	for _, tt := range []struct {
		name, data, want string
		code             ErrorCode
	}{
		{"UTF-8", german, german, ""},
		{"UTF-8 with mark", "\ufeff" + german, german, ""},
		{"UTF-16 LE", encode(t, little, german+chinese), german + chinese, ""},
		{"UTF-16 BE", encode(t, big, german), german, ""},
		{"UTF-16 without mark", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), german), german, ""},
		{"Latin-1", encode(t, charmap.ISO8859_1, german), german, ""},
		{"Windows-1252", encode(t, charmap.Windows1252, "“"+german+"” – 5 €"), "“" + german + "” – 5 €", ""},
		{"GB 18030", encode(t, simplifiedchinese.GB18030, chinese), chinese, ""},
		{"a bad byte in UTF-8", strings.Repeat(chinese, 30) + "\xff", strings.Repeat(chinese, 30), ""},
		{"KOI8-R", encode(t, charmap.KOI8R, "Проверка уровня воды проводится каждый месяц"), "", UnsupportedCharset},
		{"Shift JIS", encode(t, japanese.ShiftJIS, "潮位観測所は岸壁の東側にあります。"), "", UnsupportedCharset},
		{"EUC-KR", encode(t, korean.EUCKR, "조위 관측소는 부두 동쪽에 있습니다. 점검은 매월 한다."), "", UnsupportedCharset},
		{"replacement characters", strings.Repeat("\ufffd", 50) + " ok", "", Damaged},
		{"zeros", "a\x00b\x00\x00\x01\x02c", "", Damaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.code != "" {
				if got := codeFor("a.txt", tt.data); got != tt.code {
					t.Fatalf("got code %q, want %q", got, tt.code)
				}
				return
			}
			doc := parseData(t, "a.txt", tt.data)
			if got := doc.Pages[0].Blocks[0].Text; got != tt.want {
				t.Fatalf("got %q", got)
			}
		})
	}
}
