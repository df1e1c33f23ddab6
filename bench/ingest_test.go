package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"
	"github.com/philippgille/chromem-go"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/textsplitter"

	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/model"
	"grounded/store"
	"grounded/store/sqlite"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// BenchmarkIngest compares an ingest with a plain program of the same parts, both against an embedding server
// that answers at once: what is left is everything but the embedder. The metrics are documents and chunks a
// second of both, and how many times the plain program's documents a second ours has.
func BenchmarkIngest(b *testing.B) {
	for _, name := range []string{"handbook", "contoso"} {
		b.Run(name, func(b *testing.B) {
			folder := publicData(b, name)
			server := instantEmbedder(b)
			var ours, plain throughput
			for b.Loop() {
				ours.add(ingestOnce(b, folder, server))
				plain.add(plainProgram(b, folder, server))
			}
			b.ReportMetric(ours.documentsPerSecond(), "docs/s")
			b.ReportMetric(ours.chunksPerSecond(), "chunks/s")
			b.ReportMetric(plain.documentsPerSecond(), "plain-docs/s")
			b.ReportMetric(plain.chunksPerSecond(), "plain-chunks/s")
			b.ReportMetric(ours.documentsPerSecond()/plain.documentsPerSecond(), "times-plain")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkIngestUnchanged is a second run over what is stored already.
func BenchmarkIngestUnchanged(b *testing.B) {
	for _, name := range []string{"handbook", "contoso"} {
		b.Run(name, func(b *testing.B) {
			folder := publicData(b, name)
			in, end := ingester(b, instantEmbedder(b))
			defer end()
			run := func() ingest.Report {
				r, err := in.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{folder}}, nil)
				if err != nil {
					b.Fatal(err)
				}
				return r
			}
			first := run()
			total := 0.0
			for b.Loop() {
				again := run()
				if again.Chunks.Written > 0 || again.Documents.Unchanged != first.Documents.New {
					b.Fatalf("first %+v, then %+v", first, again)
				}
				total += again.Seconds
			}
			b.ReportMetric(float64(first.Documents.New*b.N)/total, "docs/s")
			b.ReportMetric(total/float64(b.N)*1000, "ms/run")
		})
	}
}

type throughput struct {
	documents, chunks int
	time              time.Duration
}

func (t *throughput) add(o throughput) {
	t.documents += o.documents
	t.chunks += o.chunks
	t.time += o.time
}

func (t throughput) documentsPerSecond() float64 { return float64(t.documents) / t.time.Seconds() }
func (t throughput) chunksPerSecond() float64    { return float64(t.chunks) / t.time.Seconds() }

// dimensions of the vectors that instantEmbedder answers with.
const dimensions = 384

// instantEmbedder is an OpenAI-compatible server that answers every text with the next of a few prepared
// vectors. It returns its base URL.
func instantEmbedder(b *testing.B) string {
	b.Helper()
	prepared := make([]string, 64)
	for i := range prepared {
		vector := make([]string, dimensions)
		for j := range vector {
			vector[j] = strconv.FormatFloat(float64((i*31+j*17)%101-50)/500, 'f', 4, 64)
		}
		prepared[i] = strings.Join(vector, ",")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Input []json.RawMessage `json:"input"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &request)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		var reply strings.Builder
		reply.WriteString(`{"object":"list","model":"instant","data":[`)
		for i := range request.Input {
			if i > 0 {
				reply.WriteByte(',')
			}
			reply.WriteString(`{"object":"embedding","index":` + strconv.Itoa(i) + `,"embedding":[` + prepared[i%len(prepared)] + `]}`)
		}
		reply.WriteString(`],"usage":{"prompt_tokens":1,"total_tokens":1}}`)
		_, _ = io.WriteString(w, reply.String())
	}))
	b.Cleanup(server.Close)
	return server.URL + "/v1"
}

// ingester returns one with a new store, and what closes both.
func ingester(b *testing.B, server string) (*ingest.Ingester, func()) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "grounded.db")})
	if err != nil {
		b.Fatal(err)
	}
	return ingesterInto(b, s, server)
}

// ingesterInto returns one that writes to a store, and what closes both.
func ingesterInto(b *testing.B, s store.Store, server string) (*ingest.Ingester, func()) {
	b.Helper()
	pool, err := parse.New(parse.Config{})
	if err != nil {
		b.Fatal(err)
	}
	card := model.Card{ID: "instant", Provider: "openai", BaseURL: server, Model: "instant", Tasks: []model.Task{model.TaskEmbedding}, Dimensions: dimensions, Context: 512}
	embedder, err := model.NewEmbedder(b.Context(), card, model.Config{})
	if err != nil {
		b.Fatal(err)
	}
	in, err := ingest.New(b.Context(), ingest.Config{Store: s, Embedder: embedder, Parser: pool})
	if err != nil {
		b.Fatal(err)
	}
	return in, func() {
		if err := pool.Close(); err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}
}

// ingestOnce ingests a folder into a new store on disk, from opening it to closing it.
func ingestOnce(b *testing.B, folder, server string) throughput {
	started := time.Now()
	in, end := ingester(b, server)
	report, err := in.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{folder}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	end()
	return throughput{report.Documents.New, report.Chunks.Written, time.Since(started)}
}

// plainProgram does what a first program would: extract the text of PDFs, take text files as they are, split,
// embed, add to a database on disk, one file after another.
func plainProgram(b *testing.B, folder, server string) throughput {
	db, err := chromem.NewPersistentDB(b.TempDir(), false)
	if err != nil {
		b.Fatal(err)
	}
	collection, err := db.CreateCollection("bench", nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	return plainFolder(b, folder, server, func(path string, texts []string, vectors [][]float32) error {
		documents := make([]chromem.Document, len(texts))
		for i := range documents {
			documents[i] = chromem.Document{ID: path + "#" + strconv.Itoa(i), Content: texts[i], Embedding: vectors[i], Metadata: map[string]string{"path": path}}
		}
		return collection.AddDocuments(b.Context(), documents, runtime.NumCPU())
	})
}

// plainFolder reads, splits and embeds the files of a folder, and adds each.
func plainFolder(b *testing.B, folder, server string, add func(path string, texts []string, vectors [][]float32) error) (t throughput) {
	started := time.Now()
	client, err := openai.New(openai.WithBaseURL(server), openai.WithToken("none"), openai.WithEmbeddingModel("instant"))
	if err != nil {
		b.Fatal(err)
	}
	embedder, err := embeddings.NewEmbedder(client)
	if err != nil {
		b.Fatal(err)
	}
	splitter := textsplitter.NewRecursiveCharacter()
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := plainText(path)
		if err != nil || strings.TrimSpace(text) == "" {
			return err
		}
		texts, err := splitter.SplitText(text)
		if err != nil {
			return err
		}
		vectors, err := embedder.EmbedDocuments(b.Context(), append([]string(nil), texts...))
		if err != nil {
			return err
		}
		t.documents++
		t.chunks += len(texts)
		return add(path, texts, vectors)
	})
	if err != nil {
		b.Fatal(err)
	}
	t.time = time.Since(started)
	return t
}

// plainText is what a first program makes of a file; empty for what it does not know.
func plainText(path string) (string, error) {
	switch filepath.Ext(path) {
	case ".pdf":
		return plainPDF(path)
	case ".md", ".html", ".txt":
		data, err := os.ReadFile(path)
		return string(data), err
	}
	return "", nil
}

func plainPDF(path string) (string, error) {
	f, r, err := pdf.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := r.GetPlainText()
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(text)
	return string(all), err
}

// BenchmarkIngestMemory ingests ever more files and reports the most memory that was alive at a time: it should not
// grow with their number.
func BenchmarkIngestMemory(b *testing.B) {
	server := instantEmbedder(b)
	for _, files := range []int{1000, 4000, 16000} {
		b.Run(strconv.Itoa(files), func(b *testing.B) {
			folder := b.TempDir()
			for i := range files {
				text := fmt.Sprintf("Note %d of the archive tells that pump %d was serviced and its filter changed by shift %d.", i, i%97, i%3)
				path := filepath.Join(folder, strconv.Itoa(i/500), strconv.Itoa(i)+".txt")
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(strings.Repeat(text+"\n", 8)), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			most := uint64(0)
			for b.Loop() {
				in, end := ingester(b, server)
				done := 0
				observe := func(e ingest.Event) {
					if done++; done%500 == 0 {
						var m runtime.MemStats
						runtime.GC()
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapAlloc)
					}
				}
				if _, err := in.Run(b.Context(), ingest.Request{Collection: everyone.Collection, Paths: []string{folder}}, observe); err != nil {
					b.Fatal(err)
				}
				end()
			}
			b.ReportMetric(float64(most)/(1<<20), "MiB-alive")
			b.ReportMetric(0, "ns/op")
		})
	}
}
