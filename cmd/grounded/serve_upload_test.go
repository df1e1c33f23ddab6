package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// site is a folder with a configuration of scripted models and two tenants.
type site struct {
	folder, file string
	secret       map[string]string // of the keys, by name
}

func newSite(t *testing.T, models string) *site {
	t.Helper()
	s := &site{folder: t.TempDir(), secret: map[string]string{}}
	s.file = filepath.Join(s.folder, "grounded.yaml")
	t.Setenv("MODEL_SERVER", models)
	settings := "data: store\nmodels: {catalog: models.yaml, embedding: words, chat: parrot}\njobs: {lease: 2s}\nserve:\n  keys:\n"
	for _, key := range []string{"admin", "alpha", "beta"} {
		scope, collections := "write", key
		if key == "admin" {
			scope, collections = "admin", "*"
		}
		var made struct{ Secret, Hash string }
		if _, text, notes := command(t, "keys", "new", "--json", "--name", key); json.Unmarshal([]byte(text), &made) != nil {
			t.Fatal(notes)
		}
		s.secret[key] = made.Secret
		settings += fmt.Sprintf("    - {name: %s, hash: %q, scope: %s, collections: [%q]}\n", key, made.Hash, scope, collections)
	}
	for path, text := range map[string]string{s.file: settings, filepath.Join(s.folder, "models.yaml"): scriptedModels} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// upload sends files, and returns the job's id.
func (s *site) upload(t *testing.T, base, key, collection string, files map[string][]byte) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range files {
		part, err := form.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", base+"/api/collections/"+collection+"/documents", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+s.secret[key])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d: %s, %v", response.StatusCode, text, err)
	}
	var got struct {
		JobID string `json:"job_id"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got.JobID
}

// job is how a job is, once it is as wanted.
type job struct {
	Status    string
	Attempts  int
	Error     string
	Documents []struct{ Document, Outcome string }
}

func (s *site) until(t *testing.T, base, key, id string, holds func(job) bool) job {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var j job
		status, text := call(t, "GET", base+"/api/jobs/"+id, s.secret[key], "")
		if err := json.Unmarshal([]byte(text), &j); err != nil || status != http.StatusOK {
			t.Fatalf("status %d: %s, %v", status, text, err)
		}
		if holds(j) {
			return j
		}
		if time.Now().After(deadline) {
			t.Fatalf("it stays %s", text)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func ended(j job) bool { return j.Status != "queued" && j.Status != "running" }

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWhatIsUploadedIsFoundByItsTenant uploads to a running server and asks it, and stops it.
func TestWhatIsUploadedIsFoundByItsTenant(t *testing.T) {
	models := newModelServer()
	defer models.Close()
	s := newSite(t, models.URL)
	var log output
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	exit := make(chan int, 1)
	go func() {
		p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &log, env: os.LookupEnv}
		exit <- p.run(ctx, []string{"--config", s.file, "serve", "--address", "127.0.0.1:0"})
	}()
	base := log.find(t, `listening on (http://[0-9.:]+)`)
	for _, name := range []string{"alpha", "beta"} {
		if status, text := call(t, "POST", base+"/api/collections", s.secret["admin"], `{"name":"`+name+`"}`); status != http.StatusCreated {
			t.Fatalf("status %d: %s", status, text)
		}
	}
	id := s.upload(t, base, "alpha", "alpha", map[string][]byte{
		"Dunlin 200 Manual.pdf":     read(t, "../../testdata/company/products/Dunlin 200 Manual.pdf"),
		"working-time-and-leave.md": read(t, "../../testdata/company/handbook/working-time-and-leave.md"),
	})
	if j := s.until(t, base, "alpha", id, ended); j.Status != "done" || len(j.Documents) != 2 {
		t.Fatalf("got %+v", j)
	}
	if status, events := call(t, "GET", base+"/api/jobs/"+id+"/events", s.secret["alpha"], ""); status != http.StatusOK || !strings.Contains(events, "event: done\n") || !strings.Contains(events, `"outcome":"new"`) {
		t.Errorf("status %d: %s", status, events)
	}
	question := `{"question":"tighten the screws crosswise with a torque"}`
	var found struct {
		Passages []struct {
			Document  string
			PageStart int `json:"page_start"`
		}
	}
	status, text := call(t, "POST", base+"/api/retrieve", s.secret["alpha"], question)
	if err := json.Unmarshal([]byte(text), &found); err != nil || len(found.Passages) == 0 || found.Passages[0].Document != "Dunlin 200 Manual.pdf" || found.Passages[0].PageStart != 3 {
		t.Errorf("status %d, %v: %s", status, err, text)
	}
	status, text = call(t, "POST", base+"/api/answer", s.secret["alpha"], `{"question":"How many days of annual leave does everyone have?"}`)
	if !strings.Contains(text, `"document":"working-time-and-leave.md"`) || !strings.Contains(text, `"page":1`) {
		t.Errorf("status %d: %s", status, text)
	}
	if _, text := call(t, "POST", base+"/api/retrieve", s.secret["beta"], question); !strings.Contains(text, `"passages":[]`) {
		t.Errorf("the other tenant finds %s", text)
	}
	for _, path := range []string{"/api/jobs/" + id, "/api/jobs/" + id + "/events", "/api/collections/alpha/documents"} {
		if status, text := call(t, "GET", base+path, s.secret["beta"], ""); status != http.StatusNotFound {
			t.Errorf("the other tenant is answered by %s: %d %s", path, status, text)
		}
	}
	stop()
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
}

// TestAServerThatWasKilledGoesOnWithItsJobs kills it while it embeds.
func TestAServerThatWasKilledGoesOnWithItsJobs(t *testing.T) {
	words := newModelServer()
	defer words.Close()
	var open atomic.Bool
	asked := make(chan struct{}, 1)
	models := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, err := io.ReadAll(r.Body); err == nil {
			r.Body = io.NopCloser(bytes.NewReader(text))
			if bytes.Contains(text, []byte("slowword")) && !open.Load() {
				select {
				case asked <- struct{}{}:
				default:
				}
				<-r.Context().Done()
				return
			}
		}
		words.Config.Handler.ServeHTTP(w, r)
	}))
	defer models.Close()
	s := newSite(t, models.URL)
	base, kill := s.start(t)
	id := s.upload(t, base, "admin", "alpha", map[string][]byte{"a.md": []byte("The first is slowword.")})
	second := s.upload(t, base, "admin", "alpha", map[string][]byte{"b.md": []byte("The second is quick.")})
	<-asked
	kill()
	open.Store(true)
	base, _ = s.start(t)
	if j := s.until(t, base, "admin", id, ended); j.Status != "done" || j.Attempts != 2 || j.Documents[0].Outcome != "new" {
		t.Errorf("got %+v", j)
	}
	if j := s.until(t, base, "admin", second, ended); j.Status != "done" {
		t.Errorf("got %+v", j)
	}
	for _, word := range []string{"slowword", "quick"} {
		if _, text := call(t, "POST", base+"/api/retrieve", s.secret["alpha"], `{"question":"`+word+`","mode":"lexical"}`); strings.Count(text, `"chunk_id"`) != 1 {
			t.Errorf("%s is found in %s", word, text)
		}
	}
}

// start runs the server as a process of its own, which kill ends at once.
func (s *site) start(t *testing.T) (base string, kill func()) {
	t.Helper()
	var log output
	command := exec.Command("grounded", "--config", s.file, "serve", "--address", "127.0.0.1:0")
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = command.Process.Kill() // it may have been killed already
		_ = command.Wait()
	}
	t.Cleanup(kill)
	return log.find(t, `listening on (http://[0-9.:]+)`), kill
}
