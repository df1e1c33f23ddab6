package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/wire"
)

// TestEachFileIsWhatIsSaidOfIt uploads files of a source with paths, metadata and groups of their own.
func TestEachFileIsWhatIsSaidOfIt(t *testing.T) {
	c := open(t, nil)
	body := form("source", "handbook", "groups", "hr", "metadata", `{"title":"All","year":2026}`,
		"document", `{"path":"hr/leave.md","metadata":{"title":"Leave"},"groups":["hr"]}`, "leave.md", "27 days", "plain.md", "text")
	var got wire.Upload
	c.send("POST", "/api/collections/alpha/documents", "hr", body).want(t, http.StatusAccepted).into(t, &got)
	job, err := c.queue.Job(t.Context(), got.JobID)
	if err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(job.Files[0].Name, job.Files[0].Metadata, job.Files[1].Name, job.Files[1].Metadata, string(job.Spec))
	if want := `hr/leave.mdmap[groups:[hr] title:Leave year:2026]plain.mdmap[groups:[hr] title:All year:2026]{"source":"handbook"}`; said != want {
		t.Errorf("the job is\n%s, want\n%s", said, want)
	}
	if id := corpus.NewDocumentID("alpha", "handbook", "hr/leave.md"); got.Documents[0].ID != id || got.Documents[0].Name != "hr/leave.md" {
		t.Errorf("uploaded is %+v, want %s", got.Documents[0], id)
	}
}

func TestWhatIsSaidOfAFileIsChecked(t *testing.T) {
	c := open(t, nil)
	for _, test := range []struct {
		parts  []string
		status int
		want   string
	}{
		{[]string{"document", `{"path":"../a.md"}`, "a.md", "x"}, 400, "a path is like hr/leave.md"},
		{[]string{"document", `{"path":"/etc/a.md"}`, "a.md", "x"}, 400, "a path is like hr/leave.md"},
		{[]string{"document", `{"path":"a.zip!/b.md"}`, "a.md", "x"}, 400, "what is inside of a file"},
		{[]string{"document", `{"path":"` + strings.Repeat("a/", 3000) + `"}`, "a.md", "x"}, 400, "too long"},
		{[]string{"document", `[]`, "a.md", "x"}, 400, "document is no JSON object"},
		{[]string{"document", `{"groups":["board"]}`, "a.md", "x"}, 403, "not in the group"},
		{[]string{"document", `{"groups":[" "]}`, "a.md", "x"}, 400, "empty name"},
		{[]string{"document", `{"metadata":{"groups":["hr"]}}`, "a.md", "x"}, 400, "groups beside the metadata"},
		{[]string{"document", `{}`, "document", `{}`, "a.md", "x"}, 400, "two parts named document"},
		{[]string{"a.md", "x", "document", `{}`}, 400, "no file follows"},
		{[]string{"document", `{"path":"` + strings.Repeat("a", maxDescribed) + `"}`, "a.md", "x"}, 400, "upload fewer files"},
		{[]string{"document", `{"path":"same.md"}`, "a.md", "x", "same.md", "y"}, 400, "two files of this name"},
		{[]string{"document", `{"path":"b.exe"}`, "a.md", "x"}, 415, "not taken here"},
		{[]string{"source", "a/b", "a.md", "x"}, 400, "a source is named like"},
		{[]string{"a.md", "x", "source", "handbook"}, 400, "before the files"},
	} {
		r := c.send("POST", "/api/collections/alpha/documents", "hr", form(test.parts...))
		if r.status != test.status || !strings.Contains(r.body, test.want) {
			t.Errorf("%.80q: status %d: %.300s", test.parts, r.status, r.body)
		}
	}
	if list, _, err := c.queue.Jobs(t.Context(), jobs.Query{}); err != nil || len(list) != 0 {
		t.Errorf("jobs were made: %+v, %v", list, err)
	}
}

// TestOnlyThoseWhoSeeAllSeeWhatCannotBeRead asks with an admin's key, narrowed and not, and with others.
func TestOnlyThoseWhoSeeAllSeeWhatCannotBeRead(t *testing.T) {
	c := open(t, nil)
	if err := c.store.Quarantine(t.Context(), corpus.Quarantined{Collection: "alpha", DocumentID: "d", Source: "docs", Path: "board/sale-of-alpha.pdf", Reason: "It is damaged.", Code: "damaged"}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key    string
		header []string
		status int
	}{{"admin", nil, 200}, {"admin", []string{"Grounded-Groups", "hr"}, 403}, {"hr", nil, 403}, {"reader", nil, 403}, {"tenant", nil, 403}} {
		r := c.send("GET", "/api/collections/alpha/quarantined", test.key, "", test.header...)
		if r.status != test.status || strings.Contains(r.body, "sale-of-alpha") != (test.status == 200) {
			t.Errorf("%s %v: status %d: %s", test.key, test.header, r.status, r.body)
		}
	}
	c.send("GET", "/api/collections/nothing/quarantined", "admin", "").want(t, http.StatusNotFound)
}
