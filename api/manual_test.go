package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"grounded/corpus"
)

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
	if len(examples) < 5 {
		t.Fatalf("there are %d examples", len(examples))
	}
	for _, example := range examples {
		t.Run(example[1], func(t *testing.T) {
			c := open(t, func(config *Config) { config.Collection = "default" })
			if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: "default", Embedding: embeddingOfWords}); err != nil {
				t.Fatal(err)
			}
			c.add("default", "leave.md", nil, "Everyone has 27 days of leave a year.")
			text := strings.NewReplacer("http://127.0.0.1:8080", c.http.URL, "smollm2", "parrot").Replace(example[2])
			var command *exec.Cmd
			switch example[1] {
			case "sh":
				command = exec.CommandContext(t.Context(), "sh", "-c", text)
			case "python":
				command = exec.CommandContext(t.Context(), filepath.Join(folder, "py/bin/python"), "-c", text)
			case "js":
				module := filepath.Join(folder, "node_modules/openai/index.mjs")
				if _, err := os.Stat(module); err != nil {
					t.Skip("the client is not installed; run api/testdata/clients.sh .clients")
				}
				command = exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", strings.Replace(text, `"openai"`, `"`+module+`"`, 1))
			}
			if _, err := exec.LookPath(command.Path); err != nil {
				t.Skipf("it can't be run here: %v", err)
			}
			command.Env = append(os.Environ(), "GROUNDED_KEY="+c.secret["reader-of-all"])
			out, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "27 days of leave") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
