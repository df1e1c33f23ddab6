package api

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// liteLLM starts LiteLLM's proxy before a model's server and returns its address and key; "" with a line that says so when
// it is not installed or does not start.
func liteLLM(b *testing.B, upstream string) (base, key string) {
	b.Helper()
	program, err := filepath.Abs("../.clients/litellm/bin/litellm")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		b.Log("LiteLLM is not compared: install it with api/testdata/litellm.sh .clients")
		return "", ""
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	config := fmt.Sprintf("model_list:\n  - model_name: instant\n    litellm_params: {model: openai/instant, api_base: %q, api_key: none}\n", upstream+"/v1")
	if err := os.WriteFile(filepath.Join(folder, "config.yaml"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	key = "sk-" + rand.Text()
	_, port, _ := net.SplitHostPort(address)
	command := exec.Command(program, "--config", "config.yaml", "--host", "127.0.0.1", "--port", port)
	var said logBuffer
	command.Dir, command.Stdout, command.Stderr = folder, &said, &said
	command.Env = append(os.Environ(), "LITELLM_MASTER_KEY="+key, "LITELLM_LOCAL_MODEL_COST_MAP=True")
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	b.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = command.Process.Kill()
		}
	})
	base = "http://" + address
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		response, err := http.Get(base + "/health/liveliness")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return base, key
			}
		}
		select {
		case err := <-ended:
			text := said.text()
			b.Logf("LiteLLM is not compared, it ended: %v: %s", err, text[max(0, len(text)-1000):])
			ended <- err
			return "", ""
		case <-time.After(200 * time.Millisecond):
		}
	}
	b.Log("LiteLLM is not compared: it does not answer")
	return "", ""
}
