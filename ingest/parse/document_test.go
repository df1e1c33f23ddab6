package parse

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAssembleTellsWhereEachBlockIs(t *testing.T) {
	page := Page{Blocks: []Block{
		{Heading, 1, "Häuser"}, {Kind: Paragraph, Text: "Zwei 房子 𝕏."}, {ListItem, 1, "eins"}, {ListItem, 2, "zwei"},
		{Kind: TableHeader, Text: "a | b"}, {Kind: TableRow, Text: "1 | 2"}, {Kind: Code, Text: "x\ny"},
	}}
	text, spans := page.Assemble()
	want := "Häuser\n\nZwei 房子 𝕏.\n\n- eins\n  - zwei\n\na | b\n1 | 2\n\nx\ny"
	if text != want {
		t.Fatalf("got %q, want %q", text, want)
	}
	runes := []rune(text)
	for i, s := range spans {
		if got := string(runes[s.Start:s.End]); !strings.HasSuffix(got, page.Blocks[i].Text) {
			t.Errorf("span %d is %q, want %q", i, got, page.Blocks[i].Text)
		}
	}
}

func TestAVeryLongTextIsSplitAtBlocks(t *testing.T) {
	paragraph := strings.Repeat("word ", 2000)
	doc := parseData(t, "long.txt", strings.Repeat(paragraph+"\n\n", 50))
	if len(doc.Pages) != 3 {
		t.Fatalf("got %d pages, want 3", len(doc.Pages))
	}
	for i, p := range doc.Pages {
		text, _ := p.Assemble()
		if p.Number != i+1 || utf8.RuneCountInString(text) > longPage+2 {
			t.Errorf("page %d has number %d and %d characters", i+1, p.Number, utf8.RuneCountInString(text))
		}
	}
}

func TestNormaliseBringsTextToOneForm(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a  b\u00a0c\td ", "a b c d"},
		{"o\ufb03ce \ufb01sh", "office fish"},
		{"e\u0301", "é"},
		{"co\u00adop\u200bera\ufefftion", "cooperation"},
		{"\ufffdx\x00\x07", "x"},
		{"a \n\n b\r\nc", "a\nb\nc"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"全角　空格", "全角　空格"},
		{"\uf0b7 item", "item"},
		{"bad \xff utf-8", "bad utf-8"},
	} {
		if got := normalise(tt.in, false); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
		if again := normalise(tt.want, false); again != tt.want {
			t.Errorf("%q is not stable: %q", tt.want, again)
		}
	}
	if got := normalise("\n  if x {\n\ty\n  }\n", true); got != "  if x {\n\ty\n  }" {
		t.Errorf("code became %q", got)
	}
}

func TestTitleIsOneThatAPersonWrote(t *testing.T) {
	heading := []Page{{Blocks: []Block{{Heading, 2, "Part"}, {Heading, 1, "Annual Report"}}}}
	for _, tt := range []struct {
		title string
		pages []Page
		want  string
	}{
		{"Leave Policy", heading, "Leave Policy"},
		{"Microsoft Word - Leave policy v2.doc", heading, "Annual Report"},
		{"untitled", heading, "Annual Report"},
		{"Document1", nil, "leave"},
		{"leave.pdf", nil, "leave"},
		{"  \n ", heading, "Annual Report"},
		{"休假制度", heading, "休假制度"},
		{"", nil, "leave"},
	} {
		if got := chooseTitle(Document{Title: tt.title, Pages: tt.pages}, "leave.pdf"); got != tt.want {
			t.Errorf("title %q: got %q, want %q", tt.title, got, tt.want)
		}
	}
}

func TestFingerprintsTellFormatsApart(t *testing.T) {
	seen := map[string]string{}
	for _, mediaType := range []string{"", "application/pdf", "text/plain", "text/markdown", "text/html"} {
		f := Fingerprint(mediaType)
		if other, ok := seen[f]; ok {
			t.Errorf("%q and %q have the same fingerprint", mediaType, other)
		}
		seen[f] = mediaType
	}
	if Fingerprint("video/mp4") != Fingerprint("") {
		t.Error("what no format reads has the fingerprint of all")
	}
}
