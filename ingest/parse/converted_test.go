package parse

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeepsTheWordsOfConvertedDocuments has pandoc write the company's documents in other formats.
func TestKeepsTheWordsOfConvertedDocuments(t *testing.T) {
	if _, err := exec.LookPath("pandoc"); err != nil {
		t.Skip("no pandoc")
	}
	files, _ := filepath.Glob("../../testdata/company/*/*.md")
	more, _ := filepath.Glob("../../testdata/company/*/*.docx")
	for _, format := range []string{"epub", "odt", "rtf"} {
		t.Run(format, func(t *testing.T) {
			wanted, kept := 0, 0
			for _, file := range append(files, more...) {
				target := filepath.Join(t.TempDir(), "a."+format)
				if out, err := exec.Command("pandoc", file, "-s", "-o", target).CombinedOutput(); err != nil {
					t.Fatalf("pandoc %s: %v: %s", file, err, out)
				}
				reference, err := exec.Command("pandoc", file, "-t", "plain", "--wrap=none").Output()
				if err != nil {
					t.Fatal(err)
				}
				doc, err := formats().parse(t.Context(), Input{Path: target}, 1<<30)
				if err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				got := words(documentText(doc))
				var lost []string
				for word, n := range words(string(reference)) {
					wanted += n
					kept += min(n, got[word])
					if got[word] < n {
						lost = append(lost, word)
					}
				}
				if len(lost) > 0 {
					t.Logf("%s lost %s", file, strings.Join(lost, " "))
				}
			}
			if share := float64(kept) / float64(max(wanted, 1)); share < 0.99 || wanted < 3000 {
				t.Errorf("%d of %d words kept, %.2f%%; want 99%%", kept, wanted, 100*share)
			}
		})
	}
}
