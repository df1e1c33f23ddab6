package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/jobs"
)

const boundary = "BOUNDARY"

// form is a multipart body of names with contents. A name without a dot is a field's, others are files'.
func form(parts ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(parts); i += 2 {
		disposition := fmt.Sprintf(`name="%s"`, parts[i])
		if strings.Contains(parts[i], ".") {
			disposition = fmt.Sprintf(`name="file"; filename="%s"`, parts[i])
		}
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", boundary, disposition, parts[i+1])
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// job uploads a file with a key, and returns the job's id. No worker does it.
func (c *company) job(collection, key string) string {
	c.Helper()
	r := c.send("POST", "/api/collections/"+collection+"/documents", key, form("leave.md", "27 days"))
	if r.status != http.StatusAccepted {
		c.Fatalf("upload: %d %s", r.status, r.body)
	}
	return strings.TrimPrefix(r.header.Get("Location"), "/api/jobs/")
}

// cancelled is a job that has ended.
func (c *company) cancelled(collection, key string) string {
	c.Helper()
	id := c.job(collection, key)
	if _, err := c.queue.Cancel(c.Context(), id); err != nil {
		c.Fatal(err)
	}
	return id
}

func TestAnUploadBecomesAJob(t *testing.T) {
	c := open(t, nil)
	body := form("groups", " hr ", "metadata", `{"title":"Leave"}`, "leave.md", "27 days", "员工手册.md", "年假")
	var got struct {
		JobID     string `json:"job_id"`
		Documents []struct {
			ID, Document, SHA256 string
			Bytes                int
		}
	}
	c.send("POST", "/api/collections/alpha/documents", "hr", body).want(t, http.StatusAccepted).into(t, &got)
	job, err := c.queue.Job(t.Context(), got.JobID)
	if err != nil || len(got.Documents) != 2 || got.Documents[1].Document != "员工手册.md" || got.Documents[1].Bytes != 6 ||
		got.Documents[0].ID != string(corpus.NewDocumentID("alpha", "uploads", "leave.md")) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if f := job.Files[0]; job.Owner != "hr" || job.Access.Unrestricted || fmt.Sprint(job.Access.Groups, f.Metadata) != "[hr] map[groups:[hr] title:Leave]" || f.SHA256 != got.Documents[0].SHA256 {
		t.Errorf("the job is %+v", job)
	}
	path := filepath.Join(t.TempDir(), "content")
	if err := c.queue.Place(t.Context(), job, 1, path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "年假" {
		t.Errorf("kept is %q, %v", text, err)
	}
}

func TestUploadsThatAreRefusedLeaveNothing(t *testing.T) {
	for _, test := range []struct {
		name, body, code, want string
		status                 int
	}{
		{"no file", form("groups", "hr"), "invalid", "at least one part named file", 400},
		{"no name", strings.Replace(form("a.md", "x"), `; filename="a.md"`, "", 1), "invalid", "it has no name", 400},
		{"a path", form("../a.md", "x"), "invalid", "a path is no name", 400},
		{"a folder", form(`a/b.md`, "x"), "invalid", "a path is no name", 400},
		{"twice the same", form("a.md", "x", "a.md", "y"), "invalid", "two files of this name", 400},
		{"another part", form("b.md", "x", "files", "y"), "invalid", `there is a part named \"files\"`, 400},
		{"a field behind", form("a.md", "x", "groups", "hr"), "invalid", "send it before the files", 400},
		{"no object", form("metadata", "[1]", "a.md", "x"), "invalid", "metadata is no JSON object", 400},
		{"null", form("metadata", "null", "a.md", "x"), "invalid", "metadata is no JSON object", 400},
		{"groups in the metadata", form("metadata", `{"access_groups":["board"]}`, "a.md", "x"), "invalid", "a part named groups", 400},
		{"an empty group", form("groups", "hr,,", "a.md", "x"), "invalid", "empty name", 400},
		{"a group of others", form("groups", "hr, board", "a.md", "x"), "forbidden", `not in the group \"board\"`, 403},
		{"a type", form("a.md", "x", "a.exe", "x"), "unsupported_media_type", "jobs.names", 415},
		{"a large file", form("a.md", strings.Repeat("x", 1<<20+1)), "too_large", "more than 1 MB", 413},
		{"large in all", form("a.md", strings.Repeat("x", 1<<20), "b.md", strings.Repeat("x", 1<<20), "c.md", "x"), "too_large", "more than 2 MB together", 413},
		{"many", form("a.md", "", "b.md", "", "c.md", "", "d.md", ""), "too_large", "more than 3 files", 413},
		{"large fields", form("metadata", `{"a":"`+strings.Repeat("x", maxFields)+`"}`, "a.md", "x"), "too_large", "more than 65536 bytes", 413},
		{"cut off", strings.TrimSuffix(form("a.md", "x", "b.md", "y"), "\r\n--BOUNDARY--\r\n"), "invalid", "broke off", 400},
		{"JSON", `{"file":"x"}`, "invalid", "urls is not valid", 400},
		{"nothing", "", "unsupported_media_type", "multipart/form-data", 415},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, nil)
			r := c.send("POST", "/api/collections/alpha/documents", "hr", test.body).want(t, test.status)
			if !strings.Contains(r.body, test.want) || !strings.Contains(r.body, `"code":"`+test.code+`"`) {
				t.Errorf("got %s", r.body)
			}
			if list, _, err := c.queue.Jobs(t.Context(), jobs.Query{}); err != nil || len(list) > 0 {
				t.Errorf("there are jobs: %v, %v", list, err)
			}
			if kept, err := filepath.Glob(filepath.Join(c.uploads, "*")); err != nil || len(kept) > 0 {
				t.Errorf("it left %v, %v", kept, err)
			}
		})
	}
}

func TestAnUploadSentAgainIsTheSameJob(t *testing.T) {
	c := open(t, nil)
	send := func(key, body string, extra ...string) reply {
		return c.send("POST", "/api/collections/alpha/documents", key, body, append(extra, "Idempotency-Key", "k1")...)
	}
	first := send("hr", form("a.md", "x")).want(t, http.StatusAccepted)
	if again := send("hr", form("a.md", "x")).want(t, http.StatusAccepted); again.body != first.body {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	send("hr", form("a.md", "other")).want(t, http.StatusConflict)
	send("hr", form("a.md", "x"), groupsHeader, "it").want(t, http.StatusConflict) // another user of the same frontend
	if other := send("admin", form("a.md", "x")).want(t, http.StatusAccepted); other.body == first.body {
		t.Error("two keys have one job")
	}
	c.send("POST", "/api/collections/alpha/documents", "hr", form("a.md", "x"), "Idempotency-Key", strings.Repeat("k", 256)).want(t, http.StatusBadRequest)
}

func TestOnlyAnAdminMakesACollectionByAnUpload(t *testing.T) {
	c := open(t, func(config *Config) {
		for i := range config.Keys {
			if config.Keys[i].Name == "hr" {
				config.Keys[i].Collections = []string{AllCollections}
			}
		}
	})
	c.send("POST", "/api/collections/new/documents", "hr", form("a.md", "x")).want(t, http.StatusNotFound)
	c.send("POST", "/api/collections/new/documents", "admin", form("a.md", "x")).want(t, http.StatusAccepted)
}

// TestAnUploadIsNotHeldInMemory sends more than the limit of other requests, and looks at the heap on the way.
func TestAnUploadIsNotHeldInMemory(t *testing.T) {
	const size, most = 256 << 20, 32 << 20
	c := open(t, func(config *Config) { config.Uploads = jobs.Limits{}; config.MaxBody = 1 << 10 })
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	head, tail, _ := strings.Cut(form("a.md", "CONTENT"), "CONTENT")
	grown := uint64(0)
	piece, sent := bytes.Repeat([]byte("x"), 1<<20), 0
	content := readerFunc(func(p []byte) (int, error) {
		if sent == size {
			return 0, io.EOF
		}
		if sent%(32<<20) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			grown = max(grown, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		}
		n := copy(p, piece[:min(len(piece), 32<<20-sent%(32<<20))])
		sent += n
		return n, nil
	})
	r, err := http.NewRequestWithContext(t.Context(), "POST", c.http.URL+"/api/collections/alpha/documents", io.MultiReader(strings.NewReader(head), content, strings.NewReader(tail)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	r.Header.Set("Authorization", "Bearer "+c.secret["hr"])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusAccepted || !strings.Contains(string(text), fmt.Sprint(size)) {
		t.Errorf("status %d: %s", response.StatusCode, text)
	}
	if grown > most {
		t.Errorf("the heap grew by %d bytes for an upload of %d", grown, size)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTheReasonsOfAFailedJobTellNothingOfWhatIsInside(t *testing.T) {
	c := open(t, nil)
	id := c.job("alpha", "hr")
	lease, err := c.queue.Claim(t.Context(), jobs.Claimant{Worker: "w", Kinds: []string{jobs.KindIngest}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.queue.End(t.Context(), lease, jobs.Failed, "ask http://10.1.2.3/v1: no route"); err != nil {
		t.Fatal(err)
	}
	for key, inside := range map[string]bool{"hr": false, "admin": true} {
		for _, path := range []string{"/api/jobs", "/api/jobs/" + id, "/api/jobs/" + id + "/events"} {
			if r := c.send("GET", path, key, "").want(t, http.StatusOK); strings.Contains(r.body, "10.1.2.3") != inside || !strings.Contains(r.body, `"error":"`) {
				t.Errorf("%s is told by %s: %s", key, path, r.body)
			}
		}
	}
}

func TestJobsAreListedInParts(t *testing.T) {
	c := open(t, nil)
	want := []string{c.job("alpha", "hr"), c.job("alpha", "hr"), c.job("alpha", "hr")}
	c.job("beta", "tenant")
	var got []string
	for next := ""; ; {
		var list struct {
			Data []jobs.Job
			Next *string
		}
		c.send("GET", "/api/jobs?limit=2&cursor="+next, "hr", "").want(t, http.StatusOK).into(t, &list)
		for _, j := range list.Data {
			got = append([]string{j.ID}, got...)
		}
		if list.Next == nil {
			break
		}
		next = *list.Next
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	c.send("GET", "/api/jobs?cursor=x", "hr", "").want(t, http.StatusBadRequest)
	c.send("GET", "/api/jobs?status=finished", "hr", "").want(t, http.StatusBadRequest)
}

func TestEventsOfAJobEndWhenTheServerIsStopped(t *testing.T) {
	c := open(t, func(config *Config) { config.Grace = time.Hour })
	id := c.job("alpha", "hr")
	address, stop, ended := running(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/api/jobs/"+id+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.secret["hr"])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	if lines.Scan(); lines.Text() != "event: job" {
		t.Errorf("it begins with %q", lines.Text())
	}
	stop()
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.Contains(last, `"code":"stopping"`) {
		t.Errorf("it ends with %q", last)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
