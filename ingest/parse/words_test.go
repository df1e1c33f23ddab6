package parse

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// contoso is public data beside the checkout, which is not part of the project.
const contoso = "../../../shared/data/contoso"

// contosoFiles returns the PDFs, or skips.
func contosoFiles(tb testing.TB) []string {
	tb.Helper()
	files, _ := filepath.Glob(filepath.Join(contoso, "*.pdf"))
	if len(files) == 0 {
		tb.Skip("no ../shared/data/contoso beside the checkout")
	}
	return files
}

// TestKeepsThePDFsWords compares each page with pdftotext, a page at a time.
func TestKeepsThePDFsWords(t *testing.T) {
	files := contosoFiles(t)
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("no pdftotext")
	}
	pages, wanted, kept := 0, 0, 0
	for _, file := range files {
		doc, err := formats().parse(context.Background(), Input{Path: file}, 1<<30)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		reference, err := exec.Command("pdftotext", file, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		texts := strings.Split(string(reference), "\f")
		for i, page := range doc.Pages {
			text, _ := page.Assemble()
			if len(page.Blocks) > 0 {
				pages++
			} else if strings.TrimSpace(texts[i]) != "" {
				t.Errorf("%s: page %d is empty", file, page.Number)
			}
			want, got := words(texts[i]), words(text)
			for word, n := range want {
				wanted += n
				kept += min(n, got[word])
			}
		}
	}
	share := float64(kept) / float64(wanted)
	t.Logf("%d pages with text; %d of %d words kept, %.2f%%", pages, kept, wanted, 100*share)
	if pages != 263 || share < 0.97 {
		t.Errorf("want 263 pages and 97%% of the words")
	}
}

// words counts the words of a text without signs, hyphens and case; a word that is broken at a line's end counts whole.
func words(text string) map[string]int {
	text = strings.NewReplacer("-\n", "", "-", "").Replace(text)
	count := map[string]int{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		count[w]++
	}
	return count
}

// BenchmarkContoso parses six PDFs with 263 pages in a pool.
func BenchmarkContoso(b *testing.B) {
	files := contosoFiles(b)
	p, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for b.Loop() {
		began := time.Now()
		errs := make(chan error, len(files))
		for _, file := range files {
			go func() {
				_, err := p.Parse(context.Background(), Input{Path: file})
				errs <- err
			}()
		}
		for range files {
			if err := <-errs; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(files))/time.Since(began).Seconds(), "docs/s")
	}
}
