package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"grounded/api"
	"grounded/client"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/jobs"
	jobqueue "grounded/jobs/sqlite"
	"grounded/model"
	"grounded/store/sqlite"
)

// TestMain lets this test binary be the child that parses.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// company is a server over a real store, with scripted models and a worker that ingests.
type company struct {
	url    string
	secret map[string]string // of the keys, by name
}

// serve starts a company; stop ends it.
func serve(folder string) (c *company, stop func(), err error) {
	var ends []func()
	stop = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	models := httptest.NewServer(http.HandlerFunc(scripted))
	ends = append(ends, models.Close)
	store, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(folder, "grounded.db")})
	if err != nil {
		return nil, stop, err
	}
	ends = append(ends, func() { _ = store.Close() })
	queue, err := jobqueue.Open(context.Background(), jobqueue.Config{Path: filepath.Join(folder, "jobs.db"), Files: filepath.Join(folder, "uploads")})
	if err != nil {
		return nil, stop, err
	}
	ends = append(ends, func() { _ = queue.Close() })
	cards := filepath.Join(folder, "models.yaml")
	text := fmt.Sprintf(`models:
  - {id: words, provider: openai, base_url: %[1]q, tasks: [embedding], access: open, deployment: managed, context: 4096, dimensions: 64}
  - {id: parrot, provider: openai, base_url: %[1]q, tasks: [chat], access: open, deployment: managed, context: 4096}
`, models.URL+"/v1")
	if err := os.WriteFile(cards, []byte(text), 0o600); err != nil {
		return nil, stop, err
	}
	catalog, err := model.Load(cards)
	if err != nil {
		return nil, stop, err
	}
	connection := model.Config{LookupEnv: func(string) (string, bool) { return "", false }, Attempts: 1}
	c = &company{secret: map[string]string{}}
	config := api.Config{
		Queue: queue, Uploads: jobs.Limits{Files: 3},
		Backend: api.Backend{Store: store, Catalog: catalog, Model: connection, Chat: "parrot", Embedding: "words"},
	}
	for _, k := range []api.Key{
		{Name: "admin", Scope: api.ScopeAdmin, Collections: []string{api.AllCollections}},
		{Name: "reader", Scope: api.ScopeRead, Collections: []string{"default"}},
	} {
		c.secret[k.Name] = api.NewSecret()
		k.Hash = api.HashSecret(c.secret[k.Name])
		config.Keys = append(config.Keys, k)
	}
	server, err := api.New(config)
	if err != nil {
		return nil, stop, err
	}
	served := httptest.NewServer(server)
	ends = append(ends, served.Close)
	c.url = served.URL

	parser, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		return nil, stop, err
	}
	ends = append(ends, func() { _ = parser.Close() })
	ingestion := jobs.Ingestion{Store: store, Ingester: func(ctx context.Context, _ string, open func(context.Context, string) (source.Source, error)) (*ingest.Ingester, error) {
		card, err := catalog.Get("words")
		if err != nil {
			return nil, err
		}
		embedder, err := model.NewEmbedder(ctx, card, connection)
		if err != nil {
			return nil, err
		}
		return ingest.New(ctx, ingest.Config{Store: store, Embedder: embedder, Parser: parser, Open: open})
	}}
	worker, err := jobs.NewWorker(jobs.WorkerConfig{Queue: queue, Handlers: map[string]jobs.Handler{jobs.KindIngest: ingestion.Do}})
	if err != nil {
		return nil, stop, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Run(ctx)
	}()
	ends = append(ends, func() {
		cancel()
		<-ended
	})
	return c, stop, nil
}

// open serves a company until the test ends, and connects to it with a key.
func open(t *testing.T, key string) *client.Client {
	t.Helper()
	c, stop, err := serve(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return connect(t, client.Config{URL: c.url, Key: c.secret[key]})
}

// connect makes a client that waits little.
func connect(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	c.Wait = time.Millisecond
	server, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// scripted speaks OpenAI's protocol: vectors of hashed words, and a chat model that repeats the first passage.
func scripted(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Input    []string
		Stream   bool
		Messages []struct {
			Content any `json:"content"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	usage := map[string]int{"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
	if r.URL.Path == "/v1/embeddings" {
		list := []any{}
		for i, text := range body.Input {
			list = append(list, map[string]any{"index": i, "embedding": vector(text)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": list, "usage": usage})
		return
	}
	answer := "I have never heard of it."
	if _, passage, found := strings.Cut(fmt.Sprint(body.Messages[len(body.Messages)-1].Content), "<passage 1 "); found {
		lines := strings.SplitN(passage, "\n", 4)
		inside, _, _ := strings.Cut(strings.Join(lines[2:], "\n"), "</passage 1 ")
		sentence, _, _ := strings.Cut(strings.TrimSpace(inside), ".")
		answer = sentence + " [1]."
	}
	if !body.Stream {
		_ = json.NewEncoder(w).Encode(map[string]any{"model": "parrot", "usage": usage,
			"choices": []any{map[string]any{"finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": answer}}}})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(delta map[string]string, finish any) {
		line, _ := json.Marshal(map[string]any{"model": "parrot", "choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}})
		fmt.Fprintf(w, "data: %s\n\n", line)
	}
	for _, word := range strings.SplitAfter(answer, " ") {
		send(map[string]string{"content": word}, nil)
	}
	send(map[string]string{}, "stop")
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func vector(text string) []float64 {
	v := make([]float64, 64)
	v[0] = .1
	for _, word := range strings.Fields(strings.ToLower(text)) {
		h := fnv.New32a()
		h.Write([]byte(strings.Trim(word, ".,?!")))
		v[1+h.Sum32()%63]++
	}
	norm := 0.0
	for _, x := range v {
		norm += x * x
	}
	for i := range v {
		v[i] /= math.Sqrt(norm)
	}
	return v
}
