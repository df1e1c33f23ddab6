package parse

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
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
	russian := "Проверка уровня воды проводится каждый месяц, в первый понедельник."
	polish := "Właściwe stężenie mierzy się codziennie, również w święta. Łódź stoi przy śluzie."
	greek := "Η στάθμη του νερού μετριέται κάθε μήνα από το προσωπικό."
	turkish := "Su seviyesi her ayın ilk pazartesi günü ölçülür ve deftere yazılır. Ağır şamandıralar değiştirilir."
	traditional := "潮位站位於碼頭東側，每個月的第一個星期一進行檢查，人員必須穿著救生衣。"
	nihongo := "潮位観測所は岸壁の東側にあります。点検は毎月第一月曜日に行います。"
	hangul := "조위 관측소는 부두 동쪽에 있습니다. 점검은 매월 한 번 합니다."
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
		{"KOI8-R", encode(t, charmap.KOI8R, russian), russian, ""},
		{"Windows-1251", encode(t, charmap.Windows1251, russian), russian, ""},
		{"ISO 8859-5", encode(t, charmap.ISO8859_5, russian), russian, ""},
		{"code page 866", encode(t, charmap.CodePage866, russian), russian, ""},
		{"Windows-1250", encode(t, charmap.Windows1250, polish), polish, ""},
		{"ISO 8859-2", encode(t, charmap.ISO8859_2, polish), polish, ""},
		{"Windows-1253", encode(t, charmap.Windows1253, greek), greek, ""},
		{"Windows-1254", encode(t, charmap.Windows1254, turkish), turkish, ""},
		{"Big5", encode(t, traditionalchinese.Big5, traditional), traditional, ""},
		{"Shift JIS", encode(t, japanese.ShiftJIS, nihongo), nihongo, ""},
		{"EUC-JP", encode(t, japanese.EUCJP, nihongo), nihongo, ""},
		{"ISO-2022-JP", encode(t, japanese.ISO2022JP, nihongo), nihongo, ""},
		{"EUC-KR", encode(t, korean.EUCKR, hangul), hangul, ""},
		{"UTF-16 of Chinese without mark", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), chinese), chinese, ""},
		{"UTF-16 BE of Japanese without mark", encode(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nihongo), nihongo, ""},
		{"UTF-32", encode(t, utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), chinese), chinese, ""},
		{"UTF-32 without mark", encode(t, utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), german), german, ""},
		{"EBCDIC", encode(t, charmap.CodePage037, "The gate opens at five in the morning"), "", UnsupportedCharset},
		{"letters of no language", "\xff\xc1\xfd\xc3 \xfb\xc5\xf9\xc7 \xf7\xc9\xf5\xcb \xf3\xcd\xf1\xcf \xef\xd1\xed\xd3", "", UnsupportedCharset},
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

func TestAGuessedCharsetIsAWarning(t *testing.T) {
	for text, want := range map[string]int{"Das Tor am Fluss öffnet um fünf.": 1, "Größe der Boje: 2,40 Meter. Überprüfung jährlich im März, außer nachts, für Fußgänger gesperrt, täglich geöffnet.": 0} {
		doc := parseData(t, "a.txt", encode(t, charmap.Windows1252, text))
		if got := doc.Pages[0].Blocks[0].Text; got != text || len(doc.Warnings) != want {
			t.Errorf("got %q, warnings %q, want %d", got, doc.Warnings, want)
		}
	}
}
