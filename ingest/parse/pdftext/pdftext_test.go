package pdftext

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestScannerReadsWhateverIsThere(t *testing.T) {
	s := scanner{data: []byte("% comment\n/Na#6de 1 -.5 +3.25 4. 1.5-2 (a\\(b\\)\\n\\101\\\n(c)) <48 6F6> [1 (x)] << /K true >> Tj BI /W 1 ID \x00EI\xff( EI Q (open")}
	var got []string
	var operands []operand
	for {
		var operator string
		operands, operator = s.next(operands)
		for _, o := range operands {
			got = append(got, fmt.Sprintf("%d:%g:%s", o.kind, o.number, o.text))
		}
		got = append(got, operator)
		if operator == "" {
			break
		}
	}
	want := "2:0:Name 0:1: 0:-0.5: 0:3.25: 0:4: 0:1.52: 1:0:a(b)\nA(c) 1:0:Ho` 3:0: 0:1: 1:0:x 4:0: 5:0: 2:0:K 7:0: 6:0: Tj BI Q 1:0:open "
	if joined := strings.Join(got, " "); joined != want {
		t.Errorf("got  %q\nwant %q", joined, want)
	}
}

func TestCMapsMapCodesToText(t *testing.T) {
	m := readCMap([]byte(`1 begincodespacerange <00> <7f> endcodespacerange 1 begincodespacerange <8000> <ffff> endcodespacerange
2 beginbfchar <01> <0066006C> <02> <D835DD4F> endbfchar
2 beginbfrange <10> <12> <0041> <8001> <8002> [<4E2D> <6587>] endbfrange
1 begincidrange <8000> <80ff> 500 endcidrange`))
	for code, want := range map[uint32]string{1: "fl", 2: "𝕏", 0x10: "A", 0x12: "C", 0x8001: "中", 0x8002: "文", 0x99: ""} {
		if got := m.text[code]; got != want {
			t.Errorf("code %x is %q, want %q", code, got, want)
		}
	}
	if n := codeLength(m.space, []byte{0x80, 0x01, 0x10}); n != 2 {
		t.Errorf("the code has %d bytes, want 2", n)
	}
	if n := codeLength(m.space, []byte{0x10, 0x80}); n != 1 {
		t.Errorf("the code has %d bytes, want 1", n)
	}
	if got := m.cid(0x8003); got != 503 {
		t.Errorf("glyph %d, want 503", got)
	}
}

func TestEndlessCMapRangesEnd(t *testing.T) {
	m := readCMap([]byte("beginbfrange <00000000> <ffffffff> <0041> endbfrange"))
	if len(m.text) > maxMapped {
		t.Errorf("%d entries", len(m.text))
	}
}

func TestPredefinedCMapsReadChineseJapaneseAndKorean(t *testing.T) {
	for _, tt := range []struct{ cmap, codes, want string }{
		{"UniGB-UCS2-H", "\x4e\x2d\x65\x87", "中文"},
		{"UniJIS-UTF16-H", "\xd8\x42\xdf\xb7\x30\x42", "𠮷あ"},
		{"GBK-EUC-H", "\xd6\xd0A\xce\xc4", "中A文"},
		{"90ms-RKSJ-V", "\x83\x65\xb1\x41", "テｱA"},
		{"H", "\x46\x7c\x4b\x5c", "日本"},
		{"EUC-H", "\xc6\xfcx", "日x"},
		{"ETen-B5-H", "\xa4\xa4\xa4\xe5", "中文"},
		{"KSCms-UHC-H", "\xc7\xd1\xb1\xdb", "한글"},
	} {
		f := font{composite: true, known: predefinedCMap(tt.cmap), width: 1000, scale: 0.001}
		f.space = f.known.space
		got := ""
		f.decode([]byte(tt.codes), func(text string, _ float64, _ bool) { got += text })
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.cmap, got, tt.want)
		}
	}
	if predefinedCMap("Identity-H") != nil {
		t.Error("Identity is no encoding")
	}
}

func TestJapaneseGlyphNumbersAreCharacters(t *testing.T) {
	for cid, want := range map[uint32]string{1: " ", 34: "A", 231: " ", 633: "\u3000", 842: "ぁ", 843: "あ", 925: "ァ", 1125: "亜", 4089: "腕",
		4090: "弌", 7474: "堯", 7887: "、", 7899: "（", 7926: "ょ", 99999: "\ufffd"} {
		if got := japan1Text(cid); got != want {
			t.Errorf("glyph %d is %q, want %q", cid, got, want)
		}
	}
}

// draw sets each character on a grid of 10 points.
func draw(text string, x, y float64) []Glyph {
	var glyphs []Glyph
	for _, r := range text {
		glyphs = append(glyphs, Glyph{Text: string(r), X: x, Y: y, Advance: 5, Size: 10})
		x += 5
	}
	return glyphs
}

func TestRightToLeftTextIsReadInItsOrder(t *testing.T) {
	for _, tt := range []struct{ paper, want string }{
		{"םולש", "שלום"},
		{"םלוע םולש", "שלום עולם"},
		{"2024 תנש", "שנת 2024"},
		{"PDF ץבוק", "קובץ PDF"},
		{"Word םולש here", "Word שלום here"},
		{"\ufee2\ufe92", "بم"}, // presentation forms
	} {
		lines := Lines(draw(tt.paper, 50, 700))
		if len(lines) != 1 || lines[0].Text() != tt.want {
			t.Errorf("%q on paper was read as %v, want %q", tt.paper, lines, tt.want)
		}
	}
}

func TestLinesOfEachDirectionAreLines(t *testing.T) {
	turned := func(dir Direction, dx, dy float64) []Glyph {
		var glyphs []Glyph
		for i, r := range "turned" {
			glyphs = append(glyphs, Glyph{Text: string(r), X: 300 + dx*float64(i), Y: 300 + dy*float64(i), Advance: math.Abs(dx + dy), Size: 10, Dir: dir})
		}
		return glyphs
	}
	for _, glyphs := range [][]Glyph{turned(Up, 0, 5), turned(Left, -5, 0), turned(Down, 0, -5), turned(Vertical, 0, -10)} {
		lines := Lines(glyphs)
		if len(lines) != 1 || lines[0].Text() != "turned" {
			t.Errorf("direction %d: %v", glyphs[0].Dir, lines)
		}
	}
}

func TestSuperscriptsStayInTheirLine(t *testing.T) {
	glyphs := draw("area in km", 50, 700)
	glyphs = append(glyphs, Glyph{Text: "2", X: 100, Y: 704, Advance: 3, Size: 6})
	glyphs = append(glyphs, draw(", all", 103, 700)...)
	if lines := Lines(glyphs); len(lines) != 1 || lines[0].Text() != "area in km2, all" {
		t.Errorf("got %v", lines)
	}
}
