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

// holding are models that count how often a chat model is asked, and of which one call is not answered until its client is
// gone.
type holding struct {
	*httptest.Server
	mu    sync.Mutex
	asked int
	hold  int           // which call; 0 is none
	stuck chan struct{} // closed when it has come
}

func newHolding(t *testing.T, hold int) *holding {
	words := newModelServer()
	t.Cleanup(words.Close)
	h := &holding{hold: hold, stuck: make(chan struct{})}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/chat/completions") {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.mu.Lock()
			h.asked++
			hold := h.asked == h.hold
			h.mu.Unlock()
			if hold || err != nil {
				close(h.stuck)
				<-r.Context().Done()
				return
			}
		}
		words.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *holding) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// holdNext has the nth call from now on not answered.
func (h *holding) holdNext(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hold, h.stuck = h.asked+n, make(chan struct{})
}

// postJob sends a request that becomes a job, and gives its id.
func postJob(t *testing.T, address, secret, body string) string {
	t.Helper()
	status, text := call(t, "POST", address, secret, body)
	var started struct {
		JobID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(text), &started); err != nil || status != http.StatusAccepted {
		t.Fatalf("status %d: %s", status, text)
	}
	return started.JobID
}

// leaveOf is a site with a document about leave in the collection alpha.
func leaveOf(t *testing.T, models *holding) (s *site, base string, kill func()) {
	s = newSite(t, models.URL, "{lease: 2s}")
	base, kill = s.start(t)
	upload := s.upload(t, base, "admin", "alpha", map[string][]byte{"a.md": []byte("Everyone has 27 days of leave a year. Leave is asked for with form 17.")})
	if j := s.until(t, base, "admin", upload, ended); j.Status != "done" {
		t.Fatalf("got %+v", j)
	}
	return s, base, kill
}

// fourQuestions are a list of the lines of a dataset, each with more of it.
func fourQuestions(more string) string {
	var questions []string
	for i := range 4 {
		questions = append(questions, fmt.Sprintf(`{"id":"q%d","question":"How many days of leave has everyone in year %d?","answers":["27"]%s}`, i, i, more))
	}
	return "[" + strings.Join(questions, ",") + "]"
}

// TestAnEvaluationGoesOnWhenTheServerWasKilled kills it while a model is asked, and counts what is asked in all.
func TestAnEvaluationGoesOnWhenTheServerWasKilled(t *testing.T) {
	models := newHolding(t, 5)
	s, base, kill := leaveOf(t, models)
	id := postJob(t, base+"/api/evaluations", s.secret["alpha"], `{"collection":"alpha","questions":`+fourQuestions("")+`,"arms":["plain","grounded","distractor"]}`)
	<-models.stuck
	kill()
	base, _ = s.start(t)
	if j := s.until(t, base, "alpha", id, ended); j.Status != "done" || j.Attempts != 2 {
		t.Fatalf("got %+v", j)
	}
	path := base + "/api/evaluations/" + id
	_, results := call(t, "GET", path+"/results", s.secret["alpha"], "")
	if n := strings.Count(results, "\n"); n != 8 { // distractor applies to questions with evidence
		t.Errorf("%d items: %s", n, results)
	}
	// Up to four are asked at once, so as many may have been cut off.
	if asked := models.count(); asked < 9 || asked > 12 {
		t.Errorf("models were asked %d times", asked)
	}
	if _, text := call(t, "GET", path+"/report?format=html", s.secret["alpha"], ""); !strings.Contains(text, "</html>") {
		t.Errorf("the report is %s", text)
	}
	if status, _ := call(t, "GET", path+"/report", s.secret["beta"], ""); status != http.StatusNotFound {
		t.Errorf("the other tenant is answered %d", status)
	}
}

// TestAJudgingGoesOnWhenTheServerWasKilled does the same to a judge, who prefers what it sees first.
func TestAJudgingGoesOnWhenTheServerWasKilled(t *testing.T) {
	models := newHolding(t, 0)
	s, base, kill := leaveOf(t, models)
	id := postJob(t, base+"/api/evaluations", s.secret["alpha"], `{"collection":"alpha","questions":`+fourQuestions("")+`}`)
	if j := s.until(t, base, "alpha", id, ended); j.Status != "done" {
		t.Fatalf("got %+v", j)
	}
	models.holdNext(5)
	before := models.count()
	judging := postJob(t, base+"/api/evaluations/"+id+"/judge", s.secret["alpha"], `{"judge":"parrot","sentences":false}`)
	<-models.stuck
	kill()
	base, _ = s.start(t)
	if j := s.until(t, base, "alpha", judging, ended); j.Status != "done" || j.Attempts != 2 {
		t.Fatalf("got %+v", j)
	}
	if asked := models.count() - before; asked < 9 || asked > 12 { // four pairs in both orders, and what was cut off
		t.Errorf("the judge was asked %d times", asked)
	}
	path := base + "/api/evaluations/" + id
	if _, text := call(t, "GET", path+"/judgements", s.secret["alpha"], ""); strings.Count(text, "\n") != 8 {
		t.Errorf("the judgements are %s", text)
	}
	if _, text := call(t, "GET", path+"/report?format=markdown", s.secret["alpha"], ""); !strings.Contains(text, "changes with the order") {
		t.Errorf("the report is %s", text)
	}
}

// TestRetrievalIsMeasuredAndTunedByTheServer has the server do what eval retrieval and eval tune do.
func TestRetrievalIsMeasuredAndTunedByTheServer(t *testing.T) {
	models := newHolding(t, 0)
	s, base, _ := leaveOf(t, models)
	more := s.upload(t, base, "admin", "alpha", map[string][]byte{"b.md": []byte("Lunch is paid up to 12 euros.")})
	if j := s.until(t, base, "admin", more, ended); j.Status != "done" {
		t.Fatalf("got %+v", j)
	}
	questions := strings.Replace(fourQuestions(`,"evidence":[{"document":"a.md","page":1}]`), `"document":"a.md"`, `"document":"b.md"`, 1)
	for kind, want := range map[string][]string{
		"retrieval": {`{"level":"document","metric":"recall","k":5,"mean":1,`, `"findings":[]`},
		"tuning":    {`"chosen_by":3,"tested":1,`, `{"mode":"lexical",`, `"better":false,`, `"configuration":"",`},
	} {
		id := postJob(t, base+"/api/evaluations", s.secret["alpha"], `{"kind":"`+kind+`","collection":"alpha","questions":`+questions+`}`)
		if j := s.until(t, base, "alpha", id, ended); j.Status != "done" {
			t.Fatalf("%s: got %+v", kind, j)
		}
		_, text := call(t, "GET", base+"/api/evaluations/"+id+"/report", s.secret["alpha"], "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %s in %s", kind, w, text)
			}
		}
	}
	if models.count() != 0 {
		t.Errorf("a chat model was asked %d times", models.count())
	}
}
