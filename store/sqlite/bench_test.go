package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"grounded/corpus"
	"grounded/store"
)

var benchEmbedding = corpus.Embedding{Model: "bench", Dimensions: 384, Normalised: true}

// words draws words as texts do: few of them often, most of them seldom.
type words struct {
	random *rand.Rand
	zipf   *rand.Zipf
}

func newWords(seed uint64) words {
	r := rand.New(rand.NewPCG(seed, 7))
	return words{r, rand.NewZipf(r, 1.1, 8, 150_000)}
}

// chunk makes one of about 150 words, some 90 of them distinct, and 384 dimensions.
func (w words) chunk(doc corpus.DocumentID, ordinal int) corpus.EmbeddedChunk {
	count := map[string]float32{}
	var text strings.Builder
	for range 150 {
		word := fmt.Sprintf("wo%x", w.zipf.Uint64())
		count[word]++
		text.WriteString(word + " ")
	}
	c := corpus.EmbeddedChunk{Vector: make([]float32, benchEmbedding.Dimensions)}
	for word, n := range count {
		c.Terms = append(c.Terms, corpus.Term{Text: word, Count: n})
	}
	for i := range c.Vector {
		c.Vector[i] = (w.random.Float32() - .5) / 5.66
	}
	c.Chunk = corpus.Chunk{
		ID: corpus.NewChunkID(doc, text.String(), ordinal), DocumentID: doc, Ordinal: ordinal, PageStart: 1, PageEnd: 1,
		End: text.Len(), Heading: []string{"Handbook", "Part"}, Text: text.String(), Tokens: 200, Language: "en", Context: "Handbook",
	}
	return c
}

// document makes one with n chunks and their text on a page.
func (w words) document(path string, n int) (corpus.Document, []corpus.Page, []corpus.EmbeddedChunk) {
	d := corpus.Document{
		ID: corpus.NewDocumentID("bench", "s", path), Collection: "bench", Source: "s", Path: path, Title: path,
		ContentHash: strings.Repeat("ab", 32), PipelineFingerprint: "p", EmbeddingFingerprint: benchEmbedding.Fingerprint(),
		Metadata: map[string]any{"department": "HR", "year": 2024},
	}
	var text strings.Builder
	chunks := make([]corpus.EmbeddedChunk, n)
	for i := range chunks {
		chunks[i] = w.chunk(d.ID, i)
		text.WriteString(chunks[i].Text)
	}
	return d, []corpus.Page{{Number: 1, Text: text.String()}}, chunks
}

func createBench(b *testing.B, s *Store) {
	b.Helper()
	if err := s.CreateCollection(context.Background(), corpus.Collection{Name: "bench", Embedding: benchEmbedding}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkReplace writes documents as an ingest does, from several goroutines, each write on disk when it returns.
func BenchmarkReplace(b *testing.B) {
	for _, size := range []int{1, 50} {
		for _, writers := range []int{1, 4, 8} {
			b.Run(fmt.Sprintf("chunks=%d/writers=%d", size, writers), func(b *testing.B) {
				s := open(b, filepath.Join(b.TempDir(), "grounded.db"))
				createBench(b, s)
				type made struct {
					doc    corpus.Document
					pages  []corpus.Page
					chunks []corpus.EmbeddedChunk
				}
				all := make([]made, b.N)
				w := newWords(1)
				for i := range all {
					all[i].doc, all[i].pages, all[i].chunks = w.document(fmt.Sprint(i), size)
				}
				queue := make(chan made)
				b.ResetTimer()
				var writing sync.WaitGroup
				for range writers {
					writing.Go(func() {
						for m := range queue {
							if err := s.Replace(context.Background(), m.doc, m.pages, m.chunks); err != nil {
								b.Error(err)
							}
						}
					})
				}
				for _, m := range all {
					queue <- m
				}
				close(queue)
				writing.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "chunks/s")
			})
		}
	}
}

// store100k returns the path of a file of 2,000 documents with 50 chunks each, and a query with a vector and ten terms.
// GROUNDED_BENCH_STORE names a file that is kept for the next time.
func store100k(b *testing.B) (path string, q store.Query) {
	b.Helper()
	if path = os.Getenv("GROUNDED_BENCH_STORE"); path == "" {
		path = filepath.Join(b.TempDir(), "grounded.db")
	}
	if _, err := os.Stat(path); err != nil {
		s := open(b, path)
		createBench(b, s)
		w := newWords(2)
		for i := range 2000 {
			doc, pages, chunks := w.document(fmt.Sprint(i), 50)
			if err := s.Replace(context.Background(), doc, pages, chunks); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	query := newWords(3).chunk("q", 0)
	return path, store.Query{
		Scope:  corpus.Scope{Collection: "bench", Access: corpus.Access{Unrestricted: true}},
		Vector: query.Vector, Terms: query.Terms[:10],
	}
}

// BenchmarkOpen100k opens a file of 100,000 chunks of 384 dimensions and answers the first query, dense and lexical.
func BenchmarkOpen100k(b *testing.B) {
	path, q := store100k(b)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(context.Background(), Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		hits, err := s.Search(context.Background(), q)
		if err != nil || len(hits) != 10 {
			b.Fatalf("got %d hits, error %v", len(hits), err)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(info.Size())/100_000, "bytes/chunk")
}

// BenchmarkSearch100k answers queries on the same file, with ten hits read from it.
func BenchmarkSearch100k(b *testing.B) {
	path, q := store100k(b)
	s := open(b, path)
	dense, lexical, filtered := q, q, q
	dense.Terms, lexical.Vector = nil, nil
	filtered.Filter = corpus.Filter{{Key: "year", Op: corpus.OpGreaterEqual, Values: []any{2024.0}}}
	for _, mode := range []struct {
		name  string
		query store.Query
	}{{"dense", dense}, {"lexical", lexical}, {"hybrid", q}, {"filtered", filtered}} {
		b.Run(mode.name, func(b *testing.B) {
			if _, err := s.Search(context.Background(), mode.query); err != nil { // builds the index
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Search(context.Background(), mode.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
