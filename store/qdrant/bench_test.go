package qdrant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/store"
	"grounded/store/qdrant/qdranttest"
)

const (
	benchDimensions = 384
	benchChunks     = 100_000
	chunksOfOne     = 10 // document
	benchQueries    = 500
	benchTopics     = 2000 // that vectors lie about
)

var benchEmbedding = corpus.Embedding{Model: "bench", Dimensions: benchDimensions, Normalised: true}

// library makes synthetic documents: vectors that lie about topics as those of texts do, words as frequent as words of
// a language are (Zipf), texts of the usual length.
type library struct {
	random *rand.Rand
	topics [][]float32
	words  *rand.Zipf
}

func newLibrary() *library {
	l := &library{random: rand.New(rand.NewPCG(1, 2))}
	l.words = rand.NewZipf(l.random, 1.1, 8, 50_000)
	for range benchTopics {
		l.topics = append(l.topics, unit(l.gaussian(nil, 1)))
	}
	return l
}

func (l *library) gaussian(about []float32, width float64) []float32 {
	v := make([]float32, benchDimensions)
	for i := range v {
		v[i] = float32(l.random.NormFloat64() * width / math.Sqrt(benchDimensions))
		if about != nil {
			v[i] += about[i]
		}
	}
	return v
}

func unit(v []float32) []float32 {
	sum := 0.
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func (l *library) vector() []float32 {
	return unit(l.gaussian(l.topics[l.random.IntN(len(l.topics))], .9))
}

func (l *library) terms(n int) []corpus.Term {
	counts := map[string]float32{}
	for range n {
		counts["w"+strconv.FormatUint(l.words.Uint64(), 36)]++
	}
	var terms []corpus.Term
	for text, count := range counts {
		terms = append(terms, corpus.Term{Text: text, Count: count})
	}
	return terms
}

// filler is a text of the length of a chunk.
var filler = strings.Repeat("A sentence that is as long as others are. ", 16)

func (l *library) document(n int) (corpus.Document, []corpus.Page, []corpus.EmbeddedChunk) {
	path := fmt.Sprintf("folder%02d/document%06d.md", n%50, n)
	d := corpus.Document{
		ID: corpus.NewDocumentID("a", "bench", path), Collection: "a", Source: "bench", Path: path, Title: fmt.Sprint("Document ", n), MediaType: "text/markdown",
		Language: "en", Metadata: map[string]any{"department": fmt.Sprint("d", n%20), "year": 2000 + n%25}, EmbeddingFingerprint: benchEmbedding.Fingerprint(),
		PageCount: 1, ChunkCount: chunksOfOne,
	}
	var chunks []corpus.EmbeddedChunk
	for i := range chunksOfOne {
		c := corpus.Chunk{DocumentID: d.ID, Ordinal: i, PageStart: 1, PageEnd: 1, Text: fmt.Sprint(i, " of ", n, ": ", filler), Language: "en", Tokens: 176}
		c.ID = corpus.NewChunkID(d.ID, c.Text, 0)
		chunks = append(chunks, corpus.EmbeddedChunk{Chunk: c, Vector: l.vector(), Terms: l.terms(80)})
	}
	return d, []corpus.Page{{Number: 1, Text: filler}}, chunks
}

// fillStore puts in documents, 64 at a time, and waits until the server has indexed them.
func fillStore(b *testing.B, s *Store, documents int) {
	b.Helper()
	if err := s.CreateCollection(b.Context(), corpus.Collection{Name: "a", Embedding: benchEmbedding}); err != nil {
		b.Fatal(err)
	}
	l := newLibrary()
	var writing errgroup.Group
	writing.SetLimit(64)
	for n := range documents {
		d, pages, chunks := l.document(n)
		writing.Go(func() error { return s.Replace(b.Context(), d, pages, chunks) })
	}
	if err := writing.Wait(); err != nil {
		b.Fatal(err)
	}
	waitForIndex(b, s, documents*chunksOfOne)
}

// waitForIndex waits until the server has indexed the chunks.
func waitForIndex(b *testing.B, s *Store, chunks int) {
	b.Helper()
	for deadline := time.Now().Add(time.Hour); ; time.Sleep(time.Second) {
		info, err := s.client().GetCollectionInfo(b.Context(), s.chunks(benchEmbedding.Fingerprint()))
		if err != nil || time.Now().After(deadline) {
			b.Fatalf("wait for the index: %v, %v", info.GetStatus(), err)
		}
		if info.GetStatus() == qdrant.CollectionStatus_Green || info.GetIndexedVectorsCount() >= 2*uint64(chunks) { // dense and sparse
			return
		}
	}
}

// BenchmarkSearch compares hybrid searches through the store with the same request by the client alone, one after the
// other in turn, and dense searches with exact ones.
func BenchmarkSearch(b *testing.B) {
	s := open(b, Config{Address: qdranttest.Start(b).Address})
	fillStore(b, s, benchChunks/chunksOfOne)
	r, err := s.find(b.Context(), "a")
	if err != nil {
		b.Fatal(err)
	}
	l := newLibrary()
	queries := make([]store.Query, benchQueries)
	for i := range queries {
		queries[i] = store.Query{Scope: inA, Vector: l.vector(), Terms: l.terms(6), Limit: 10, Candidates: 100}
	}
	b.Run("hybrid", func(b *testing.B) {
		var through, raw []time.Duration
		for round := range 3 {
			for _, q := range queries {
				request, err := s.request(r, q, q.Limit)
				if err != nil {
					b.Fatal(err)
				}
				alone := func() {
					began := time.Now()
					points, err := s.client().Query(b.Context(), request)
					if err != nil || len(points) != q.Limit {
						b.Fatalf("%d points, %v", len(points), err)
					}
					raw = append(raw, time.Since(began))
				}
				ours := func() {
					began := time.Now()
					hits, err := s.Search(b.Context(), q)
					if err != nil || len(hits) != q.Limit {
						b.Fatalf("%d hits, %v", len(hits), err)
					}
					through = append(through, time.Since(began))
				}
				if len(raw)%2 == 0 {
					alone()
					ours()
				} else {
					ours()
					alone()
				}
			}
			if round == 0 {
				through, raw = nil, nil // caches of both sides are warm now
			}
		}
		for name, p := range map[string]float64{"p50": .5, "p99": .99} {
			of := func(times []time.Duration) float64 {
				slices.Sort(times)
				return times[int(p*float64(len(times)-1))].Seconds() * 1000
			}
			b.ReportMetric(of(through), name+"-ms")
			b.ReportMetric(of(raw), name+"-raw-ms")
			b.ReportMetric(of(through)/of(raw), name+"-ratio")
		}
		b.ReportMetric(0, "ns/op")
	})
	b.Run("recall", func(b *testing.B) {
		found, wanted := 0, 0
		exact, dense, limit := true, vectorDense, uint64(10)
		filter, err := r.filter(inA.Access, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, q := range queries {
			q.Terms = nil
			hits, err := s.Search(b.Context(), q)
			if err != nil {
				b.Fatal(err)
			}
			truth, err := s.client().Query(b.Context(), &qdrant.QueryPoints{
				CollectionName: r.physical, Query: qdrant.NewQueryDense(q.Vector), Using: &dense, Filter: filter, Limit: &limit,
				Params: &qdrant.SearchParams{Exact: &exact}, WithPayload: only(fieldChunk),
			})
			if err != nil {
				b.Fatal(err)
			}
			have := map[corpus.ChunkID]bool{}
			for _, h := range hits {
				have[h.Chunk.ID] = true
			}
			for _, p := range truth {
				wanted++
				if have[corpus.ChunkID(p.GetPayload()[fieldChunk].GetStringValue())] {
					found++
				}
			}
		}
		b.ReportMetric(float64(found)/float64(wanted), "recall@10")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkReplace writes documents through the store, and the same points by the client alone: as many at a time, to
// collections with the same indexes.
func BenchmarkReplace(b *testing.B) {
	const documents = 1000
	server := qdranttest.Start(b)
	rates := map[string]float64{}
	for _, round := range []string{"warm", "raw", "store", "raw", "store"} {
		l := newLibrary()
		s := open(b, Config{Address: server.Address, Prefix: "bench-" + newKey()})
		if err := s.CreateCollection(b.Context(), corpus.Collection{Name: "a", Embedding: benchEmbedding}); err != nil {
			b.Fatal(err)
		}
		var through []func() error
		groups := map[string][]*qdrant.PointStruct{}
		for n := range documents {
			d, pages, chunks := l.document(n)
			if round != "raw" {
				through = append(through, func() error { return s.Replace(b.Context(), d, pages, chunks) })
				continue
			}
			w, err := s.prepareWrite(b.Context(), d, pages, chunks)
			if err != nil {
				b.Fatal(err)
			}
			w.stamp(1)
			groups[w.record.physical] = append(groups[w.record.physical], w.chunks...)
			groups[s.pages()] = append(groups[s.pages()], w.pages...)
			groups[s.manifest()] = append(groups[s.manifest()], w.document)
		}
		for physical, points := range groups {
			for part := range slices.Chunk(points, s.config.BatchPoints) {
				through = append(through, func() error {
					wait := true
					_, err := s.client().Upsert(b.Context(), &qdrant.UpsertPoints{CollectionName: physical, Points: part, Wait: &wait})
					return err
				})
			}
		}
		var writing errgroup.Group
		writing.SetLimit(map[string]int{"raw": s.config.Parallelism, "store": 256, "warm": 256}[round])
		began := time.Now()
		for _, f := range through {
			writing.Go(f)
		}
		if err := writing.Wait(); err != nil {
			b.Fatal(err)
		}
		rate := documents * chunksOfOne / time.Since(began).Seconds()
		b.Logf("%s: %.0f chunks/s", round, rate)
		rates[round] = max(rates[round], rate)
		wipe(b, s.config)
	}
	b.ReportMetric(rates["store"], "store-chunks/s")
	b.ReportMetric(rates["raw"], "raw-chunks/s")
	b.ReportMetric(rates["store"]/rates["raw"], "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkMillion writes a million chunks and reports the memory of this process, which makes and writes them, after
// each tenth, and that of the server once it has indexed them.
func BenchmarkMillion(b *testing.B) {
	if os.Getenv("GROUNDED_LONG") == "" {
		b.Skip("set GROUNDED_LONG=1: it takes most of an hour")
	}
	server := qdranttest.Start(b)
	s := open(b, Config{Address: server.Address, Quantisation: QuantiseScalar, OnDiskVectors: true})
	if err := s.CreateCollection(b.Context(), corpus.Collection{Name: "a", Embedding: benchEmbedding}); err != nil {
		b.Fatal(err)
	}
	const documents = 1_000_000 / chunksOfOne
	l := newLibrary()
	began := time.Now()
	var writing errgroup.Group
	writing.SetLimit(64)
	for n := range documents {
		d, pages, chunks := l.document(n)
		writing.Go(func() error { return s.Replace(b.Context(), d, pages, chunks) })
		if (n+1)%(documents/10) == 0 {
			b.Logf("%d chunks after %.0f s: resident %d MB", (n+1)*chunksOfOne, time.Since(began).Seconds(), resident(b)>>20)
		}
	}
	if err := writing.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(documents*chunksOfOne)/time.Since(began).Seconds(), "chunks/s")
	b.ReportMetric(float64(resident(b))/1e6, "MB")
	anonymous, mapped := serverMemory(b, server, s, documents*chunksOfOne)
	b.ReportMetric(float64(anonymous)/1e6, "server-MB")
	b.ReportMetric(float64(mapped)/1e6, "server-mapped-MB")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkServerMemory reports what a chunk costs the server in memory that it has allocated, more than it has without
// any, and in memory that it has mapped of files. It has indexed them, was started again, and has answered questions.
func BenchmarkServerMemory(b *testing.B) {
	for name, config := range map[string]Config{"plain": {}, "scalar": {Quantisation: QuantiseScalar, OnDiskVectors: true}} {
		b.Run(name, func(b *testing.B) {
			server := qdranttest.Start(b)
			config.Address = server.Address
			s := open(b, config)
			before, mappedBefore := server.Memory()
			fillStore(b, s, benchChunks/chunksOfOne)
			anonymous, mapped := serverMemory(b, server, s, benchChunks)
			b.ReportMetric(float64(anonymous-before)/benchChunks, "bytes/chunk")
			b.ReportMetric(float64(mapped-mappedBefore)/benchChunks, "mapped-bytes/chunk")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// serverMemory is that of a server that has its chunks indexed, was started again, since what it needs to build indexes
// is not what it needs to search, and has answered questions.
func serverMemory(b *testing.B, server *qdranttest.Server, s *Store, chunks int) (anonymous, mapped int64) {
	b.Helper()
	waitForIndex(b, s, chunks)
	server.Stop()
	server.Restart()
	waitForIndex(b, s, chunks)
	l := newLibrary()
	for range benchQueries {
		if _, err := s.Search(b.Context(), store.Query{Scope: inA, Vector: l.vector(), Terms: l.terms(6), Limit: 10, Candidates: 100}); err != nil {
			b.Fatal(err)
		}
	}
	return server.Memory()
}

// resident is the memory of this process that is in RAM, in bytes.
func resident(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skipf("skipped: %v", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
