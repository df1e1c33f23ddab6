package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/source/web"
	"grounded/jobs"
	jobqueue "grounded/jobs/sqlite"
	"grounded/model"
	"grounded/prompts"
	"grounded/store/sqlite"
)

// company is a server over a real store with two tenants, and models that are scripted.
type company struct {
	testing.TB
	server  *Server
	http    *httptest.Server
	models  *modelServer
	store   *sqlite.Store
	queue   jobs.Queue
	uploads string // folder of the queue's files
	log     *logBuffer
	secret  map[string]string // of the keys, by name
	pages   *web.Client       // of work, for pages that are named by their addresses
}

// Words that stand in one document each.
const (
	canaryPublic = "alphapublic"
	canaryHR     = "alphasalary"
	canaryBoard  = "alphaboard"
	canaryBeta   = "betasecret"
)

var embeddingOfWords = corpus.Embedding{Model: "words", Dimensions: 64, Normalised: true}

// open makes a company. change edits the configuration first; nil leaves it.
func open(t testing.TB, change func(*Config)) *company {
	t.Helper()
	c := &company{TB: t, models: newModelServer(t), log: &logBuffer{}, secret: map[string]string{}}
	var err error
	if c.store, err = sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "grounded.db")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.store.Close() })
	for _, name := range []string{"alpha", "beta", corpus.Shadow("alpha")} {
		if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: name, Embedding: embeddingOfWords}); err != nil {
			t.Fatal(err)
		}
	}
	c.add("alpha", "leave.md", nil, "Everyone has 27 days of leave a year. The word is "+canaryPublic+".", "Leave is asked for with form 17.")
	c.add("alpha", "hr/salaries.md", []string{"hr"}, "The salary of level 5 is 70000 euros a year. The word is "+canaryHR+".")
	c.add("alpha", "board/minutes.md", []string{"board"}, "The board met in March to buy Gamma. The word is "+canaryBoard+".")
	c.add("beta", "plans.md", nil, "Beta will build a second plant in Riga. The word is "+canaryBeta+".")

	c.uploads = t.TempDir()
	queue, err := jobqueue.Open(t.Context(), jobqueue.Config{Path: filepath.Join(t.TempDir(), "jobs.db"), Files: c.uploads})
	if err != nil {
		t.Fatal(err)
	}
	c.queue = queue
	t.Cleanup(func() { _ = queue.Close() })

	config := Config{
		Queue: queue, Uploads: jobs.Limits{Files: 3, FileBytes: 1 << 20, Bytes: 2 << 20, Names: []string{"*.md", "*.pdf"}},
		Backend: Backend{
			Store: c.store, Catalog: c.models.catalog(t), Chat: "parrot", Embedding: "words", Collection: "alpha",
			Model:    model.Config{LookupEnv: func(string) (string, bool) { return "", false }, Attempts: 2, MinDelay: time.Millisecond},
			Examples: []prompts.Example{{Question: "Who?", Answer: "We."}},
		},
		Log: slog.New(slog.NewJSONHandler(c.log, nil)),
	}
	for _, k := range []Key{
		{Name: "reader", Scope: ScopeRead, Collections: []string{"alpha"}},
		{Name: "hr", Scope: ScopeWrite, Collections: []string{"alpha"}, Groups: []string{"hr"}},
		{Name: "writer", Scope: ScopeWrite, Collections: []string{"alpha"}},
		{Name: "tenant", Scope: ScopeWrite, Collections: []string{"beta"}, Groups: []string{"hr", "board"}},
		{Name: "reader-of-all", Scope: ScopeRead, Collections: []string{AllCollections}},
		{Name: "admin", Scope: ScopeAdmin, Collections: []string{AllCollections}},
		{Name: "old", Scope: ScopeAdmin, Collections: []string{AllCollections}, Expires: time.Now().Add(-time.Hour)},
	} {
		c.secret[k.Name] = NewSecret()
		k.Hash = HashSecret(c.secret[k.Name])
		config.Keys = append(config.Keys, k)
	}
	if change != nil {
		change(&config)
	}
	if c.server, err = New(config); err != nil {
		t.Fatal(err)
	}
	c.http = httptest.NewServer(c.server)
	t.Cleanup(c.http.Close)
	return c
}

// add stores a document with a page and a chunk for each text.
func (c *company) add(collection, path string, groups []string, texts ...string) corpus.DocumentID {
	c.Helper()
	d := corpus.Document{
		ID: corpus.NewDocumentID(collection, "docs", path), Collection: collection, Source: "docs", Path: path, URI: "file:///docs/" + path,
		Title: "About " + path, MediaType: "text/markdown", Language: "en", Groups: groups, Metadata: map[string]any{"department": strings.Split(path, "/")[0]},
		Bytes: 100, ContentHash: strings.Repeat("ab", 32), PipelineFingerprint: "p", EmbeddingFingerprint: embeddingOfWords.Fingerprint(),
		PageCount: len(texts), ChunkCount: len(texts), ModifiedAt: time.Unix(1700000000, 0), IngestedAt: time.Unix(1700000000, 0),
	}
	var pages []corpus.Page
	var chunks []corpus.EmbeddedChunk
	for i, text := range texts {
		pages = append(pages, corpus.Page{Number: i + 1, Text: text})
		k := corpus.Chunk{ID: corpus.NewChunkID(d.ID, text, 0), DocumentID: d.ID, Ordinal: i, PageStart: i + 1, PageEnd: i + 1, End: len([]rune(text)), Text: text, Tokens: 10, Language: "en"}
		chunks = append(chunks, corpus.EmbeddedChunk{Chunk: k, Vector: vectorOfWords(text), Terms: analyze.Terms(text, "en")})
	}
	if err := c.store.Replace(c.Context(), d, pages, chunks); err != nil {
		c.Fatal(err)
	}
	return d.ID
}

// id is that of a document which add has stored.
func id(collection, path string) string {
	return string(corpus.NewDocumentID(collection, "docs", path))
}

// chunk is the id of a document's first chunk.
func (c *company) chunk(collection, path string) string {
	c.Helper()
	scope := corpus.Scope{Collection: collection, Access: corpus.Access{Unrestricted: true}}
	chunks, err := c.store.DocumentChunks(c.Context(), scope, corpus.DocumentID(id(collection, path)), 0, 0)
	if err != nil || len(chunks) != 1 {
		c.Fatalf("chunks of %s: %v, %v", path, chunks, err)
	}
	return string(chunks[0].ID)
}

// reply is what a request was answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request with the secret of a key, "" for none; extra are further headers in pairs.
func (c *company) send(method, path, key, body string, extra ...string) reply {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.http.URL+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	switch {
	case strings.HasPrefix(body, "--"+boundary):
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		secret, ok := c.secret[key]
		if !ok {
			secret = key
		}
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i+1 < len(extra); i += 2 {
		r.Header.Set(extra[i], extra[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	whole, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{response.StatusCode, response.Header, string(whole)}
}

// want fails unless the status is as wanted.
func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// into decodes a reply.
func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// modelServer speaks OpenAI's protocol. Its vectors are of hashed words, so that texts with the same words are near;
// its chat models repeat the first passage, and are named for how they behave.
type modelServer struct {
	*httptest.Server
	mu        sync.Mutex
	asked     []map[string]any // bodies of chat requests
	cancelled chan struct{}    // receives when a client of the model "hanging" has gone
	release   chan struct{}    // closed to let "waiting" answer
}

func newModelServer(t testing.TB) *modelServer {
	s := &modelServer{cancelled: make(chan struct{}, 100), release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/embeddings", s.embeddings)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *modelServer) catalog(t testing.TB) model.Catalog {
	t.Helper()
	var text strings.Builder
	text.WriteString("models:\n")
	card := func(id, provider, task, more string) {
		fmt.Fprintf(&text, "  - {id: %q, provider: %s, base_url: %q, tasks: [%s], access: open, deployment: managed, context: 4096%s}\n", id, provider, s.URL+"/v1", task, more)
	}
	card("words", "openai", "embedding", ", dimensions: 64, tokenizer: cl100k_base")
	for _, id := range []string{"parrot", "org/m:8b@x", "cut", "failing", "forbidden", "hanging", "waiting", "long", "silent", "obedient", "fair", "first"} {
		card(id, "openai", "chat", ", price: {in: 1, out: 2, date: 2026-01-31, source: scripted}")
	}
	card("claude", "anthropic", "chat", "")
	card("backed", "openai", "chat", ", model: failing, fallback: [parrot], price: {in: 1000, out: 2000, date: 2026-01-31, source: scripted}")
	card("backed-mute", "openai", "chat", ", model: mute, fallback: [parrot]")
	card("backed-cut", "openai", "chat", ", model: cut, fallback: [parrot]")
	card("backed-forbidden", "openai", "chat", ", model: forbidden, fallback: [parrot]")
	card("backed-twice", "openai", "chat", ", model: failing, fallback: [claude, parrot]")
	return catalogOf(t, text.String())
}

// catalogOf is the shipped catalog with more models.
func catalogOf(t testing.TB, text string) model.Catalog {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	catalog, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

func vectorOfWords(text string) []float32 {
	vector := make([]float32, 64)
	vector[0] = .1
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \n\t.,;:?!()[]\"", r) }) {
		h := fnv.New32a()
		h.Write([]byte(word))
		vector[1+h.Sum32()%63]++
	}
	norm := 0.0
	for _, v := range vector {
		norm += float64(v * v)
	}
	for j := range vector {
		vector[j] /= float32(math.Sqrt(norm))
	}
	return vector
}

func (s *modelServer) embeddings(w http.ResponseWriter, r *http.Request) {
	var request struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	list := []any{}
	for i, text := range request.Input {
		list = append(list, map[string]any{"index": i, "embedding": vectorOfWords(text)})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": list, "usage": map[string]int{"prompt_tokens": 7, "total_tokens": 7}})
}

// last is the body of the last chat request.
func (s *modelServer) last(t *testing.T) map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		t.Fatal("the model was not asked")
	}
	return s.asked[len(s.asked)-1]
}

func (s *modelServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *modelServer) chat(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, body)
	s.mu.Unlock()
	name, _ := body["model"].(string)
	streamed, _ := body["stream"].(bool)
	switch name {
	case "failing":
		http.Error(w, `{"error":{"code":500,"message":"CUDA error at /opt/secret/path","type":"server_error"}}`, http.StatusInternalServerError)
		return
	case "forbidden":
		http.Error(w, `{"error":{"message":"Incorrect API key sk-upstream-secret"}}`, http.StatusUnauthorized)
		return
	case "long":
		http.Error(w, `{"error":{"code":400,"message":"the request exceeds the available context size"}}`, http.StatusBadRequest)
		return
	case "waiting":
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
	}
	messages := body["messages"].([]any)
	text := fmt.Sprint(messages[len(messages)-1].(map[string]any)["content"])
	answer := "I have never heard of it."
	if _, passage, found := strings.Cut(text, "<passage 1 "); found {
		lines := strings.SplitN(passage, "\n", 4)
		inside, _, _ := strings.Cut(strings.Join(lines[2:], "\n"), "</passage 1 ")
		sentence, _, _ := strings.Cut(strings.TrimSpace(inside), ".")
		answer = sentence + " [1]."
	}
	switch name {
	case "obedient":
		answer = obey(text)
	case "fair", "first":
		answer = judge(name, text)
	}
	message := map[string]any{"role": "assistant", "content": answer}
	if _, tools := body["tools"]; tools {
		message = map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{map[string]any{"id": "call_1", "type": "function", "function": map[string]any{"name": "look", "arguments": "{}"}}}}
	}
	if !streamed {
		if name == "hanging" {
			<-r.Context().Done()
			s.cancelled <- struct{}{}
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "1", "object": "chat.completion", "created": 1, "model": name,
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": message}},
			"usage":   map[string]int{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
		return
	}
	s.streamChat(w, r, name, answer, body["stream_options"] != nil)
}

func (s *modelServer) streamChat(w http.ResponseWriter, r *http.Request, name, answer string, usage bool) {
	send := func(v any) {
		line, _ := json.Marshal(v)
		fmt.Fprintf(w, "data: %s\n\n", line)
		w.(http.Flusher).Flush()
	}
	chunk := func(delta map[string]any, finish any) map[string]any {
		return map[string]any{"id": "1", "object": "chat.completion.chunk", "created": 1, "model": name,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}}
	}
	send(chunk(map[string]any{"role": "assistant", "content": ""}, nil))
	if name == "mute" {
		return
	}
	for i, word := range strings.SplitAfter(answer, " ") {
		send(chunk(map[string]any{"content": word}, nil))
		if name == "cut" && i == 2 {
			return // as if the answer were whole
		}
		if name == "hanging" && i == 1 {
			<-r.Context().Done()
			s.cancelled <- struct{}{}
			return
		}
	}
	send(chunk(map[string]any{}, "stop"))
	if usage {
		send(map[string]any{"id": "1", "object": "chat.completion.chunk", "created": 1, "model": name, "choices": []any{},
			"usage": map[string]int{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("it never happened: " + what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// contextOf is the test's, with a way to end it.
func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
