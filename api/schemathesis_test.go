package api

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"grounded/corpus"
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
	c := open(t, func(config *Config) { config.Timeout = 20 * time.Second })
	if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "default", Embedding: embeddingOfWords}); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "run", c.http.URL+"/openapi.json",
		"--header", "Authorization: Bearer "+c.secret["admin"], "--seed", "7", "--workers", "2",
		"--phases", "examples,coverage,fuzzing", "--max-examples", cmp.Or(os.Getenv("SCHEMATHESIS_EXAMPLES"), "10"),
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance,ignored_auth",
		"--request-timeout", "30", "--no-color", "--warnings", "off")
	command.Dir = t.TempDir()
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
