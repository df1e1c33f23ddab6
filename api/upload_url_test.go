package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"grounded/corpus"
	"grounded/ingest/source/web"
	"grounded/jobs"
)

// site is a web server on this machine.
func site(t *testing.T, asked *atomic.Int32) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /leave.html", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<html><head><title>Leave</title></head><body><p>Everyone has 31 days of leave.</p></body></html>")
	})
	mux.HandleFunc("GET /moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/leave.html", http.StatusFound) })
	mux.HandleFunc("GET /secret.html", func(http.ResponseWriter, *http.Request) { t.Error("robots.txt is not heeded") })
	mux.HandleFunc("GET /large.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("leave ", 1<<18)) })
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nDisallow: /secret") })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// byAddress names pages, and returns the job when it has ended.
func (c *company) byAddress(key, body string) jobs.Job {
	c.Helper()
	r := c.send("POST", "/api/collections/alpha/documents", key, body)
	if r.status != http.StatusAccepted {
		c.Fatalf("upload: %d %s", r.status, r.body)
	}
	id := strings.TrimPrefix(r.header.Get("Location"), "/api/jobs/")
	var job jobs.Job
	eventually(c, "the job ends", func() bool {
		var err error
		if job, err = c.queue.Job(c.Context(), id); err != nil {
			c.Fatal(err)
		}
		return job.Status.Ended()
	})
	return job
}

func TestPagesAreIngestedByTheirAddresses(t *testing.T) {
	var asked atomic.Int32
	pages := site(t, &asked)
	c := open(t, func(config *Config) { config.Uploads.Names = nil })
	var err error
	if c.pages, err = web.New(web.Config{AllowPrivate: true, MaxBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	c.work()
	body := `{"urls":["` + pages.URL + `/leave.html"],"groups":["hr"],"metadata":{"department":"hr"}}`
	job := c.byAddress("hr", body)
	if job.Status != jobs.Done || job.Files[0].Outcome.Outcome != "new" {
		t.Fatalf("%s: %+v", job.Status, job.Files)
	}
	var d corpus.Document
	path := "/api/collections/alpha/documents/" + string(job.Files[0].ID)
	c.send("GET", path, "hr", "").want(t, http.StatusOK).into(t, &d)
	if d.Path != pages.URL+"/leave.html" || d.URI != d.Path || d.Title != "Leave" || d.Metadata["department"] != "hr" || fmt.Sprint(d.Groups) != "[hr]" {
		t.Errorf("the document is %+v", d)
	}
	c.send("GET", path, "reader", "").want(t, http.StatusNotFound)
	if job = c.byAddress("hr", body); job.Files[0].Outcome.Outcome != "unchanged" || asked.Load() != 2 {
		t.Errorf("again: %+v", job.Files)
	}
	if job = c.byAddress("hr", strings.Replace(body, `"department":"hr"`, `"department":"board"`, 1)); job.Files[0].Outcome.Outcome != "changed" {
		t.Errorf("with other metadata: %+v", job.Files)
	}

	job = c.byAddress("writer", `{"urls":["`+strings.Join([]string{pages.URL + "/moved?a!/b=e\u0301", pages.URL + "/secret.html", pages.URL + "/large.txt"}, `","`)+`"]}`)
	var outcomes []string
	for _, f := range job.Files {
		outcomes = append(outcomes, f.Outcome.Outcome+" "+f.Code)
	}
	if got := strings.Join(outcomes, ", "); job.Status != jobs.Failed || got != "new , failed forbidden, quarantined too-large" {
		t.Errorf("%s: %s: %+v", job.Status, got, job.Files)
	}
}

func TestAddressesOfThisMachineAreRefused(t *testing.T) {
	var asked atomic.Int32
	pages := site(t, &asked)
	c := open(t, func(config *Config) { config.Uploads.Names = nil })
	var err error
	if c.pages, err = web.New(web.Config{}); err != nil {
		t.Fatal(err)
	}
	c.work()
	for _, address := range []string{pages.URL + "/leave.html", strings.Replace(pages.URL, "127.0.0.1", "localhost", 1) + "/leave.html", "http://[::1]:1/x.html"} {
		job := c.byAddress("writer", `{"urls":["`+address+`"]}`)
		if f := job.Files[0]; job.Status != jobs.Failed || f.Code != "forbidden" || !strings.Contains(f.Reason, "private address") || asked.Load() != 0 {
			t.Errorf("%s: %s: %+v", address, job.Status, f)
		}
	}
}

func TestBadAddressesAreRefusedAtOnce(t *testing.T) {
	c := open(t, nil)
	for _, test := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"urls":[]}`, http.StatusBadRequest, "urls"},
		{`{}`, http.StatusBadRequest, "urls"},
		{`{"urls":["ftp://example.com/a.md"]}`, http.StatusBadRequest, "http"},
		{`{"urls":["file:///etc/passwd"]}`, http.StatusBadRequest, "http"},
		{`{"urls":["https://u:p@example.com/a.md"]}`, http.StatusBadRequest, "password"},
		{`{"urls":["leave.md"]}`, http.StatusBadRequest, "http"},
		{`{"urls":["http://a b/"]}`, http.StatusBadRequest, "address"},
		{`{"urls":["https://example.com/a.md","https://example.com:443/a.md"]}`, http.StatusBadRequest, "two files"},
		{`{"urls":["https://example.com/a.exe"]}`, http.StatusUnsupportedMediaType, "*.md"},
		{`{"urls":["https://example.com/1.md","https://example.com/2.md","https://example.com/3.md","https://example.com/4.md"]}`, http.StatusRequestEntityTooLarge, "more than 3"},
		{`{"urls":["https://example.com/a.md"],"groups":["board"]}`, http.StatusForbidden, "board"},
		{`{"urls":["https://example.com/a.md"],"metadata":{"groups":"hr"}}`, http.StatusBadRequest, "groups"},
	} {
		r := c.send("POST", "/api/collections/alpha/documents", "writer", test.body)
		if r.status != test.status || !strings.Contains(r.body, test.says) {
			t.Errorf("%s: %d %s, want %d and %q", test.body, r.status, r.body, test.status, test.says)
		}
	}
	if found, _, err := c.queue.Jobs(t.Context(), jobs.Query{Limit: 10}); err != nil || len(found) > 0 {
		t.Errorf("there are jobs: %v, %v", found, err)
	}
}
