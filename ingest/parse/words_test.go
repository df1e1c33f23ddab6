package parse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
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

// Of the words that pdftotext finds, a PDF keeps wordsKept in the mean and none less than fewestKept, unless
// fewerWords says why.
const (
	wordsKept  = 0.97
	fewestKept = 0.90
)

// fewerWords says of which files pdftotext is no measure.
var fewerWords = map[string]string{
	"rtl-rotated_habibi.pdf": "pdftotext gives the Arabic letters in the order of the eye",
}

// pdfPasswords open the encrypted files of the public data.
var pdfPasswords = []string{"baz", "usersecret", "openpassword"}

// keptWords is a document's share of the words that pdftotext finds in it, page by page where both have as many.
type keptWords struct {
	file         string
	pages        int
	wanted, kept int
	err          error
	missing      []string // some of the words, most frequent first
	emptyPages   []int    // with words for pdftotext
}

func (k keptWords) share() float64 {
	if k.wanted == 0 {
		return 1
	}
	return float64(k.kept) / float64(k.wanted)
}

func (k keptWords) String() string {
	if k.err != nil {
		return fmt.Sprintf("%-42s refused: %v", k.file, k.err)
	}
	return fmt.Sprintf("%-42s %4d pages %6d words %.4f kept  %s", k.file, k.pages, k.wanted, k.share(), fewerWords[k.file])
}

// wordsTotal sums up files that can be compared: those that were read, and that have words.
type wordsTotal struct {
	files      int
	sum, least float64
}

func (t *wordsTotal) add(k keptWords) {
	if k.err != nil || k.wanted == 0 || fewerWords[k.file] != "" {
		return
	}
	t.files++
	t.sum += k.share()
	t.least = min(t.least, k.share())
}

func (t *wordsTotal) mean() float64 { return t.sum / float64(max(t.files, 1)) }

// measureWords compares the file with pdftotext.
func measureWords(tb testing.TB, file string) keptWords {
	tb.Helper()
	doc, err := formats().parse(tb.Context(), Input{Path: file, Passwords: pdfPasswords}, 1<<30)
	result := keptWords{file: filepath.Base(file), pages: len(doc.Pages), err: err}
	var reference []byte
	for _, password := range append([]string{""}, pdfPasswords...) {
		reference, _ = exec.Command("pdftotext", "-upw", password, file, "-").Output()
		if len(reference) > 0 {
			break
		}
	}
	lost := map[string]int{}
	for i, wanted := range strings.Split(string(reference), "\f") {
		text := ""
		if i < len(doc.Pages) {
			text, _ = doc.Pages[i].Assemble()
		}
		want, got := words(wanted), words(text)
		if len(want) > 0 && len(got) == 0 {
			result.emptyPages = append(result.emptyPages, i+1)
		}
		for word, n := range want {
			result.wanted += n
			result.kept += min(n, got[word])
			if less := n - got[word]; less > 0 {
				lost[word] += less
			}
		}
	}
	result.missing = slices.SortedFunc(maps.Keys(lost), func(a, b string) int {
		return cmp.Or(cmp.Compare(lost[b], lost[a]), strings.Compare(a, b))
	})
	return result
}

// publicPDFs are those of the public data beside the checkout; it skips without them or without pdftotext.
func publicPDFs(tb testing.TB) []string {
	tb.Helper()
	files := contosoFiles(tb)
	more, _ := filepath.Glob(filepath.Join(awkwardPDFs, "*.pdf"))
	if _, err := exec.LookPath("pdftotext"); err != nil {
		tb.Skip("no pdftotext (Debian: poppler-utils)")
	}
	return append(files, more...)
}

func TestKeepsThePDFsWords(t *testing.T) {
	total := wordsTotal{least: 1}
	for _, file := range publicPDFs(t) {
		k := measureWords(t, file)
		t.Log(k)
		if k.share() < fewestKept && k.err == nil && fewerWords[k.file] == "" {
			t.Errorf("%s keeps %.3f of the words; it lacks %q", k.file, k.share(), k.missing[:min(12, len(k.missing))])
		}
		if len(k.emptyPages) > 0 && k.err == nil {
			t.Errorf("%s: pages %v are empty", k.file, k.emptyPages)
		}
		total.add(k)
	}
	t.Logf("%d files, mean %.4f", total.files, total.mean())
	if total.mean() < wordsKept {
		t.Errorf("the PDFs keep %.4f of their words in the mean, want %.2f", total.mean(), wordsKept)
	}
}

// BenchmarkWordsKept reports the mean and the least share of words that a PDF keeps.
func BenchmarkWordsKept(b *testing.B) {
	files := publicPDFs(b)
	for b.Loop() {
		total := wordsTotal{least: 1}
		for _, file := range files {
			k := measureWords(b, file)
			b.Log(k)
			total.add(k)
		}
		b.ReportMetric(total.mean(), "words-kept/pdf")
		b.ReportMetric(total.least, "words-kept/worst")
	}
}

// words counts the words of a text without signs, hyphens, vowel points and case; a word that is broken at a line's
// end counts whole. Each character of a script without spaces is a word.
func words(text string) map[string]int {
	text = norm.NFKC.String(strings.NewReplacer("-\n", "", "\u2010\n", "", "-", "", "\u2010", "").Replace(text))
	count := map[string]int{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	}) {
		var word strings.Builder
		for _, r := range w {
			switch {
			case wide(r):
				count[string(r)]++
			case !unicode.Is(unicode.Mn, r):
				word.WriteRune(r)
			}
		}
		if word.Len() > 0 {
			count[word.String()]++
		}
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
		var pages atomic.Int64
		for _, file := range files {
			go func() {
				doc, err := p.Parse(context.Background(), Input{Path: file})
				pages.Add(int64(len(doc.Pages)))
				errs <- err
			}()
		}
		for range files {
			if err := <-errs; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(files))/time.Since(began).Seconds(), "docs/s")
		b.ReportMetric(float64(pages.Load())/time.Since(began).Seconds(), "pages/s")
	}
}
