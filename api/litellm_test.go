package api

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// liteLLM starts LiteLLM's proxy before a model's server and returns its address; "" with a line that says so when it is
// not installed.
func liteLLM(b *testing.B, upstream string) string {
	b.Helper()
	program, err := filepath.Abs("../.clients/litellm/bin/litellm")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		b.Log("LiteLLM is not compared: install it with api/testdata/litellm.sh .clients")
		return ""
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	config := fmt.Sprintf("model_list:\n  - model_name: instant\n    litellm_params: {model: openai/instant, api_base: %q, api_key: none}\n", upstream+"/v1")
	if err := os.WriteFile(filepath.Join(folder, "config.yaml"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	out, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		b.Fatal(err)
	}
	command := exec.CommandContext(b.Context(), program, "--config", "config.yaml", "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--telemetry", "False")
	command.Dir, command.Stdout, command.Stderr = folder, out, out
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = command.Cancel(); _ = command.Wait(); _ = out.Close() })
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(200 * time.Millisecond) {
		response, err := http.Get(base + "/health/liveliness")
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return base
			}
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(out.Name())
			b.Fatalf("LiteLLM does not start: %s", said)
		}
	}
}
