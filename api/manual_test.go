package api

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
	"grounded/jobs"
)

// TestMain lets this test binary be the child that parses.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == parse.ChildArgument {
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// work does the jobs of the company until the test ends.
func (c *company) work() {
	c.Helper()
	parser, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		c.Fatal(err)
	}
	ingestion := jobs.Ingestion{Store: c.store, Web: c.pages, Ingester: func(ctx context.Context, _ string, open func(context.Context, string) (source.Source, error)) (*ingest.Ingester, error) {
		embedder, err := c.server.engine.embedder(ctx, "words")
		if err != nil {
			return nil, err
		}
		return ingest.New(ctx, ingest.Config{Store: c.store, Embedder: embedder, Parser: parser, Open: open, Scratch: c.TempDir()})
	}}
	handlers := c.evaluators()
	handlers[jobs.KindIngest] = ingestion.Do
	worker, err := jobs.NewWorker(jobs.WorkerConfig{Queue: c.queue, Handlers: handlers})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = parser.Close() })
	c.run(worker)
}

// run has a worker work until the test ends.
func (c *company) run(worker *jobs.Worker) {
	ctx, cancel := context.WithCancel(c.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Run(ctx)
	}()
	c.Cleanup(func() {
		cancel()
		<-ended
	})
}

// TestExamplesOfTheManualRun runs each example of docs/api.md as it is printed, but for the address and the model.
func TestExamplesOfTheManualRun(t *testing.T) {
	manual, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs("../.clients")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```(sh|python|js)\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	if len(examples) < 10 {
		t.Fatalf("there are %d examples", len(examples))
	}
	for _, example := range examples {
		t.Run(example[1], func(t *testing.T) {
			c := open(t, func(config *Config) {
				config.Collection, config.Evaluations, config.Uploads.Names = "default", t.TempDir(), nil
			})
			if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "default", Embedding: embeddingOfWords}); err != nil {
				t.Fatal(err)
			}
			c.add("default", "leave.md", nil, "Everyone has 27 days of leave a year.")
			pages := site(t, new(atomic.Int32))
			if c.pages, err = web.New(web.Config{AllowPrivate: true}); err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("http://127.0.0.1:8080", c.http.URL, "smollm2", "parrot", "https://intranet.example", pages.URL).Replace(example[2])
			var command *exec.Cmd
			switch example[1] {
			case "sh":
				command = exec.CommandContext(t.Context(), "sh", "-c", text)
			case "python":
				command = exec.CommandContext(t.Context(), filepath.Join(folder, "py/bin/python"), "-c", text)
			case "js":
				if _, err := os.Stat(filepath.Join(folder, "node_modules/installed")); err != nil {
					t.Skip("the clients are not installed; run api/testdata/clients.sh .clients")
				}
				command = exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", text)
			}
			if _, err := exec.LookPath(command.Path); err != nil {
				t.Skipf("it can't be run here: %v", err)
			}
			want := "27 days of leave"
			switch {
			case strings.Contains(text, "/judge"):
				c.work()
				want = `"kind":"judging"`
			case strings.Contains(text, `"tuning"`):
				c.work()
				want = `"other_top_k_too"`
			case strings.Contains(text, "/api/datasets"):
				want = `"missing-quote"`
			case strings.Contains(text, "/api/jobs/"):
				c.work()
				want = `"outcome":"new"`
			case strings.Contains(text, "/api/evaluations"):
				c.work()
				want = `"total":4`
			}
			command.Dir = t.TempDir()
			if err := os.Symlink(filepath.Join(folder, "node_modules"), filepath.Join(command.Dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			command.Env = append(os.Environ(), "GROUNDED_KEY="+c.secret["admin"])
			out, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
