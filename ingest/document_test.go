package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
)

func TestMetadataBesideADocumentDescribesIt(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.write("a.txt.meta.yaml", "title: Leave\ngroups: [hr, boss]\nreviewed: 2025-03-01\nversion: 3\nowner: {name: Ann}\n")
	w.write("b.txt", note)
	w.write("b.meta.yaml", "groups: hr\n")
	w.ingest(ingest.Request{})
	d := w.document("a.txt")
	want := map[string]any{"title": "Leave", "reviewed": "2025-03-01", "version": 3.0, "owner": map[string]any{"name": "Ann"}}
	if d.Title != "Leave" || !reflect.DeepEqual(d.Groups, []string{"hr", "boss"}) || !reflect.DeepEqual(d.Metadata, want) {
		t.Errorf("title %q, groups %q, metadata %#v", d.Title, d.Groups, d.Metadata)
	}
	if d := w.document("b.txt"); !reflect.DeepEqual(d.Groups, []string{"hr"}) {
		t.Errorf("groups %q", d.Groups)
	}
}

func TestChangedMetadataEmbedsNothing(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.ingest(ingest.Request{})
	w.write("a.txt.meta.yaml", "groups: hr\n")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 1})
	if d := w.document("a.txt"); len(d.Groups) != 1 || w.embedder.calls != 0 {
		t.Errorf("groups %q, %d embedding calls", d.Groups, w.embedder.calls)
	}
	w.remove("a.txt.meta.yaml")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 1})
}

func TestADocumentWhoseGroupsAreNotClearIsNotIndexed(t *testing.T) {
	for _, c := range []struct{ yaml, reason string }{
		{"title: x\ngroups: [hr\n", "line 2"},
		{"groups: 7\n", "groups"},
		{"groups: [hr, 7]\n", "groups"},
		{"groups: []\n", "groups"},
		{"groups:\n", "groups"},
		{"access_groups: {a: b}\n", "access_groups"},
		{"- a\n- b\n", "a.txt.meta.yaml"},
	} {
		w := newWorld(t)
		w.write("a.txt", note)
		w.write("a.txt.meta.yaml", c.yaml)
		for range 2 {
			r := w.ingest(ingest.Request{})
			w.wantCounts(r, ingest.Documents{Quarantined: 1})
			if q := r.Quarantined[0]; q.Code != "metadata" || !strings.Contains(q.Reason, c.reason) {
				t.Errorf("%q: quarantined as %s: %s", c.yaml, q.Code, q.Reason)
			}
		}
		w.wantNames()
		w.write("a.txt.meta.yaml", "groups: hr\n")
		w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	}
}

func TestAFileThatCannotBeReadIsQuarantinedUntilItCan(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.ingest(ingest.Request{})
	w.write("a.txt", " ")
	w.write("b.txt", " ")
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{Quarantined: 2})
	if q := r.Quarantined[0]; q.Document != "a.txt" || q.Code == "" || q.Reason == "" || !q.Stale || r.Quarantined[1].Stale {
		t.Errorf("quarantined are %+v", r.Quarantined)
	}
	w.wantNames("docs:a.txt")

	r = w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 2})
	if w.parser.calls != 0 || !r.Quarantined[0].Stale {
		t.Errorf("%d files were parsed again; %+v", w.parser.calls, r.Quarantined)
	}

	w.write("a.txt", note) // as it was
	w.remove("b.txt")
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Changed: 1, Pruned: 1})
	if q, err := w.store.Quarantined(t.Context(), "c"); err != nil || len(q) != 0 {
		t.Errorf("still quarantined: %+v, %v", q, err)
	}
}

func TestAFileThatChangesDuringTheRunIsReadAgain(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", "The first version.")
	n := 0
	w.parser.before = func(parse.Input) error {
		if n++; n == 1 {
			w.write("a.txt", "The second version.")
		}
		return nil
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	if got := w.chunks("a.txt")[0].Text; got != "The second version." || n != 2 {
		t.Errorf("stored is %q after %d readings", got, n)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
}

func TestAFileThatKeepsChangingIsReported(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", "The first version.")
	n := 0
	w.parser.before = func(parse.Input) error {
		n++
		w.write("a.txt", fmt.Sprintf("Version %d.", n))
		return nil
	}
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 1})
	if r.Quarantined[0].Code != string(parse.Changed) {
		t.Errorf("quarantined as %+v", r.Quarantined[0])
	}
	w.parser.before = nil
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
}

func TestAParserThatCannotStartFailsTheRun(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.parser.before = func(parse.Input) error { return corpus.Errorf(corpus.ErrUnavailable, "no child") }
	if _, err := w.try(t.Context(), ingest.Request{}); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

func TestChunksOfAMixedDocumentHaveTheirOwnLanguages(t *testing.T) {
	w := newWorld(t)
	english := strings.Repeat("The employees of the company have thirty days of leave in each year. ", 30)
	chinese := strings.Repeat("公司的员工每年有三十天的假期。", 20)
	w.write("a.txt", english+"\n\n"+chinese)
	w.ingest(ingest.Request{})
	languages := map[string]bool{}
	for _, c := range w.chunks("a.txt") {
		if isChinese := strings.Contains(c.Text, "员工"); !strings.Contains(c.Text, "company") || !isChinese {
			languages[fmt.Sprint(c.Language, isChinese)] = true
		}
	}
	if d := w.document("a.txt"); d.Language != "en" || len(languages) != 2 || !languages["enfalse"] || !languages["zhtrue"] {
		t.Errorf("document in %q, chunks %v", d.Language, languages)
	}
}

func TestAnEncryptedFileIsTriedAgainWhenThereArePasswords(t *testing.T) {
	w := newWorld(t)
	locked, err := os.ReadFile("../testdata/awkward/needs-password.pdf")
	if err != nil {
		t.Fatal(err)
	}
	w.write("a.pdf", string(locked))
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Quarantined: 1})
	w.config.Passwords = []string{"wrong"}
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{Quarantined: 1})
	if q := r.Quarantined[0]; q.Code != string(parse.Encrypted) || !strings.Contains(q.Reason, "does not open it") {
		t.Errorf("quarantined as %+v", q)
	}
	w.config.Passwords = append(w.config.Passwords, "lighthouse")
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1})
	w.config.Passwords = nil
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 1})
}
