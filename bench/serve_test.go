package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is a `grounded serve` of its own, as people run it.
type service struct {
	base    string
	process *os.Process
}

// serve builds the program and starts it before a scripted chat model named scripted. It is stopped with the test.
func serve(t testing.TB, upstream string) service {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "grounded")
	if out, err := exec.Command("go", "build", "-o", program, "grounded/cmd/grounded").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	catalog := fmt.Sprintf("models:\n  - {id: scripted, provider: openai, base_url: %q, tasks: [chat], context: 4096}\n", upstream+"/v1")
	config := "models: {catalog: models.yaml, chat: scripted, embedding: text-embedding-3-small}\nserve: {address: \"127.0.0.1:0\", heartbeat: 1s, concurrent: 4096}\n"
	for name, text := range map[string]string{"models.yaml": catalog, "grounded.yaml": config} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	command := exec.CommandContext(ctx, program, "serve")
	command.Dir = folder
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = time.Minute
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		if code := command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the server ended with %s", command.ProcessState)
		}
	})
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, said) }() // its log
			base, _, _ := strings.Cut(rest, " ")
			return service{base, command.Process}
		}
	}
	t.Fatal("the server does not start")
	return service{}
}

// memory is what of the program is in memory now, in bytes. Linux only.
func (s service) memory(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		t.Skipf("the memory of a process cannot be read here: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatalf("there is no VmRSS in %s", text)
	return 0
}

// files is how many files and connections the program has open.
func (s service) files(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Pid))
	if err != nil {
		t.Skipf("the files of a process cannot be read here: %v", err)
	}
	return len(entries)
}

// streamClient has a connection for each of many streams.
func streamClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}}
}

// chat streams an answer. whole says whether it came to its end, told whether it ended with an error that the server told.
func (s service) chat(ctx context.Context, c *http.Client, event func()) (words int, whole, told bool, err error) {
	body := strings.NewReader(`{"model":"scripted","stream":true,"messages":[{"role":"user","content":"Tell me something long."}]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/v1/chat/completions", body)
	if err != nil {
		return 0, false, false, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		return 0, false, false, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		_, err := io.Copy(io.Discard, response.Body)
		return 0, false, response.StatusCode == http.StatusServiceUnavailable, err
	}
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF:
			return words, whole, told, nil
		case err != nil:
			return words, whole, told, err
		case strings.HasPrefix(line, "data: [DONE]"):
			whole = true
		case strings.HasPrefix(line, `data: {"error"`):
			told = true
		case strings.HasPrefix(line, "data: ") && strings.Contains(line, `"content":"word"`):
			words++
			event()
		}
	}
}

// word writes one event of an answer.
func word(w http.ResponseWriter) error {
	if _, err := io.WriteString(w, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}`+"\n\n"); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

func lastWord(w http.ResponseWriter) {
	_, _ = io.WriteString(w, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
}

// scripted is a model's server.
func scripted(t testing.TB, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}
