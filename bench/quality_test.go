package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/model"
	"grounded/model/local/localtest"
	"grounded/retrieve"
	"grounded/store"
	"grounded/store/sqlite"
)

// publicData is the folder of a public data set beside the checkout; without it the benchmark is skipped.
func publicData(b *testing.B, name string) string {
	b.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "shared", "data", name))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Skipf("the public data set %s is not beside the checkout", name)
	}
	return path
}

// everyone sees all of the collection.
var everyone = corpus.Scope{Collection: "bench", Access: corpus.Access{Unrestricted: true}}

// constant embeds everything alike, for lexical search alone.
type constant struct{}

func (constant) Embed(_ context.Context, _ model.Kind, texts []string) (model.Embeddings, error) {
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = []float32{1, 0, 0, 0}
	}
	return model.Embeddings{Vectors: vectors}, nil
}
func (constant) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: "constant", Dimensions: 4, Normalised: true}, nil
}
func (constant) CountTokens(text string) int {
	return len(strings.Fields(text))*4/3 + strings.Count(text, "的")
}
func (constant) MaxTokens() int { return 512 }

// library ingests a folder into a new store and returns what searches it.
func library(b *testing.B, folder string, embedder model.Embedder) (*retrieve.Retriever, store.Store) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "grounded.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	pool, err := parse.New(parse.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	ingester, err := ingest.New(b.Context(), ingest.Config{Store: s, Embedder: embedder, Parser: pool})
	if err != nil {
		b.Fatal(err)
	}
	report, err := ingester.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{folder}}, nil)
	if err != nil || report.Documents.Quarantined > 0 {
		b.Fatalf("ingest %s: %+v, %v", folder, report, err)
	}
	b.Logf("%s: %d documents, %d chunks in %.1f s", filepath.Base(folder), report.Documents.New, report.Chunks.Written, report.Seconds)
	r, err := retrieve.New(retrieve.Config{Store: s, Embedder: embedder})
	if err != nil {
		b.Fatal(err)
	}
	return r, s
}

// judged is a question with the gain of each relevant item: a document, or a page of one.
type judged struct {
	question string
	gains    map[string]float64
	ignored  map[string]bool // items that are taken out of the ranking
}

// measure reports mean nDCG@10 and recall@10 over the questions, ranking items in the order in which their first
// passage comes. nDCG is Järvelin and Kekäläinen's (2002) with the gain as it is and a discount of log2(rank+1).
func measure(b *testing.B, r *retrieve.Retriever, mode string, questions []judged, items func(corpus.Passage) []string) {
	b.Helper()
	var ndcg, recall float64
	for _, q := range questions {
		result, err := r.Retrieve(b.Context(), retrieve.Request{Scope: everyone, Question: q.question, TopK: 60, Mode: mode})
		if err != nil {
			b.Fatal(err)
		}
		var ranked []string
		seen := map[string]bool{}
		for _, p := range result.Passages {
			for _, name := range items(p) {
				if !seen[name] && !q.ignored[name] && len(ranked) < 10 {
					seen[name] = true
					ranked = append(ranked, name)
				}
			}
		}
		gain, found := 0.0, 0
		for i, name := range ranked {
			gain += q.gains[name] / math.Log2(float64(i+2))
			if q.gains[name] > 0 {
				found++
			}
		}
		var all []float64
		for _, g := range q.gains {
			all = append(all, g)
		}
		ndcg += gain / ideal(all)
		recall += float64(found) / float64(len(q.gains))
	}
	n := float64(len(questions))
	b.ReportMetric(ndcg/n, "nDCG@10")
	b.ReportMetric(recall/n, "R@10")
	b.ReportMetric(n, "questions")
	b.ReportMetric(0, "ns/op")
}

func ideal(gains []float64) float64 {
	for i := range gains {
		for j := i + 1; j < len(gains); j++ {
			if gains[j] > gains[i] {
				gains[i], gains[j] = gains[j], gains[i]
			}
		}
	}
	sum := 0.0
	for i, g := range gains[:min(10, len(gains))] {
		sum += g / math.Log2(float64(i+2))
	}
	return sum
}

var contosoSource = regexp.MustCompile(`\[([^\]#]+\.pdf)#page=(\d+)\]`)

// contosoQuestions reads the questions whose answers name the pages that they are on.
func contosoQuestions(b *testing.B, folder string) []judged {
	b.Helper()
	f, err := os.Open(filepath.Join(folder, "qa.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var list []judged
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Question, Truth string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			b.Fatal(err)
		}
		q := judged{question: line.Question, gains: map[string]float64{}}
		for _, m := range contosoSource.FindAllStringSubmatch(line.Truth, -1) {
			q.gains[m[1]+" "+m[2]] = 1
		}
		if len(q.gains) > 0 {
			list = append(list, q)
		}
	}
	return list
}

// BenchmarkContoso measures retrieval of pages on 201 questions about six PDF files, with the local e5 model.
func BenchmarkContoso(b *testing.B) {
	folder := publicData(b, "contoso")
	r, s := library(b, contosoFiles(b, folder), localtest.Embedder(b))
	questions := contosoQuestions(b, folder)
	for _, mode := range []string{retrieve.ModeHybrid, retrieve.ModeDense, retrieve.ModeLexical} {
		b.Run(mode, func(b *testing.B) {
			for b.Loop() {
				measure(b, r, mode, questions, contosoPages)
			}
		})
	}
	b.Run("pages", func(b *testing.B) {
		for b.Loop() {
			countPages(b, s, folder)
		}
	})
}

// contosoFiles returns a folder with the PDF files alone.
func contosoFiles(b *testing.B, folder string) string {
	b.Helper()
	files := b.TempDir()
	paths, _ := filepath.Glob(filepath.Join(folder, "*.pdf"))
	for _, path := range paths {
		copyFile(b, path, filepath.Join(files, filepath.Base(path)))
	}
	return files
}

// contosoPages names the pages that a passage is on.
func contosoPages(p corpus.Passage) (pages []string) {
	for n := p.PageStart; n <= p.PageEnd; n++ {
		pages = append(pages, fmt.Sprintf("%s %d", p.Document, n))
	}
	return pages
}

func copyFile(b *testing.B, from, to string) {
	b.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		b.Fatal(err)
	}
}

// countPages reports how many pages have chunks, and the share of pdftotext's words that are in the stored pages.
func countPages(b *testing.B, s store.Store, folder string) {
	b.Helper()
	paths, _ := filepath.Glob(filepath.Join(folder, "*.pdf"))
	docs, _, err := s.Documents(b.Context(), store.DocumentQuery{Scope: everyone})
	if err != nil {
		b.Fatal(err)
	}
	indexed := 0
	have := map[string]int{}
	for _, d := range docs {
		chunks, err := s.DocumentChunks(b.Context(), everyone, d.ID, 0, -1)
		if err != nil {
			b.Fatal(err)
		}
		pages := map[int]bool{}
		for _, c := range chunks {
			for n := c.PageStart; n <= c.PageEnd; n++ {
				pages[n] = true
			}
		}
		indexed += len(pages)
		stored, err := s.Pages(b.Context(), everyone, d.ID, 1, 0)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range stored {
			for _, w := range wordsOf(p.Text) {
				have[d.Path+" "+w]++
			}
		}
	}
	b.ReportMetric(float64(indexed), "pages")
	b.ReportMetric(0, "ns/op")
	if _, err := exec.LookPath("pdftotext"); err != nil {
		b.Log("pdftotext (poppler-utils) is not installed: words kept are not measured")
		return
	}
	total, kept := 0, 0
	for _, path := range paths {
		text, err := exec.CommandContext(b.Context(), "pdftotext", path, "-").Output()
		if err != nil {
			b.Fatal(err)
		}
		for _, w := range wordsOf(string(text)) {
			total++
			if key := filepath.Base(path) + " " + w; have[key] > 0 {
				have[key]--
				kept++
			}
		}
	}
	b.ReportMetric(float64(kept)/float64(total), "words-kept")
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// BenchmarkCranfield measures lexical retrieval of documents on the 1,400 abstracts and 225 queries of Cranfield.
// binary counts every judgement of 1 to 4 as relevant; graded gives 4 for "a complete answer" down to 1. Each
// question has one document judged -1, nearly always the one that is found first: the paper that the question was
// taken from. It is left out of the ranking; with-source leaves it in, as one that is not relevant.
func BenchmarkCranfield(b *testing.B) {
	folder := publicData(b, "cranfield")
	files := b.TempDir()
	for _, section := range cranfieldSections(b, filepath.Join(folder, "cran.all.1400")) {
		text := section["T"] + "\n\n" + section["W"]
		if err := os.WriteFile(filepath.Join(files, section["I"]+".txt"), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	// Two abstracts of the set are empty; they are left out so that none counts as unreadable.
	for _, name := range []string{"471.txt", "995.txt"} {
		_ = os.Remove(filepath.Join(files, name))
	}
	r, _ := library(b, files, constant{})
	for _, judgement := range []string{"binary", "graded", "with-source"} {
		b.Run(judgement, func(b *testing.B) {
			questions := cranfieldQuestions(b, folder, judgement == "graded")
			if judgement == "with-source" {
				for i := range questions {
					questions[i].ignored = nil
				}
			}
			for b.Loop() {
				measure(b, r, retrieve.ModeLexical, questions, func(p corpus.Passage) []string {
					return []string{strings.TrimSuffix(p.Document, ".txt")}
				})
			}
		})
	}
}

// cranfieldSections reads entries that begin with ".I n" and have fields ".T", ".W" and so on.
func cranfieldSections(b *testing.B, path string) []map[string]string {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var list []map[string]string
	field := ""
	for line := range strings.Lines(string(data)) {
		switch {
		case strings.HasPrefix(line, ".I "):
			list = append(list, map[string]string{"I": strings.TrimSpace(line[3:])})
		case len(line) >= 2 && line[0] == '.' && line[1] >= 'A' && line[1] <= 'Z' && strings.TrimSpace(line[2:]) == "":
			field = line[1:2]
		default:
			list[len(list)-1][field] += line
		}
	}
	return list
}

func cranfieldQuestions(b *testing.B, folder string, graded bool) []judged {
	b.Helper()
	sections := cranfieldSections(b, filepath.Join(folder, "cran.qry"))
	list := make([]judged, len(sections))
	for i, s := range sections {
		list[i] = judged{strings.Join(strings.Fields(s["W"]), " "), map[string]float64{}, map[string]bool{}}
	}
	data, err := os.ReadFile(filepath.Join(folder, "cranqrel"))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		query, err1 := strconv.Atoi(f[0])
		grade, err2 := strconv.Atoi(f[2])
		if err1 == nil && err2 == nil && grade == -1 {
			list[query-1].ignored[f[1]] = true
		}
		if err1 != nil || err2 != nil || grade < 1 || grade > 4 {
			continue // 5 is "of no interest"
		}
		gain := 1.0
		if graded {
			gain = float64(5 - grade)
		}
		list[query-1].gains[f[1]] = gain
	}
	var asked []judged
	for _, q := range list {
		if len(q.gains) > 0 {
			asked = append(asked, q)
		}
	}
	return asked
}

// BenchmarkXQuAD measures lexical retrieval of the paragraph that a question is about, in English and Chinese.
func BenchmarkXQuAD(b *testing.B) {
	folder := publicData(b, "xquad")
	for _, language := range []string{"zh", "en"} {
		b.Run(language, func(b *testing.B) {
			data, err := os.ReadFile(filepath.Join(folder, "xquad."+language+".json"))
			if err != nil {
				b.Fatal(err)
			}
			var set struct {
				Data []struct {
					Paragraphs []struct {
						Context string
						QAs     []struct{ Question string } `json:"qas"`
					}
				}
			}
			if err := json.Unmarshal(data, &set); err != nil {
				b.Fatal(err)
			}
			files := b.TempDir()
			var questions []judged
			n := 0
			for _, article := range set.Data {
				for _, p := range article.Paragraphs {
					n++
					name := fmt.Sprintf("%03d.txt", n)
					if err := os.WriteFile(filepath.Join(files, name), []byte(p.Context), 0o600); err != nil {
						b.Fatal(err)
					}
					for _, qa := range p.QAs {
						questions = append(questions, judged{question: qa.Question, gains: map[string]float64{name: 1}})
					}
				}
			}
			r, _ := library(b, files, constant{})
			for b.Loop() {
				measure(b, r, retrieve.ModeLexical, questions, func(p corpus.Passage) []string { return []string{p.Document} })
			}
		})
	}
}
