package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestAnEvaluationGoesOnWhenTheServerWasKilled kills it while a model is asked, and counts what is asked in all.
func TestAnEvaluationGoesOnWhenTheServerWasKilled(t *testing.T) {
	words := newModelServer()
	defer words.Close()
	var mu sync.Mutex
	asked, stuck := 0, make(chan struct{})
	models := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/chat/completions") {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			asked++
			hold := asked == 5
			mu.Unlock()
			if hold || err != nil {
				close(stuck)
				<-r.Context().Done()
				return
			}
		}
		words.Config.Handler.ServeHTTP(w, r)
	}))
	defer models.Close()
	s := newSite(t, models.URL, "{lease: 2s}")
	base, kill := s.start(t)
	upload := s.upload(t, base, "admin", "alpha", map[string][]byte{"a.md": []byte("Everyone has 27 days of leave a year. Leave is asked for with form 17.")})
	if j := s.until(t, base, "admin", upload, ended); j.Status != "done" {
		t.Fatalf("got %+v", j)
	}
	var questions []string
	for i := range 4 {
		questions = append(questions, fmt.Sprintf(`{"id":"q%d","question":"How many days of leave has everyone in year %d?","answers":["27"]}`, i, i))
	}
	status, text := call(t, "POST", base+"/api/evaluations", s.secret["alpha"], `{"collection":"alpha","questions":[`+strings.Join(questions, ",")+`],"arms":["plain","grounded","distractor"]}`)
	var started struct {
		JobID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(text), &started); err != nil || status != http.StatusAccepted {
		t.Fatalf("status %d: %s", status, text)
	}
	<-stuck
	kill()
	base, _ = s.start(t)
	if j := s.until(t, base, "alpha", started.JobID, ended); j.Status != "done" || j.Attempts != 2 {
		t.Fatalf("got %+v", j)
	}
	path := base + "/api/evaluations/" + started.JobID
	_, results := call(t, "GET", path+"/results", s.secret["alpha"], "")
	if n := strings.Count(results, "\n"); n != 8 { // distractor applies to questions with evidence
		t.Errorf("%d items: %s", n, results)
	}
	// Up to four are asked at once, so as many may have been cut off.
	mu.Lock()
	if asked < 9 || asked > 12 {
		t.Errorf("models were asked %d times", asked)
	}
	mu.Unlock()
	if _, text := call(t, "GET", path+"/report?format=html", s.secret["alpha"], ""); !strings.Contains(text, "</html>") {
		t.Errorf("the report is %s", text)
	}
	if status, _ := call(t, "GET", path+"/report", s.secret["beta"], ""); status != http.StatusNotFound {
		t.Errorf("the other tenant is answered %d", status)
	}
}
