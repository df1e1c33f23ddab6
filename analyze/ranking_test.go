package analyze_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"grounded/analyze"
	"grounded/corpus"
)

// sharedData holds public collections beside the checkout, where there are any.
const sharedData = "../../shared/data"

func readShared(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sharedData, name))
	if err != nil {
		t.Skipf("public data is not beside the checkout: %v", err)
	}
	return string(text)
}

// bm25 scores every document with Okapi BM25 (k1 1.2, b .75) by brute force.
type bm25 struct {
	postings map[string][]posting
	lengths  []float64
	average  float64
}

type posting struct {
	document int
	count    float64
}

func newBM25(documents []string, language string) *bm25 {
	b := &bm25{postings: map[string][]posting{}, lengths: make([]float64, len(documents))}
	for i, text := range documents {
		for _, term := range analyze.Terms(text, language) {
			b.postings[term.Text] = append(b.postings[term.Text], posting{i, float64(term.Count)})
			b.lengths[i] += float64(term.Count)
			b.average += float64(term.Count) / float64(len(documents))
		}
	}
	return b
}

// rank returns the documents that share a term with the query, best first.
func (b *bm25) rank(query []corpus.Term) []int {
	const k1, bb = 1.2, .75
	scores := map[int]float64{}
	n := float64(len(b.lengths))
	for _, term := range query {
		list := b.postings[term.Text]
		df := float64(len(list))
		idf := math.Log(1 + (n-df+.5)/(df+.5))
		for _, p := range list {
			scores[p.document] += float64(term.Count) * idf * p.count * (k1 + 1) / (p.count + k1*(1-bb+bb*b.lengths[p.document]/b.average))
		}
	}
	ranked := make([]int, 0, len(scores))
	for i := range scores {
		ranked = append(ranked, i)
	}
	sort.Slice(ranked, func(i, j int) bool {
		a, c := ranked[i], ranked[j]
		return scores[a] > scores[c] || scores[a] == scores[c] && a < c
	})
	return ranked
}

// ndcg is the normalised discounted cumulative gain at 10 (Järvelin and Kekäläinen, 2002) with linear gains.
func ndcg(ranked []int, gains map[int]float64) float64 {
	var got, best float64
	for i, id := range ranked[:min(10, len(ranked))] {
		got += gains[id] / math.Log2(float64(i)+2)
	}
	ideal := make([]float64, 0, len(gains))
	for _, g := range gains {
		ideal = append(ideal, g)
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(ideal)))
	for i, g := range ideal[:min(10, len(ideal))] {
		best += g / math.Log2(float64(i)+2)
	}
	return got / best
}

// cranfield reads fields of records that begin with ".I".
func cranfield(text string, fields string) []string {
	var out []string
	for record := range strings.SplitSeq("\n"+text, "\n.I ") {
		if strings.TrimSpace(record) == "" {
			continue
		}
		var body []string
		keep := false
		for line := range strings.SplitSeq(record, "\n") {
			if len(line) == 2 && line[0] == '.' {
				keep = strings.Contains(fields, line[1:])
			} else if keep {
				body = append(body, line)
			}
		}
		out = append(out, strings.Join(body, "\n"))
	}
	return out
}

// TestCranfieldIsRanked measures document nDCG@10 over the 225 queries. Judgements run from 1 (complete answer)
// to 4 (minimum interest). One document a query is judged -1, of which the collection's notes say nothing; it
// nearly always ranks first. So there are three figures: with it taken out of the ranking and every other judged
// document relevant; the same with gains from 4 (complete answer) to 1; and with it as relevant as the others.
func TestCranfieldIsRanked(t *testing.T) {
	documents := cranfield(readShared(t, "cranfield/cran.all.1400"), "TW")
	queries := cranfield(readShared(t, "cranfield/cran.qry"), "W")
	judgements := map[int]map[int]int{}
	for line := range strings.Lines(readShared(t, "cranfield/cranqrel")) {
		var query, document, code int
		if _, err := fmt.Sscan(line, &query, &document, &code); err != nil {
			t.Fatal(err)
		}
		if judgements[query-1] == nil {
			judgements[query-1] = map[int]int{}
		}
		judgements[query-1][document-1] = code
	}
	index := newBM25(documents, "en")
	var binary, graded, all float64
	for i, q := range queries {
		ranked := index.rank(analyze.QueryTerms(q, []string{"en"}))
		relevant, gains, judged := map[int]float64{}, map[int]float64{}, map[int]float64{}
		for id, code := range judgements[i] {
			judged[id] = 1
			if code > 0 {
				relevant[id], gains[id] = 1, float64(5-code)
			}
		}
		all += ndcg(ranked, judged) / float64(len(queries))
		ranked = slices.DeleteFunc(ranked, func(id int) bool { return judgements[i][id] < 0 })
		binary += ndcg(ranked, relevant) / float64(len(queries))
		graded += ndcg(ranked, gains) / float64(len(queries))
	}
	t.Logf("cranfield, %d documents, %d queries: nDCG@10 %.4f, graded %.4f, with -1 as relevant %.4f",
		len(documents), len(queries), binary, graded, all)
	if binary < .44 || graded < .42 || all < .52 {
		t.Error("lexical ranking is worse than it was")
	}
}

func TestXQuADParagraphsAreFound(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		var file struct {
			Data []struct {
				Paragraphs []struct {
					Context string
					QAs     []struct{ Question string }
				}
			}
		}
		if err := json.Unmarshal([]byte(readShared(t, "xquad/xquad."+language+".json")), &file); err != nil {
			t.Fatal(err)
		}
		var paragraphs, questions []string
		var gold []int
		for _, article := range file.Data {
			for _, p := range article.Paragraphs {
				for _, qa := range p.QAs {
					questions = append(questions, qa.Question)
					gold = append(gold, len(paragraphs))
				}
				paragraphs = append(paragraphs, p.Context)
			}
		}
		index := newBM25(paragraphs, language)
		found, gain := 0, 0.
		for i, q := range questions {
			ranked := index.rank(analyze.QueryTerms(q, []string{language}))
			for _, id := range ranked[:min(10, len(ranked))] {
				if id == gold[i] {
					found++
				}
			}
			gain += ndcg(ranked, map[int]float64{gold[i]: 1})
		}
		n := float64(len(questions))
		t.Logf("xquad %s, %d paragraphs, %d questions: R@10 %.4f, nDCG@10 %.4f", language, len(paragraphs), len(questions), float64(found)/n, gain/n)
		if float64(found)/n < .99 {
			t.Errorf("fewer %s paragraphs are found than were", language)
		}
	}
}
