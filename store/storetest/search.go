package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"

	"grounded/corpus"
	"grounded/store"
)

var searchTests = map[string]func(*fixture){
	"dense search ranks like brute force":                      denseRanking,
	"lexical search ranks like brute force":                    lexicalRanking,
	"hybrid search prefers what both find":                     hybridRanking,
	"a blend weighs the two as asked":                          blendWeights,
	"a hit has the chunk, its document and the scores":         wholeHit,
	"neither vector nor terms finds nothing":                   nothingAsked,
	"unknown terms find nothing alone and don't disturb dense": unknownTerms,
	"the limit is kept, and ten when there is none":            limits,
	"an empty collection finds nothing":                        emptyCollection,
	"a query's weights of terms count":                         queryWeights,
	"what is written is found at once, what is gone is not":    freshness,
}

var vocabulary = strings.Fields("travel meal hotel invoice contract leave holiday salary bonus laptop password server backup visitor badge car train flight euro dollar manager approval form deadline report 差旅 发票 合同 年假 密码")

// library makes documents of random words, three chunks each.
func library(collection string, n int) []content {
	random := rand.New(rand.NewPCG(1, 2))
	var all []content
	for i := range n {
		var list []string
		for range 3 {
			words := make([]string, 8+random.IntN(25))
			for w := range words {
				words[w] = vocabulary[int(float64(len(vocabulary))*random.Float64()*random.Float64())]
			}
			list = append(list, strings.Join(words, " "))
		}
		all = append(all, document(collection, fmt.Sprintf("doc%03d.md", i), list...))
	}
	return all
}

// score is a chunk with what a reference says of it.
type score struct {
	id    corpus.ChunkID
	value float64
}

func ranked(scores []score) []score {
	sort.SliceStable(scores, func(i, j int) bool { return scores[i].value > scores[j].value })
	return scores
}

func cosines(all []content, v []float32) []score {
	var scores []score
	for _, c := range all {
		for _, k := range c.chunks {
			sum := 0.0
			for i := range v {
				sum += float64(v[i]) * float64(k.Vector[i])
			}
			scores = append(scores, score{k.ID, sum})
		}
	}
	return ranked(scores)
}

// bm25 scores with k1 1.2 and b .75; only chunks with one of the terms. The mean length is that of the chunks if it is 0.
func bm25(all []content, terms []corpus.Term, mean float64) []score {
	n, total, frequency := 0.0, 0.0, map[string]float64{}
	for _, c := range all {
		for _, k := range c.chunks {
			n++
			for _, t := range k.Terms {
				frequency[t.Text]++
				total += float64(t.Count)
			}
		}
	}
	if mean == 0 {
		mean = total / n
	}
	var scores []score
	for _, c := range all {
		for _, k := range c.chunks {
			length, sum := 0.0, 0.0
			for _, t := range k.Terms {
				length += float64(t.Count)
			}
			for _, t := range k.Terms {
				for _, q := range terms {
					if q.Text == t.Text {
						idf := math.Log(1 + (n-frequency[t.Text]+.5)/(frequency[t.Text]+.5))
						sum += float64(q.Count) * idf * 2.2 * float64(t.Count) / (float64(t.Count) + 1.2*(.25+.75*length/mean))
					}
				}
			}
			if sum > 0 {
				scores = append(scores, score{k.ID, sum})
			}
		}
	}
	return ranked(scores)
}

// wantRanking fails unless the hits are the reference's best, but for the order of those whose scores are
// within the tolerance of each other.
func (f *fixture) wantRanking(what string, hits []store.Hit, reference []score, limit int, tolerance float64) {
	f.Helper()
	for _, fault := range rankingFaults(hits, reference, limit, tolerance) {
		f.Errorf("%s: %s", what, fault)
	}
}

func rankingFaults(hits []store.Hit, reference []score, limit int, tolerance float64) (faults []string) {
	value := map[corpus.ChunkID]float64{}
	for _, s := range reference {
		value[s.id] = s.value
	}
	if want := min(limit, len(reference)); len(hits) != want {
		return []string{fmt.Sprintf("got %d hits, want %d", len(hits), want)}
	}
	seen := map[corpus.ChunkID]bool{}
	for i, h := range hits {
		got, there := value[h.Chunk.ID]
		if !there || seen[h.Chunk.ID] || math.Abs(got-reference[i].value) > tolerance*math.Abs(reference[i].value)+1e-5 {
			faults = append(faults, fmt.Sprintf("rank %d is %q with %v, the reference has %v there", i+1, h.Chunk.Text, got, reference[i].value))
		}
		seen[h.Chunk.ID] = true
	}
	return faults
}

// scored fills in the scores of hits that a store.Scorer left out.
func (f *fixture) scored(q store.Query, hits []store.Hit) []store.Hit {
	f.Helper()
	scorer, ok := f.Store.(store.Scorer)
	if !ok {
		return hits
	}
	var ids []corpus.ChunkID
	for _, h := range hits {
		ids = append(ids, h.Chunk.ID)
	}
	scores, err := scorer.Score(f.ctx(), q, ids...)
	f.must("Score", err)
	for i, h := range hits {
		if h.Dense == nil && h.Lexical == nil {
			hits[i].Dense, hits[i].Lexical = scores[h.Chunk.ID].Dense, scores[h.Chunk.ID].Lexical
		}
	}
	return hits
}

func denseRanking(f *fixture) {
	f.create("a")
	all := library("a", 60)
	f.put(all...)
	for i := range 20 {
		v := vectorOf(fmt.Sprint("query ", i))
		reference := cosines(all, v)
		hits := f.find(store.Query{Scope: scope("a"), Vector: v, Limit: 15})
		f.wantRanking(fmt.Sprint("query ", i), hits, reference, 15, 1e-3)
		for j, h := range hits {
			if h.Dense == nil || h.Lexical != nil || math.Abs(*h.Dense-reference[j].value) > 1e-3 || math.Abs(h.Score-*h.Dense) > 1e-6 {
				f.Fatalf("rank %d: got dense %v, lexical %v, score %v, want cosine %v alone", j+1, h.Dense, h.Lexical, h.Score, reference[j].value)
			}
		}
	}
}

func lexicalRanking(f *fixture) {
	f.create("a")
	all := library("a", 60)
	f.put(all...)
	for _, question := range []string{"visitor", "travel meal", "密码 server password", "car train flight euro dollar", "差旅 发票", "report 年假 travel travel"} {
		terms := termsOf(question)
		hits := f.find(store.Query{Scope: scope("a"), Terms: terms, Limit: 12})
		faults := rankingFaults(hits, bm25(all, terms, 0), 12, .05)
		if nominal := rankingFaults(hits, bm25(all, terms, store.MeanLength), 12, .05); len(nominal) < len(faults) {
			faults = nominal
		}
		if len(faults) > 0 {
			f.Errorf("%s: %s", question, strings.Join(faults, "; "))
		}
		for j, h := range hits {
			if h.Lexical == nil || h.Dense != nil || *h.Lexical <= 0 || j > 0 && *h.Lexical > *hits[j-1].Lexical || h.Score != *h.Lexical {
				f.Fatalf("%s: rank %d has score %v, lexical %v, dense %v", question, j+1, h.Score, h.Lexical, h.Dense)
			}
		}
	}
}

func hybridRanking(f *fixture) {
	f.create("a")
	all := library("a", 60)
	both := document("a", "both.md", "zebra crossing")
	onlyWord := document("a", "word.md", "zebra travel meal hotel invoice contract leave holiday")
	onlyVector := document("a", "vector.md", "unrelated words")
	onlyVector.chunks[0].Vector = near(vectorOf("zebra crossing"))
	f.put(append(all, both, onlyWord, onlyVector)...)
	for _, fusion := range []store.Fusion{{}, {Method: store.FusionRRF}, {Method: store.FusionBlend, DenseWeight: .5}} {
		hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("zebra crossing"), Terms: termsOf("zebra"), Limit: 20, Fusion: fusion})
		if len(hits) != 20 {
			f.Fatalf("%+v: got %d hits, want 20", fusion, len(hits))
		}
		f.same(fmt.Sprintf("best of %+v", fusion), hits[0].Chunk.Text, "zebra crossing")
		places := map[string]int{}
		for i, h := range f.scored(store.Query{Scope: scope("a"), Vector: vectorOf("zebra crossing"), Terms: termsOf("zebra")}, hits) {
			places[h.Path] = i + 1
			if h.Dense == nil || h.Lexical == nil || i > 0 && h.Score > hits[i-1].Score {
				f.Fatalf("%+v: rank %d has score %v, dense %v, lexical %v", fusion, i+1, h.Score, h.Dense, h.Lexical)
			}
		}
		if places["vector.md"] == 0 || places["word.md"] == 0 {
			f.Errorf("%+v: what one of the two finds first is not among 20: %v", fusion, places)
		}
	}
}

func blendWeights(f *fixture) {
	f.create("a")
	word, vector := document("a", "word.md", "zebra"), document("a", "vector.md", "other")
	word.chunks[0].Vector = make([]float32, Dimensions)
	word.chunks[0].Vector[0] = 1
	vector.chunks[0].Vector = vectorOf("q")
	f.put(append(library("a", 20), word, vector)...)
	for weight, want := range map[float64]string{.05: "word.md", .95: "vector.md"} {
		hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("zebra"), Fusion: store.Fusion{DenseWeight: weight}})
		f.same(fmt.Sprint("best with weight ", weight), hits[0].Path, want)
	}
}

func wholeHit(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "alpha beta", "gamma delta")
	f.put(c)
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("gamma delta"), Terms: termsOf("gamma")})
	if len(hits) == 0 {
		f.Fatal("found nothing")
	}
	f.same("chunk", hits[0].Chunk, c.chunks[1].Chunk)
	f.same("path and title", []string{hits[0].Path, hits[0].Title}, []string{c.doc.Path, c.doc.Title})
	hits = f.scored(store.Query{Scope: scope("a"), Vector: vectorOf("gamma delta"), Terms: termsOf("gamma")}, hits)
	if hits[0].Dense == nil || math.Abs(*hits[0].Dense-1) > 1e-3 || hits[0].Lexical == nil || *hits[0].Lexical <= 0 {
		f.Errorf("got dense %v, lexical %v", hits[0].Dense, hits[0].Lexical)
	}
}

func nothingAsked(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "text"))
	if hits := f.find(store.Query{Scope: scope("a")}); len(hits) != 0 {
		f.Errorf("found %q", texts(hits))
	}
}

func unknownTerms(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "alpha"), document("a", "y.md", "beta"))
	if hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("omega 未知")}); len(hits) != 0 {
		f.Errorf("unknown terms find %q", texts(hits))
	}
	q := store.Query{Scope: scope("a"), Terms: termsOf("omega"), Vector: vectorOf("beta")}
	hits := f.scored(q, f.find(q))
	if len(hits) != 2 || hits[0].Chunk.Text != "beta" || hits[0].Lexical == nil || *hits[0].Lexical != 0 {
		f.Errorf("with a vector got %+v", hits)
	}
}

func limits(f *fixture) {
	f.create("a")
	f.put(library("a", 40)...)
	for limit, want := range map[int]int{0: 10, 1: 1, 3: 3, 50: 50, 1000: 120} {
		if hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Limit: limit}); len(hits) != want {
			f.Errorf("limit %d: got %d dense hits, want %d", limit, len(hits), want)
		}
	}
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("travel meal"), Limit: 30, Candidates: 5})
	if len(hits) != 30 {
		f.Errorf("limit 30 with 5 candidates: got %d hits", len(hits))
	}
}

func emptyCollection(f *fixture) {
	f.create("a")
	if hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("q")}); len(hits) != 0 {
		f.Errorf("found %q", texts(hits))
	}
}

func queryWeights(f *fixture) {
	f.create("a")
	f.put(append(library("a", 20), document("a", "x.md", "zebra one two"), document("a", "y.md", "giraffe one two"))...)
	for _, w := range []struct {
		zebra, giraffe float32
		want           string
	}{{3, 1, "x.md"}, {1, 3, "y.md"}} {
		hits := f.find(store.Query{Scope: scope("a"), Terms: []corpus.Term{{Text: "zebra", Count: w.zebra}, {Text: "giraffe", Count: w.giraffe}}})
		f.same(fmt.Sprintf("best of %+v", w), hits[0].Path, w.want)
	}
}

func freshness(f *fixture) {
	f.create("a")
	for i := range 30 {
		word := fmt.Sprint("word", i)
		c := document("a", fmt.Sprint(i, ".md"), word+" text")
		f.put(c)
		if hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf(word)}); len(hits) != 1 {
			f.Fatalf("%s: found %d chunks after Replace", word, len(hits))
		}
		if i%3 == 0 {
			f.must("Delete", f.Delete(f.ctx(), "a", c.doc.ID))
			if hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf(word)}); len(hits) != 0 {
				f.Fatalf("%s: found after Delete", word)
			}
		}
	}
	if hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("text"), Limit: 100}); len(hits) != 20 {
		f.Errorf("found %d of 20 chunks", len(hits))
	}
}
