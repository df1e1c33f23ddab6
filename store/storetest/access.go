package storetest

import (
	"fmt"

	"grounded/corpus"
	"grounded/store"
)

var accessTests = map[string]func(*fixture){
	"what is outside the scope does not exist in any read": hiddenEverywhere,
	"hidden documents don't take places in the ranking":    hiddenTakeNoPlace,
	"a change of groups counts at the next read":           changeOfGroups,
	"groups are compared whole":                            wholeGroups,
}

func groups(names ...string) corpus.Access { return corpus.Access{Groups: names} }

func hiddenEverywhere(f *fixture) {
	f.create("a")
	secret, open := document("a", "secret.md", "the merger plan"), document("a", "open.md", "the lunch plan")
	secret.doc.Groups = []string{"board", "legal"}
	f.put(secret, open)
	for _, who := range []struct {
		access corpus.Access
		sees   bool
	}{{corpus.Access{}, false}, {groups("staff"), false}, {groups("staff", "legal"), true}, {corpus.Access{Unrestricted: true}, true}} {
		in := corpus.Scope{Collection: "a", Access: who.access}
		want := []string{"the lunch plan"}
		if who.sees {
			want = []string{"the lunch plan", "the merger plan"}
		}
		check := func(what string, seen int) {
			f.Helper()
			if (seen > 0) != who.sees {
				f.Errorf("%+v, %s: sees %d of the hidden document", who.access, what, seen)
			}
		}
		for what, q := range map[string]store.Query{
			"dense": {Vector: vectorOf("the merger plan")}, "lexical": {Terms: termsOf("plan merger")},
			"hybrid": {Vector: vectorOf("the merger plan"), Terms: termsOf("plan merger")},
		} {
			q.Scope = in
			found := map[string]bool{}
			for _, h := range f.find(q) {
				found[h.Chunk.Text] = true
			}
			for _, text := range want {
				if !found[text] {
					f.Errorf("%+v, %s: %q is missing", who.access, what, text)
				}
			}
			if len(found) != len(want) {
				f.Errorf("%+v, %s: found %v, want %q", who.access, what, found, want)
			}
		}
		docs, next, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: in, Limit: 1})
		f.must("Documents", err)
		f.same("documents", paths(docs), []string{"open.md"})
		check("cursor", len(next))
		chunks, err := f.Chunks(f.ctx(), in, secret.chunks[0].ID, open.chunks[0].ID)
		f.must("Chunks", err)
		check("Chunks", len(chunks)-1)
		for what, call := range map[string]func() (int, error){
			"Document": func() (int, error) {
				d, err := f.Document(f.ctx(), in, secret.doc.ID)
				return len(d.Title), err
			},
			"Pages": func() (int, error) {
				pages, err := f.Pages(f.ctx(), in, secret.doc.ID, 1, 0)
				return len(pages), err
			},
			"DocumentChunks": func() (int, error) {
				chunks, err := f.DocumentChunks(f.ctx(), in, secret.doc.ID, 0, -1)
				return len(chunks), err
			},
		} {
			n, err := call()
			check(what, n)
			if who.sees {
				f.must(what, err)
			} else {
				f.wantKind(what, err, corpus.ErrNotFound)
			}
		}
	}
	_, hidden := f.Document(f.ctx(), corpus.Scope{Collection: "a"}, secret.doc.ID)
	_, missing := f.Document(f.ctx(), corpus.Scope{Collection: "a"}, open.doc.ID+"x")
	if hidden != nil && missing != nil && len(hidden.Error()) != len(missing.Error())-1 {
		f.Errorf("a hidden document's error %q tells it from a missing one's %q", hidden, missing)
	}
}

func hiddenTakeNoPlace(f *fixture) {
	f.create("a")
	for i := range 300 {
		c := document("a", fmt.Sprintf("hidden%d.md", i), "travel travel travel")
		c.doc.Groups = []string{"board"}
		f.put(c)
	}
	for i := range 5 {
		f.put(document("a", fmt.Sprintf("open%d.md", i), fmt.Sprint("travel in a longer text of the staff ", i)))
	}
	for what, q := range map[string]store.Query{
		"dense": {Vector: vectorOf("travel travel travel")}, "lexical": {Terms: termsOf("travel")},
		"hybrid": {Vector: vectorOf("travel travel travel"), Terms: termsOf("travel")},
	} {
		q.Scope, q.Limit, q.Candidates = corpus.Scope{Collection: "a", Access: groups("staff")}, 5, 5
		if hits := f.find(q); len(hits) != 5 {
			f.Errorf("%s: found %d chunks %q, want 5", what, len(hits), texts(hits))
		}
	}
}

func changeOfGroups(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "some text")
	in := corpus.Scope{Collection: "a", Access: groups("hr")}
	for _, step := range []struct {
		groups []string
		want   int
	}{{nil, 1}, {[]string{"it"}, 0}, {[]string{"it", "hr"}, 1}, {[]string{"h", "r"}, 0}} {
		c.doc.Groups = step.groups
		f.put(c)
		if hits := f.find(store.Query{Scope: in, Vector: vectorOf("some text")}); len(hits) != step.want {
			f.Errorf("groups %q: found %d, want %d", step.groups, len(hits), step.want)
		}
	}
}

func wholeGroups(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "some text")
	c.doc.Groups = []string{"finance"}
	f.put(c)
	for _, name := range []string{"", "fin", "Finance", "finance ", "finance\x00", "%", "*", "finance2"} {
		if hits := f.find(store.Query{Scope: corpus.Scope{Collection: "a", Access: groups(name)}, Terms: termsOf("text")}); len(hits) != 0 {
			f.Errorf("group %q sees what is for finance", name)
		}
	}
}
