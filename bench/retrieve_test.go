package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"grounded/analyze"
	"grounded/api"
	"grounded/corpus"
	"grounded/jobs/sqlite"
	"grounded/model"
	"grounded/retrieve"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/qdrant/qdranttest"
	embedded "grounded/store/sqlite"
)

const (
	servedChunks  = 100_000
	chunksOfOne   = 50 // document
	servedTopics  = 2000
	askedAtOnce   = 16
	questionsOnce = 200 // asked in one round
)

// BenchmarkRetrieve compares POST /api/retrieve on 100,000 chunks, its questions embedded before, with the same searches of
// the store in process, sixteen at a time, in turns. The metrics are both in a second, and their ratio.
func BenchmarkRetrieve(b *testing.B) {
	b.Run("embedded", func(b *testing.B) {
		s, err := embedded.Open(b.Context(), embedded.Config{Path: filepath.Join(b.TempDir(), "grounded.db")})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		retrieveThrough(b, s)
	})
	b.Run("qdrant", func(b *testing.B) {
		s, err := qdrant.Open(b.Context(), qdrant.Config{Address: qdranttest.Start(b).Address})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		retrieveThrough(b, s)
	})
}

func retrieveThrough(b *testing.B, s store.Store) {
	catalog, embedder := instantModel(b)
	texts := newTexts()
	texts.fill(b, s, embedder)
	var bodies [][]byte
	var questions []string
	for range questionsOnce {
		question := texts.words(8)
		questions, bodies = append(questions, question), append(bodies, fmt.Appendf(nil, `{"question":%q}`, question))
	}
	queries := recordQueries(b, s, embedder, questions)

	queue, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "jobs.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer queue.Close()
	server, err := api.New(api.Config{Queue: queue, Backend: api.Backend{Store: s, Catalog: catalog, Collection: "bench"}})
	if err != nil {
		b.Fatal(err)
	}
	listener := httptest.NewServer(server)
	defer listener.Close()
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askedAtOnce}}
	ask := func(i int) error {
		response, err := c.Post(listener.URL+"/api/retrieve", "application/json", bytes.NewReader(bodies[i]))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		size, err := io.Copy(io.Discard, response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || size < 1000) {
			err = fmt.Errorf("status %d, %d bytes", response.StatusCode, size)
		}
		return err
	}
	search := func(i int) error {
		hits, err := s.Search(context.Background(), queries[i])
		if err == nil && len(hits) == 0 {
			err = fmt.Errorf("nothing was found")
		}
		return err
	}
	atOnce(b, ask) // embeds the questions
	atOnce(b, search)
	var served, searched time.Duration
	rounds := 0
	for b.Loop() {
		for range 4 {
			served += atOnce(b, ask)
			searched += atOnce(b, search)
			rounds++
		}
	}
	asked := float64(rounds * questionsOnce)
	b.ReportMetric(asked/served.Seconds(), "served/s")
	b.ReportMetric(asked/searched.Seconds(), "searched/s")
	b.ReportMetric(searched.Seconds()/served.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// atOnce does all questions, sixteen at a time, and returns how long that took.
func atOnce(b *testing.B, do func(i int) error) time.Duration {
	b.Helper()
	began := time.Now()
	var group errgroup.Group
	var next atomic.Int64
	for range askedAtOnce {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < questionsOnce; i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// instantModel is an embedding model that answers at once, and the catalog that it is in.
func instantModel(b *testing.B) (model.Catalog, model.Embedder) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "models.yaml")
	text := fmt.Sprintf("models:\n  - {id: instant, provider: openai, base_url: %q, tasks: [embedding], dimensions: %d, tokenizer: cl100k_base}\n", instantEmbedder(b), dimensions)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	catalog, err := model.Load(path)
	if err != nil {
		b.Fatal(err)
	}
	card, err := catalog.Get("instant")
	if err != nil {
		b.Fatal(err)
	}
	embedder, err := model.NewEmbedder(b.Context(), card, model.Config{})
	if err != nil {
		b.Fatal(err)
	}
	return catalog, embedder
}

// texts makes documents of words as frequent as those of a language, with vectors that lie about topics.
type texts struct {
	random *rand.Rand
	zipf   *rand.Zipf
	topics [][]float32
}

func newTexts() *texts {
	t := &texts{random: rand.New(rand.NewPCG(5, 6))}
	t.zipf = rand.NewZipf(t.random, 1.1, 8, 50_000)
	for range servedTopics {
		t.topics = append(t.topics, t.vector(nil))
	}
	return t
}

func (t *texts) words(n int) string {
	var text strings.Builder
	for range n {
		fmt.Fprintf(&text, "wo%x ", t.zipf.Uint64())
	}
	return strings.TrimSpace(text.String())
}

// vector is one of unit length, near another if there is one.
func (t *texts) vector(near []float32) []float32 {
	v, sum := make([]float32, dimensions), 0.0
	for i := range v {
		v[i] = float32(t.random.NormFloat64())
		if near != nil {
			v[i] = .9*v[i]/float32(math.Sqrt(dimensions)) + near[i]
		}
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func (t *texts) fill(b *testing.B, s store.Store, embedder model.Embedder) {
	b.Helper()
	e, err := embedder.Embedding(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.CreateCollection(b.Context(), corpus.Collection{Name: "bench", Embedding: e}); err != nil {
		b.Fatal(err)
	}
	var writing errgroup.Group
	writing.SetLimit(16)
	for n := range servedChunks / chunksOfOne {
		path := fmt.Sprintf("folder%02d/%06d.md", n%50, n)
		d := corpus.Document{
			ID: corpus.NewDocumentID("bench", "docs", path), Collection: "bench", Source: "docs", Path: path, Title: path, MediaType: "text/markdown", Language: "en",
			ContentHash: strings.Repeat("ab", 32), PipelineFingerprint: "p", EmbeddingFingerprint: e.Fingerprint(), PageCount: 1, ChunkCount: chunksOfOne,
		}
		var chunks []corpus.EmbeddedChunk
		for i := range chunksOfOne {
			text := t.words(130)
			c := corpus.Chunk{ID: corpus.NewChunkID(d.ID, text, i), DocumentID: d.ID, Ordinal: i, PageStart: 1, PageEnd: 1, End: len(text), Text: text, Language: "en", Tokens: 176}
			chunks = append(chunks, corpus.EmbeddedChunk{Chunk: c, Vector: t.vector(t.topics[t.random.IntN(len(t.topics))]), Terms: analyze.Terms(text, "en")})
		}
		writing.Go(func() error {
			return s.Replace(b.Context(), d, []corpus.Page{{Number: 1, Text: chunks[0].Chunk.Text}}, chunks)
		})
	}
	if err := writing.Wait(); err != nil {
		b.Fatal(err)
	}
}

// recorder keeps the queries that a store is asked.
type recorder struct {
	store.Store
	mu      sync.Mutex
	queries []store.Query
}

func (r *recorder) Search(ctx context.Context, q store.Query) ([]store.Hit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queries = append(r.queries, q)
	return r.Store.Search(ctx, q)
}

// recordQueries are what a store is asked for questions.
func recordQueries(b *testing.B, s store.Store, embedder model.Embedder, questions []string) []store.Query {
	b.Helper()
	recorded := &recorder{Store: s}
	r, err := retrieve.New(retrieve.Config{Store: recorded, Embedder: embedder})
	if err != nil {
		b.Fatal(err)
	}
	for _, question := range questions {
		if _, err := r.Retrieve(b.Context(), retrieve.Request{Scope: corpus.Scope{Collection: "bench", Access: corpus.Access{Unrestricted: true}}, Question: question, TopK: 10}); err != nil {
			b.Fatal(err)
		}
	}
	return recorded.queries
}
