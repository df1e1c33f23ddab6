package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

const (
	awkward     = "../../testdata/awkward"
	awkwardPDFs = "../../../shared/data/pdf" // public data beside the checkout
)

// TestAwkwardFilesComeToWhatIsExpected holds the files of testdata/awkward against EXPECT.tsv there.
func TestAwkwardFilesComeToWhatIsExpected(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(awkward, "EXPECT.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, Config{Workers: 2})
	for _, line := range strings.Split(strings.TrimRight(string(table), "\n"), "\n")[1:] {
		fields := append(strings.Split(line, "\t"), "", "", "")
		file, outcome, code, contains, lacks := fields[0], fields[1], fields[2], fields[4], fields[5]
		if outcome == "skipped" || strings.Contains(file, PartSeparator) {
			continue // not parsed, or a file inside of another
		}
		t.Run(file, func(t *testing.T) {
			doc, err := p.Parse(t.Context(), Input{Path: filepath.Join(awkward, file), Scratch: t.TempDir()})
			if doc.Recording { // which is not read here
				err = errorf(NotTranscribed, "")
			}
			if got := string(CodeOf(err)); got != code || (err == nil) != (outcome == "ok") {
				t.Fatalf("got %q (%v), want %s %q", got, err, outcome, code)
			}
			text := documentText(doc)
			if !strings.Contains(text, contains) || lacks != "" && strings.Contains(text, lacks) {
				t.Errorf("got %q, which should have %q and not %q", text, contains, lacks)
			}
		})
	}
}

func documentText(doc Document) string {
	var all []string
	for _, page := range doc.Pages {
		text, _ := page.Assemble()
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

// TestPublicAwkwardPDFsComeToWhatIsExpected holds the PDFs of other projects' test suites against what their
// EXPECT.tsv says in words.
func TestPublicAwkwardPDFsComeToWhatIsExpected(t *testing.T) {
	if _, err := os.Stat(awkwardPDFs); err != nil {
		t.Skip("no ../shared/data/pdf beside the checkout")
	}
	p := newPool(t, Config{Workers: 2})
	for _, tt := range []struct {
		file     string
		code     ErrorCode
		contains []string
	}{
		{"attachment_with-attachment.pdf", "", []string{"consetetur sadipscing elitr"}},
		{"bad-metadata_017.pdf", Damaged, nil},
		{"cjk-vertical-ja_jo.pdf", "", []string{"わたくしといふ現象は假定された有機交流電燈のひとつの青い照明です", "大正十三年一月廿日 宮澤賢治"}},
		{"corrupt_zen_of_python.pdf", "", []string{"Beautiful is better than ugly.", "Namespaces are one honking great idea"}},
		{"encrypted_aes-128.pdf", Encrypted, nil},
		{"encrypted_aes-256-r6.pdf", Encrypted, nil},
		{"encrypted_libreoffice-password.pdf", Encrypted, nil},
		{"encrypted_rc4-40.pdf", Encrypted, nil},
		{"form_pdflatex-forms.pdf", "", []string{"Name", "Submit"}},
		{"mangled-utf8-replaced_PerksPlus.pdf", Damaged, nil},
		{"multicolumn_latex.pdf", "", []string{"consectetuer adipiscing elit. Ut purus elit, vestibulum ut", "two columns filled", "Finland | 5.5 | 338,424 | Helsinki | Finnish, Swedish"}},
		{"no-tounicode_issue-791.pdf", NoText, nil},
		{"recursive-xobjects_issue-1113.pdf", "", []string{"Hello world"}},
		{"rtl-rotated_habibi.pdf", "", []string{"حَبيبي"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			doc, err := p.Parse(t.Context(), Input{Path: filepath.Join(awkwardPDFs, tt.file)})
			if got := CodeOf(err); got != tt.code || tt.code == "" && err != nil {
				t.Fatalf("got %q (%v), want %q", got, err, tt.code)
			}
			text := documentText(doc)
			for _, s := range tt.contains {
				if !strings.Contains(text, s) {
					t.Errorf("%q is not in %q", s, text)
				}
			}
			if tt.file == "cjk-vertical-ja_jo.pdf" {
				if n := countWide(text); n < 865 {
					t.Errorf("got %d Japanese characters, want 865", n)
				}
			}
		})
	}
}

func countWide(text string) int {
	n := 0
	for _, r := range text {
		if wide(r) && !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
