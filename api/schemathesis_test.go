package api

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/model"
)

// TestSchemathesis sends what the contract allows and what it does not, as schemathesis makes it up from a seed, and
// holds each response against the contract. SCHEMATHESIS_EXAMPLES is how many requests it makes up for each operation.
func TestSchemathesis(t *testing.T) {
	program, err := filepath.Abs("../.clients/schemathesis/bin/schemathesis")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Skipf("it is not installed; api/testdata/clients.sh .clients installs it, or says why not: %v", err)
	}
	c := open(t, func(config *Config) {
		config.Timeout = time.Minute
		config.Catalog = answering(t, config.Catalog)
	})
	if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "default", Embedding: embeddingOfWords}); err != nil {
		t.Fatal(err)
	}
	c.endJobs()
	command := exec.CommandContext(t.Context(), program, "run", c.http.URL+"/openapi.json",
		"--header", "Authorization: Bearer "+c.secret["admin"], "--seed", "7", "--workers", "2",
		"--phases", "examples,coverage,fuzzing", "--max-examples", cmp.Or(os.Getenv("SCHEMATHESIS_EXAMPLES"), "10"),
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance,ignored_auth",
		"--request-timeout", "120", "--no-color", "--warnings", "off")
	command.Dir = t.TempDir()
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// endJobs ends each job at once, so that nobody who watches one waits.
func (c *company) endJobs() {
	c.Helper()
	nothing := func(context.Context, *jobs.Task) error { return nil }
	handlers := map[string]jobs.Handler{jobs.KindIngest: nothing}
	for kind := range c.evaluators() {
		handlers[kind] = nothing
	}
	worker, err := jobs.NewWorker(jobs.WorkerConfig{Queue: c.queue, Handlers: handlers})
	if err != nil {
		c.Fatal(err)
	}
	c.run(worker)
}

// answering is the shipped catalog with the server of the scripted models behind all of it, since names of models are
// taken out of responses.
func answering(t *testing.T, catalog model.Catalog) model.Catalog {
	t.Helper()
	scripted, err := catalog.Get("parrot")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Builder{}
	text.WriteString("models:\n")
	add := func(id string, task model.Task, behind, more string) {
		fmt.Fprintf(&text, "  - {id: %q, model: %s, provider: openai, base_url: %q, tasks: [%s], access: open, deployment: managed, command: [], health: \"\", context: 4096, max_output: 1024%s}\n",
			id, behind, scripted.BaseURL, task, more)
	}
	add("parrot", model.TaskChat, "parrot", "")
	add("words", model.TaskEmbedding, "words", ", dimensions: 64, tokenizer: cl100k_base")
	for _, card := range catalogOf(t, "models: []\n").All() {
		switch {
		case card.Does(model.TaskChat):
			add(card.ID, model.TaskChat, "parrot", "")
		case card.Does(model.TaskEmbedding):
			add(card.ID, model.TaskEmbedding, "words", ", dimensions: 64, tokenizer: cl100k_base")
		}
	}
	return catalogOf(t, text.String())
}
