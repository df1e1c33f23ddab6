package parse

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func TestNamesOfPartsAreSafeAndUnique(t *testing.T) {
	long := strings.Repeat("ü", 700)
	for _, tt := range []struct{ raw, want []string }{
		{[]string{"a/b.txt", "./a//b.txt", "a/b (2).txt", "a\\b.txt"}, []string{"a/b.txt", "a/b (2).txt", "a/b (2) (2).txt", "a/b (3).txt"}},
		{[]string{"", "..", "/", "C:"}, []string{"unnamed", "unnamed (2)", "unnamed (3)", "unnamed (4)"}},
		{[]string{"../../x", "/etc/x", "D:\\x.y\\z", "a/../../b"}, []string{"x", "etc/x", "x.y/z", "b"}},
		{[]string{"a!/b", "a!!/b", "a!"}, []string{"a!_/b", "a!!_/b", "a!"}},
		{[]string{"a\x00b\n\u202e.txt", "\xff\xfe.txt", "u\u0308.txt"}, []string{"a_b__.txt", "_.txt", "ü.txt"}},
		{[]string{long + ".txt", "x/../" + strings.Repeat("y", 500) + "../" + strings.Repeat("z", 998)}, []string{strings.Repeat("ü", 498) + ".txt", strings.Repeat("z", 998)}},
	} {
		if got := partNames(tt.raw); !slices.Equal(got, tt.want) {
			t.Errorf("%q are called %q, want %q", tt.raw, got, tt.want)
		}
	}
}

func TestTheCharsetOfNamesIsTold(t *testing.T) {
	for name, e := range map[string]encoding.Encoding{
		"Größe der Schlüssel/Prüfung.pdf/": charmap.CodePage437,
		"Déjà vu/façade.pdf/":              charmap.Windows1252,
		"合同/二〇二五年采购合同（终稿）.docx/":           simplifiedchinese.GB18030,
		"議事録/第3回 プロジェクト会議.docx/":           japanese.ShiftJIS,
		"會議記錄/第三次會議.docx/":                 traditionalchinese.Big5,
	} {
		encoded, err := e.NewEncoder().Bytes([]byte(name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nameCharset(encoded).NewDecoder().Bytes(encoded); err != nil || string(got) != name {
			t.Errorf("%s is read as %q", name, got)
		}
	}
}
