package api

import (
	"net/http"
	"strings"
	"testing"

	"grounded/corpus"
)

// TestASourceHasOneRoot uploads to sources that are of a folder, of a folder at the server, and of nobody yet.
func TestASourceHasOneRoot(t *testing.T) {
	c := open(t, nil)
	for name, root := range map[string]string{"handbook": "upload://ann:/handbook", "loose": "upload://loose", "local": "/srv/local"} {
		if err := c.store.PutSource(t.Context(), corpus.Source{Collection: "alpha", Name: name, Root: root}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		parts  []string
		status int
		want   string
	}{
		{[]string{"source", "handbook", "root", "ann:/handbook"}, 202, ""},
		{[]string{"source", "handbook"}, 202, ""},
		{[]string{"root", "bob:/handbook", "source", "handbook"}, 409, "--source NAME"},
		{[]string{"source", "handbook", "root", "bob:/handbook", "moved", "false"}, 409, "--moved"},
		{[]string{"source", "handbook", "root", "bob:/handbook", "moved", "true"}, 202, ""},
		{[]string{"source", "loose", "root", "bob:/loose"}, 202, ""},
		{[]string{"source", "new", "root", "bob:/new"}, 202, ""},
		{[]string{"source", "local", "root", "bob:/srv/local", "moved", "true"}, 409, "by the server itself"},
		{[]string{"source", "local"}, 409, "by the server itself"},
		{[]string{"source", "new", "moved", "true"}, 400, "moved without root"},
		{[]string{"source", "new", "root", "a", "moved", "yes"}, 400, "true or false"},
		{[]string{"source", "new", "root", strings.Repeat("a", 5000)}, 400, "a root is like"},
		{[]string{"source", "new", "root", "a\x00"}, 400, "a root is like"},
	} {
		r := c.send("POST", "/api/collections/alpha/documents", "hr", form(append(test.parts, "a.md", "x")...))
		if r.status != test.status || !strings.Contains(r.body, test.want) || strings.Contains(r.body, "ann:") || strings.Contains(r.body, "/srv") {
			t.Errorf("%.80q: status %d: %.300s", test.parts, r.status, r.body)
		}
	}
	c.send("POST", "/api/collections/alpha/documents", "hr", form("a.md", "x", "root", "ann:/handbook")).want(t, http.StatusBadRequest)
}
