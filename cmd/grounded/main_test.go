package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"grounded/ingest/parse"
	"grounded/jobs/nats/natstest"
	"grounded/store/qdrant/qdranttest"
)

// TestMain lets this test binary be the program, and the child that parses, as the scripts need them.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	testscript.Main(m, map[string]func(){"grounded": func() { os.Exit(runInterruptible()) }})
}

// TestScripts runs each script of testdata against the real program with scripted models.
func TestScripts(t *testing.T) {
	company, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	runScripts(t, "testdata", company, nil)
}

// TestQdrantScripts runs those that need a Qdrant server, whose address is $QDRANT.
func TestQdrantScripts(t *testing.T) {
	runScripts(t, "testdata/qdrant", "", map[string]string{"QDRANT": qdranttest.Start(t).Address})
}

// TestNATSScripts runs those that need a NATS server, whose address is $NATS.
func TestNATSScripts(t *testing.T) {
	runScripts(t, "testdata/nats", "", map[string]string{"NATS": natstest.Start(t, nil).URL()})
}

func runScripts(t *testing.T, dir, company string, variables map[string]string) {
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			for name, value := range variables {
				env.Setenv(name, value)
			}
			server := newModelServer()
			env.Defer(server.Close)
			env.Setenv("TESTDATA", company)
			env.Setenv("MODEL_SERVER", server.URL)
			env.Values["server"] = server
			return os.WriteFile(filepath.Join(env.WorkDir, "models.yaml"), []byte(scriptedModels), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// embeddings N checks how many texts were embedded since the last check.
			"embeddings": func(ts *testscript.TestScript, neg bool, args []string) {
				n := ts.Value("server").(*modelServer).embedded.Swap(0)
				if want := args[0]; (fmt.Sprint(n) == want) == neg {
					ts.Fatalf("%d texts were embedded, want %s (not: %t)", n, want, neg)
				}
			},
			// library makes a server of the folder's configuration the one that commands ask, if $ANYWHERE is "server".
			"library": func(ts *testscript.TestScript, _ bool, _ []string) {
				if ts.Getenv("ANYWHERE") == "server" {
					ts.Setenv("GROUNDED_SERVER", serveScript(ts))
				}
			},
			// pages FOLDER serves a folder as a web site at $SITE, with SITE in its files replaced by the address.
			"pages": func(ts *testscript.TestScript, _ bool, args []string) {
				folder, server := ts.MkAbs(args[0]), (*httptest.Server)(nil)
				server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					name := filepath.Join(folder, filepath.Clean("/"+r.URL.Path))
					text, err := os.ReadFile(name)
					if err != nil {
						http.NotFound(w, r)
						return
					}
					w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(text)))
					http.ServeContent(w, r, name, time.Time{}, strings.NewReader(strings.ReplaceAll(string(text), "SITE", server.URL)))
				}))
				ts.Defer(server.Close)
				ts.Setenv("SITE", server.URL)
			},
			// eventually PATTERN COMMAND… runs a command until its standard output matches.
			"eventually": func(ts *testscript.TestScript, _ bool, args []string) {
				deadline := time.Now().Add(30 * time.Second)
				for time.Now().Before(deadline) {
					if err := ts.Exec(args[1], args[2:]...); err == nil && regexp.MustCompile(args[0]).MatchString(ts.ReadFile("stdout")) {
						return
					}
					<-time.After(20 * time.Millisecond)
				}
				ts.Fatalf("it never printed %s", args[0])
			},
		},
	})
}

// TestScriptsAnywhere runs each script with a store of its own, and with a server.
func TestScriptsAnywhere(t *testing.T) {
	for _, where := range []string{"here", "server"} {
		t.Run(where, func(t *testing.T) { runScripts(t, "testdata/anywhere", "", map[string]string{"ANYWHERE": where}) })
	}
}

// serveScript serves the configuration of a script until it ends, and returns the address.
func serveScript(ts *testscript.TestScript) string {
	env := func(name string) (string, bool) {
		if name == "GROUNDED_SERVER" {
			return "", false
		}
		value := ts.Getenv(name)
		return value, value != ""
	}
	ctx, stop := context.WithCancel(context.Background())
	var log output
	ended := make(chan int, 1)
	go func() {
		p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &log, env: env}
		ended <- p.run(ctx, []string{"--config", ts.MkAbs("grounded.yaml"), "serve", "--address", "127.0.0.1:0"})
	}()
	ts.Defer(func() {
		stop()
		<-ended
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		if m := regexp.MustCompile(`listening on (http://[0-9.:]+)`).FindStringSubmatch(log.String()); m != nil {
			return m[1]
		}
	}
	ts.Fatalf("the server never listened: %s", log.String())
	return ""
}

const scriptedModels = `models:
  - id: words
    provider: openai
    base_url: ${MODEL_SERVER}/v1
    tasks: [embedding]
    access: open
    deployment: managed
    context: 512
    dimensions: 64
    batch_texts: 16
    price: {in: 0, out: 0, source: scripted}
  - id: other-words
    provider: openai
    base_url: ${MODEL_SERVER}/v1
    tasks: [embedding]
    access: open
    deployment: managed
    context: 512
    dimensions: 64
  - id: short-words
    provider: openai
    base_url: ${MODEL_SERVER}/v1
    tasks: [embedding]
    access: open
    deployment: managed
    context: 512
    dimensions: 32
  - id: busy-words
    provider: openai
    base_url: ${MODEL_SERVER}/busy
    tasks: [embedding]
    access: open
    deployment: managed
    context: 512
    dimensions: 64
  - id: parrot
    provider: openai
    base_url: ${MODEL_SERVER}/v1
    tasks: [chat]
    access: open
    deployment: managed
    context: 4096
    price: {in: 1, out: 2, training: 3, date: 2026-01-31, source: scripted}
  - id: busy
    provider: openai
    base_url: ${MODEL_SERVER}/busy
    tasks: [chat]
    access: open
    deployment: managed
    context: 4096
    fallback: [parrot]
  - id: broken
    provider: openai
    base_url: ${MODEL_SERVER}/broken
    tasks: [chat]
    access: open
    deployment: managed
    context: 4096
`

// modelServer speaks the OpenAI protocol: vectors of hashed words, so that texts with the same words are near,
// and a chat model that repeats the first sentence of the first passage, and as a judge prefers the first answer.
type modelServer struct {
	*httptest.Server
	embedded atomic.Int64
}

func newModelServer() *modelServer {
	s := &modelServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/embeddings", s.embeddings)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("/broken/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"message":"no such model","type":"invalid_request_error"}}`, http.StatusBadRequest)
	})
	mux.HandleFunc("/busy/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"message":"too many requests","type":"rate_limit"}}`, http.StatusTooManyRequests)
	})
	new(tuning).routes(mux)
	s.Server = httptest.NewServer(mux)
	return s
}

func (s *modelServer) embeddings(w http.ResponseWriter, r *http.Request) {
	var request struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	type item struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	}
	list := []item{}
	for i, text := range request.Input {
		vector := make([]float64, 64)
		vector[0] = .1
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \n\t.,;:?!()[]\"", r) }) {
			h := fnv.New32a()
			h.Write([]byte(word))
			vector[1+h.Sum32()%63]++
		}
		norm := 0.0
		for _, v := range vector {
			norm += v * v
		}
		for j := range vector {
			vector[j] /= math.Sqrt(norm)
		}
		list = append(list, item{"embedding", i, vector})
	}
	s.embedded.Add(int64(len(list)))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": list, "model": "words", "usage": map[string]int{"prompt_tokens": 7, "total_tokens": 7}})
}

func (s *modelServer) chat(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Stream   bool
		Messages []struct {
			Content any `json:"content"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := fmt.Sprint(request.Messages[len(request.Messages)-1].Content)
	answer := "I have never heard of it."
	if _, passage, found := strings.Cut(text, "\n\n<passage "); found && strings.HasPrefix(text, "Fence:") && !strings.Contains(text, "<passage 1") {
		lines := strings.SplitN(passage, "\n", 4)
		sentence, _, _ := strings.Cut(lines[2], ".")
		answer = fmt.Sprintf("Question: What is said in %s?\nAnswer: %s\nQuote: %q", lines[1], sentence, strings.Replace(sentence, "lie", "truth", 1))
	} else if strings.Contains(text, "<answer A ") {
		answer = "It is better.\nVerdict: A"
	} else if _, sentences, found := strings.Cut(text, "\nSentences:\n1: "); found {
		answer = "1: " + map[bool]string{true: "yes", false: "no"}[strings.Contains(sentences, "days")]
	} else if _, passage, found := strings.Cut(text, "<passage 1 "); found {
		lines := strings.SplitN(passage, "\n", 4)
		body, _, _ := strings.Cut(strings.Join(lines[2:], "\n"), "</passage 1 ")
		sentence, _, _ := strings.Cut(strings.TrimSpace(body), ".")
		answer = sentence + " [1]."
	}
	if !request.Stream {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "1", "object": "chat.completion", "model": "parrot",
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": answer}}},
			"usage":   map[string]int{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(v any) {
		line, _ := json.Marshal(v)
		fmt.Fprintf(w, "data: %s\n\n", line)
	}
	for _, word := range strings.SplitAfter(answer, " ") {
		send(map[string]any{"id": "1", "object": "chat.completion.chunk", "model": "parrot",
			"choices": []any{map[string]any{"index": 0, "delta": map[string]string{"content": word}}}})
	}
	send(map[string]any{"id": "1", "object": "chat.completion.chunk", "model": "parrot",
		"choices": []any{map[string]any{"index": 0, "delta": map[string]string{}, "finish_reason": "stop"}}})
	send(map[string]any{"id": "1", "object": "chat.completion.chunk", "model": "parrot", "choices": []any{},
		"usage": map[string]int{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
	fmt.Fprint(w, "data: [DONE]\n\n")
}
