package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"grounded/corpus"
)

// ask are the requests of every route that can show or touch stored text, aimed at a collection and a document in it.
func ask(c *company, collection, path, word string) map[string][]string {
	document := "/api/collections/" + collection + "/documents/" + id(collection, path)
	chat := fmt.Sprintf(`"messages":[{"role":"user","content":"The word is %s"}],"collection":%q`, word, collection)
	question := fmt.Sprintf(`"question":"The word is %s","collection":%q`, word, collection)
	return map[string][]string{
		"chat":           {"POST", "/v1/chat/completions", `{"model":"parrot+rag",` + chat + `}`},
		"chat stream":    {"POST", "/v1/chat/completions", `{"model":"parrot+rag","stream":true,` + chat + `}`},
		"azure":          {"POST", "/v1/chat/completions", `{"model":"parrot","messages":[{"role":"user","content":"` + word + `"}],"data_sources":[{"parameters":{"index_name":"` + collection + `"}}]}`},
		"completions":    {"POST", "/v1/completions", `{"model":"parrot+rag","prompt":"The word is ` + word + `","collection":"` + collection + `"}`},
		"responses":      {"POST", "/v1/responses", `{"model":"parrot+rag","input":"The word is ` + word + `","collection":"` + collection + `"}`},
		"dify":           {"POST", "/retrieval", `{"query":"` + word + `","knowledge_id":"` + collection + `"}`},
		"retrieve":       {"POST", "/api/retrieve", `{` + question + `,"top_k":1000}`},
		"lexical":        {"POST", "/api/retrieve", `{` + question + `,"mode":"lexical"}`},
		"filtered":       {"POST", "/api/retrieve", `{` + question + `,"filter":{"document":"` + path + `"}}`},
		"answer":         {"POST", "/api/answer", `{` + question + `}`},
		"answer stream":  {"POST", "/api/answer", `{` + question + `,"stream":true}`},
		"compare":        {"POST", "/api/compare", `{` + question + `,"models":["parrot"]}`},
		"compare stream": {"POST", "/api/compare", `{` + question + `,"models":["parrot"],"stream":true}`},
		"collections":    {"GET", "/api/collections", ""},
		"collection":     {"GET", "/api/collections/" + collection, ""},
		"documents":      {"GET", "/api/collections/" + collection + "/documents", ""},
		"document":       {"GET", document, ""},
		"pages":          {"GET", document + "/pages", ""},
		"chunks":         {"GET", document + "/chunks", ""},
		"chunk":          {"GET", "/api/collections/" + collection + "/chunks/" + c.chunk(collection, path), ""},
		"delete":         {"DELETE", document, ""},
		"delete some":    {"POST", "/api/collections/" + collection + "/documents/delete", `{"filter":{"document":"` + path + `"},"confirm":1}`},
	}
}

// TestWhatAKeyMayNotSeeDoesNotExist asks every route for text of another tenant, and of a group that the key is not in.
func TestWhatAKeyMayNotSeeDoesNotExist(t *testing.T) {
	for _, test := range []struct{ name, key, groups, collection, path, word string }{
		{"another tenant's collection", "tenant", "", "alpha", "leave.md", canaryPublic},
		{"another tenant's, with a group of its own there", "tenant", "", "alpha", "hr/salaries.md", canaryHR},
		{"another tenant's, from the other side", "hr", "", "beta", "plans.md", canaryBeta},
		{"a group", "reader", "", "alpha", "hr/salaries.md", canaryHR},
		{"another group", "hr", "", "alpha", "board/minutes.md", canaryBoard},
		{"a group that the key has, narrowed away", "hr", "it", "alpha", "hr/salaries.md", canaryHR},
		{"a group that the header claims", "hr", "board", "alpha", "board/minutes.md", canaryBoard},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, nil)
			for name, request := range ask(c, test.collection, test.path, test.word) {
				var extra []string
				if test.groups != "" {
					extra = []string{groupsHeader, test.groups}
				}
				r := c.send(request[0], request[1], test.key, request[2], extra...)
				// The question itself comes back; a word that stands beside the canary in the document must not.
				told := strings.ReplaceAll(r.body, "The word is "+test.word, "")
				told = strings.ReplaceAll(told, `"question":"`+test.word, "")
				if strings.Contains(told, test.word) || strings.Contains(r.body, "About "+test.path) || strings.Contains(r.body, id(test.collection, test.path)) && !strings.Contains(name, "document") && r.status != http.StatusNotFound {
					t.Errorf("%s shows it: %s", name, r.body)
				}
				if r.status >= 500 {
					t.Errorf("%s: %d %s", name, r.status, r.body)
				}
			}
			scope := corpus.Scope{Collection: test.collection, Access: corpus.Access{Unrestricted: true}}
			if _, err := c.store.Document(t.Context(), scope, corpus.DocumentID(id(test.collection, test.path))); err != nil {
				t.Errorf("it was deleted: %v", err)
			}
		})
	}
}

// TestEachOfTheseRequestsShowsTheTextToWhoMaySeeIt keeps the test above from passing because its requests are wrong.
func TestEachOfTheseRequestsShowsTheTextToWhoMaySeeIt(t *testing.T) {
	for name := range ask(open(t, nil), "alpha", "hr/salaries.md", canaryHR) {
		c := open(t, nil)
		request := ask(c, "alpha", "hr/salaries.md", canaryHR)[name]
		r := c.send(request[0], request[1], "hr", request[2]).want(t, http.StatusOK)
		shown := strings.Contains(r.body, "70000") || strings.Contains(r.body, "About hr/salaries.md") || strings.Contains(r.body, id("alpha", "hr/salaries.md"))
		if !shown && !strings.HasPrefix(name, "collection") {
			t.Errorf("%s does not: %s", name, r.body)
		}
	}
}

// TestJobsAreSeenByThoseWhoseTheyAre asks every route of jobs with every key.
func TestJobsAreSeenByThoseWhoseTheyAre(t *testing.T) {
	for _, test := range []struct {
		name, collection, submitter, key string
		groups                           []string
		seen                             bool
	}{
		{"its own", "alpha", "hr", "hr", nil, true},
		{"of another tenant", "alpha", "hr", "tenant", nil, false},
		{"of another tenant, from the other side", "beta", "tenant", "hr", nil, false},
		{"of another key", "alpha", "hr", "writer", nil, false},
		{"of another key that has all of its groups", "alpha", "writer", "hr", nil, false},
		{"narrowed to other groups", "alpha", "hr", "hr", []string{groupsHeader, "it"}, false},
		{"narrowed to its groups", "alpha", "hr", "hr", []string{groupsHeader, "hr"}, true},
		{"an admin", "beta", "tenant", "admin", nil, true},
		{"of an admin", "alpha", "admin", "hr", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, nil)
			running, ended := c.job(test.collection, test.submitter), c.cancelled(test.collection, test.submitter)
			status := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[test.seen]
			list := c.send("GET", "/api/jobs", test.key, "", test.groups...).want(t, http.StatusOK)
			if strings.Contains(list.body, running) != test.seen || strings.Contains(list.body, ended) != test.seen || !test.seen && !strings.Contains(list.body, `"data":[],"next":null`) {
				t.Errorf("list: %s", list.body)
			}
			c.send("GET", "/api/jobs/"+running, test.key, "", test.groups...).want(t, status)
			events := c.send("GET", "/api/jobs/"+ended+"/events", test.key, "", test.groups...).want(t, status)
			if strings.Contains(events.body, "event: done") != test.seen {
				t.Errorf("events: %s", events.body)
			}
			if test.key != "reader-of-all" { // it may not write
				c.send("POST", "/api/jobs/"+running+"/cancel", test.key, "", test.groups...).want(t, status)
			}
			if j, err := c.queue.Job(t.Context(), running); err != nil || (j.Status == "cancelled") != (test.seen) {
				t.Errorf("it is %s, %v", j.Status, err)
			}
		})
	}
}

// TestAHiddenThingIsToldAsOneThatIsNotThere compares what is answered, but for the names in it.
func TestAHiddenThingIsToldAsOneThatIsNotThere(t *testing.T) {
	c := open(t, nil)
	other := "0" + id("alpha", "board/minutes.md")[1:]
	for _, test := range []struct{ name, method, hidden, absent, body string }{
		{"collection", "GET", "/api/collections/beta", "/api/collections/none", ""},
		{"its documents", "GET", "/api/collections/beta/documents", "/api/collections/none/documents", ""},
		{"its chunks", "GET", "/api/collections/beta/chunks/x", "/api/collections/none/chunks/x", ""},
		{"document", "GET", "/api/collections/alpha/documents/" + id("alpha", "board/minutes.md"), "/api/collections/alpha/documents/" + other, ""},
		{"pages", "GET", "/api/collections/alpha/documents/" + id("alpha", "board/minutes.md") + "/pages", "/api/collections/alpha/documents/" + other + "/pages", ""},
		{"upload", "POST", "/api/collections/beta/documents", "/api/collections/none/documents", form("a.md", "text")},
		{"job", "GET", "/api/jobs/JOB", "/api/jobs/none", ""},
		{"events", "GET", "/api/jobs/JOB/events", "/api/jobs/none/events", ""},
		{"cancel", "POST", "/api/jobs/JOB/cancel", "/api/jobs/none/cancel", ""},
		{"shadow", "GET", "/api/collections/" + corpus.Shadow("alpha"), "/api/collections/none", ""},
		{"question", "POST", "/api/answer", "/api/answer", `{"question":"x","collection":"NAME"}`},
		{"search", "POST", "/api/retrieve", "/api/retrieve", `{"question":"x","collection":"NAME"}`},
		{"Dify", "POST", "/retrieval", "/retrieval", `{"query":"x","knowledge_id":"NAME"}`},
		{"chat", "POST", "/v1/chat/completions", "/v1/chat/completions", `{"model":"parrot+rag","messages":[{"role":"user","content":"x"}],"collection":"NAME"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			same, job := requestIDHeader, c.job("beta", "tenant")
			a := c.send(test.method, strings.ReplaceAll(test.hidden, "JOB", job), "hr", strings.ReplaceAll(test.body, "NAME", "beta"), same, "r").want(t, http.StatusNotFound)
			b := c.send(test.method, test.absent, "hr", strings.ReplaceAll(test.body, "NAME", "none"), same, "r").want(t, http.StatusNotFound)
			plain := strings.NewReplacer(job, "N", "beta", "N", "none", "N", corpus.Shadow("alpha"), "N", id("alpha", "board/minutes.md"), "D", other, "D")
			if x, y := plain.Replace(a.body), plain.Replace(b.body); x != y {
				t.Errorf("hidden: %s\nabsent: %s", x, y)
			}
		})
	}
}

func TestCountsAreOfWhatTheKeySees(t *testing.T) {
	c := open(t, nil)
	for key, want := range map[string]string{"reader": `"documents":1,"chunks":2,"quarantined":null,"languages":null`, "hr": `"documents":2,"chunks":3,"quarantined":null`, "admin": `"documents":3,"chunks":4,"quarantined":0,"languages":{"en":4}`} {
		for _, path := range []string{"/api/collections", "/api/collections/alpha"} {
			if r := c.send("GET", path, key, "").want(t, http.StatusOK); !strings.Contains(r.body, want) || strings.Contains(r.body, "@reindex") {
				t.Errorf("%s, %s: %s, want %s", key, path, r.body, want)
			}
		}
	}
	if r := c.send("GET", "/api/collections", "tenant", ""); strings.Contains(r.body, "alpha") {
		t.Errorf("the tenant sees %s", r.body)
	}
}

func TestScopesAreNeeded(t *testing.T) {
	c := open(t, nil)
	document := "/api/collections/alpha/documents/" + id("alpha", "leave.md")
	c.send("DELETE", document, "reader", "").want(t, http.StatusForbidden)
	c.send("POST", "/api/collections/alpha/documents", "reader", form("a.md", "text")).want(t, http.StatusForbidden)
	c.send("POST", "/api/jobs/x/cancel", "reader", "").want(t, http.StatusForbidden)
	c.send("DELETE", "/api/collections/alpha?confirm=alpha", "hr", "").want(t, http.StatusForbidden)
	c.send("POST", "/api/collections", "hr", `{"name":"x"}`).want(t, http.StatusForbidden)
	c.send("DELETE", "/api/collections/alpha", "admin", "").want(t, http.StatusBadRequest)
	c.send("DELETE", document, "hr", "").want(t, http.StatusOK)
	c.send("GET", document, "hr", "").want(t, http.StatusNotFound)
	c.send("POST", "/api/collections/alpha/documents/delete", "hr", `{"filter":{"document":"hr/salaries.md"},"confirm":0}`).want(t, http.StatusBadRequest)
	c.send("POST", "/api/collections/alpha/documents/delete", "hr", `{"confirm":2}`).want(t, http.StatusBadRequest)
	c.send("POST", "/api/collections/alpha/documents/delete", "hr", `{"filter":{"document":"hr/salaries.md"},"confirm":1}`).want(t, http.StatusOK)
}
