package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealClients asks the server with SDKs that people have. They are installed by api/testdata/clients.sh into
// .clients of the checkout.
func TestRealClients(t *testing.T) {
	folder, err := filepath.Abs("../.clients")
	if err != nil {
		t.Fatal(err)
	}
	python, module := filepath.Join(folder, "py/bin/python"), filepath.Join(folder, "node_modules/openai/index.mjs")
	for _, client := range []struct {
		name, program, needs string
		args                 []string
	}{
		{"openai for Python, and LangChain", python, "py/installed", []string{"testdata/openai_langchain.py"}},
		{"LiteLLM", python, "py/installed", []string{"testdata/litellm_sdk.py"}},
		{"openai for Node", "node", "node_modules/installed", []string{"testdata/openai.mjs", module}},
		{"Vercel AI SDK", "node", "node_modules/installed", []string{"testdata/vercel_ai.mjs", folder}},
	} {
		t.Run(client.name, func(t *testing.T) {
			program, err := exec.LookPath(client.program)
			if err == nil {
				_, err = os.Stat(filepath.Join(folder, client.needs))
			}
			if err != nil {
				t.Skipf("it is not installed; api/testdata/clients.sh .clients installs it, or says why not: %v", err)
			}
			c := open(t, nil)
			command := exec.CommandContext(t.Context(), program, append(client.args, c.http.URL, c.secret["admin"])...)
			out, err := command.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "ok\n") {
				t.Errorf("%v\n%s\nthe server's log: %s", err, out, c.log.text())
			}
		})
	}
}
