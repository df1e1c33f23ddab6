package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output is what a program printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // not embedded: its other methods take no lock
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits until a pattern was printed, and returns its first group.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		m := regexp.MustCompile(pattern).FindStringSubmatch(o.String())
		if m != nil {
			return m[len(m)-1]
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("it never printed %s, but: %s", pattern, o.String())
	return ""
}

// command runs a command line to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, notes output
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &notes, env: os.LookupEnv}
	code = p.run(t.Context(), args)
	return code, out.String(), notes.String()
}

func call(t *testing.T, method, url, secret, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+secret)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestServeAnswersAsTheCommandLineDoes ingests a document, serves it by a key, changes the key while it runs, and
// stops.
func TestServeAnswersAsTheCommandLineDoes(t *testing.T) {
	models := newModelServer()
	defer models.Close()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("MODEL_SERVER", models.URL)
	write("models.yaml", scriptedModels)
	write("docs/leave.md", "# Leave\n\nEveryone has 27 days of leave a year.\n")
	settings := "data: store\nmodels: {catalog: models.yaml, embedding: words, chat: parrot}\nanswer: {abstain_below: 0.05}\nserve:\n  keys:\n"

	var key struct{ Secret, Hash string }
	code, made, notes := command(t, "keys", "new", "--json", "--name", "first")
	if err := json.Unmarshal([]byte(made), &key); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, made, notes)
	}
	entry := "    - {name: %s, hash: %q, scope: read, collections: [\"*\"]}\n"
	file := write("grounded.yaml", settings+fmt.Sprintf(entry, "first", key.Hash))
	if code, _, notes := command(t, "--config", file, "ingest", "--quiet", filepath.Join(folder, "docs")); code != 0 {
		t.Fatal(notes)
	}

	var log output
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &log, env: os.LookupEnv}
		ended <- p.run(ctx, []string{"--config", file, "serve", "--address", "127.0.0.1:0"})
	}()
	base := log.find(t, `listening on (http://[0-9.:]+)`)

	question := "How many days of leave are there?"
	status, served := call(t, "POST", base+"/api/answer", key.Secret, `{"question":"`+question+`"}`)
	_, local, _ := command(t, "--config", file, "ask", "--json", question)
	if timeless(served) != timeless(local) || status != http.StatusOK || !strings.Contains(served, "27 days") {
		t.Errorf("served: %s\nlocal: %s", served, local)
	}
	_, served = call(t, "POST", base+"/api/retrieve", key.Secret, `{"question":"`+question+`"}`)
	_, local, _ = command(t, "--config", file, "retrieve", "--json", question)
	var a, b any
	if json.Unmarshal([]byte(served), &a) != nil || json.Unmarshal([]byte(local), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("served: %s\nlocal: %s", served, local)
	}

	_, made, _ = command(t, "keys", "new", "--json", "--name", "second")
	old := key.Secret
	if err := json.Unmarshal([]byte(made), &key); err != nil {
		t.Fatal(err)
	}
	write("grounded.yaml", settings+fmt.Sprintf(entry, "second", key.Hash))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	log.find(t, `the keys were read again`)
	if status, _ := call(t, "GET", base+"/v1/models", old, ""); status != http.StatusUnauthorized {
		t.Errorf("the old key is answered with %d", status)
	}
	if status, _ := call(t, "GET", base+"/v1/models", key.Secret, ""); status != http.StatusOK {
		t.Errorf("the new key is answered with %d", status)
	}
	write("grounded.yaml", settings+"    - {name: x}\n")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	log.find(t, `the keys stay as they were: hash of key "x"`)
	if status, _ := call(t, "GET", base+"/v1/models", key.Secret, ""); status != http.StatusOK {
		t.Errorf("after a bad configuration the key is answered with %d", status)
	}

	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
}

// timeless is an answer without what differs each time.
func timeless(text string) string {
	return regexp.MustCompile(`_ms":[0-9.e-]+`).ReplaceAllString(strings.TrimSpace(text), `_ms":0`)
}

func TestServeRefusesWhatWouldBeOpen(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"serve --address :0", "without keys"},
		{"serve --address 0.0.0.0:0", "grounded keys new"},
		{"serve --address nonsense", "HOST:PORT"},
		{"keys new --scope root", "read, write or admin"},
		{"keys new --expires soon", "2027-12-31"},
	} {
		code, _, notes := command(t, append([]string{"--data", t.TempDir()}, strings.Fields(test.args)...)...)
		if code == 0 || !strings.Contains(notes, test.want) {
			t.Errorf("%s: exit %d: %s", test.args, code, notes)
		}
	}
}
