package storetest

import (
	"fmt"

	"grounded/corpus"
	"grounded/store"
)

var documentTests = map[string]func(*fixture){
	"listed by path, then source":                     listOrder,
	"cursors go through all, once each":               cursors,
	"a cursor stays good while documents come and go": cursorsUnderChange,
	"by source, prefix and filter":                    selection,
	"a cursor that was not given out is refused":      badCursor,
}

// from makes the document of another source.
func from(source string, c content) content {
	c.doc.Source = source
	c.doc.ID = corpus.NewDocumentID(c.doc.Collection, source, c.doc.Path)
	for i := range c.chunks {
		c.chunks[i].DocumentID = c.doc.ID
		c.chunks[i].ID = corpus.NewChunkID(c.doc.ID, c.chunks[i].Text, 0)
	}
	return c
}

func (f *fixture) list(q store.DocumentQuery) (all []corpus.Document) {
	f.Helper()
	for calls := 0; ; calls++ {
		docs, next, err := f.Documents(f.ctx(), q)
		f.must("Documents", err)
		all = append(all, docs...)
		if next == "" {
			return all
		}
		if len(docs) == 0 || calls > 1000 {
			f.Fatalf("the cursor leads nowhere after %q", paths(all))
		}
		q.Cursor = next
	}
}

func listOrder(f *fixture) {
	f.create("a")
	f.put(document("a", "b/x.md", "1"), from("zoo", document("a", "a.md", "2")), document("a", "中文.md", "3"),
		from("annex", document("a", "a.md", "4")), document("a", "b.md", "5"), document("a", "B.md", "6"))
	docs, next, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("a")})
	f.must("Documents", err)
	var got []string
	for _, d := range docs {
		got = append(got, d.Path+" "+d.Source)
	}
	f.same("order", got, []string{"B.md handbook", "a.md annex", "a.md zoo", "b.md handbook", "b/x.md handbook", "中文.md handbook"})
	f.same("next", next, "")
}

func cursors(f *fixture) {
	f.create("a")
	var want []string
	for i := range 23 {
		f.put(document("a", fmt.Sprintf("%02d.md", i), "text"), from("other", document("a", fmt.Sprintf("%02d.md", i), "text")))
		want = append(want, fmt.Sprintf("%02d.md", i), fmt.Sprintf("%02d.md", i))
	}
	for _, limit := range []int{1, 7, 23, 45, 46, 47, 0} {
		f.same(fmt.Sprint("documents by ", limit), paths(f.list(store.DocumentQuery{Scope: scope("a"), Limit: limit})), want)
	}
	docs, next, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("a"), Limit: 46})
	f.must("Documents", err)
	if len(docs) != 46 || next != "" {
		f.Errorf("a page that ends with the last document has %d and the cursor %q", len(docs), next)
	}
}

func cursorsUnderChange(f *fixture) {
	f.create("a")
	for _, path := range []string{"b", "d", "f", "h"} {
		f.put(document("a", path, "text"))
	}
	docs, next, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("a"), Limit: 2})
	f.must("Documents", err)
	f.same("first", paths(docs), []string{"b", "d"})
	f.put(document("a", "a", "text"), document("a", "e", "text"), document("a", "z", "text"))
	f.must("Delete", f.Delete(f.ctx(), "a", docs[0].ID, docs[1].ID))
	f.same("rest", paths(f.list(store.DocumentQuery{Scope: scope("a"), Limit: 2, Cursor: next})), []string{"e", "f", "h", "z"})
}

func selection(f *fixture) {
	f.create("a")
	for i, path := range []string{"hr/a.md", "hr/b.md", "hr2/c.md", "it/d.md", "hr"} {
		c := document("a", path, "text")
		c.doc.Metadata = map[string]any{"year": 2020 + i}
		f.put(c)
	}
	f.put(from("other", document("a", "hr/z.md", "text")))
	year := corpus.Filter{{Key: "year", Op: corpus.OpGreaterEqual, Values: []any{2021.0}}}
	for _, q := range []struct {
		query store.DocumentQuery
		want  []string
	}{
		{store.DocumentQuery{Prefix: "hr/"}, []string{"hr/a.md", "hr/b.md", "hr/z.md"}},
		{store.DocumentQuery{Prefix: "hr"}, []string{"hr", "hr/a.md", "hr/b.md", "hr/z.md", "hr2/c.md"}},
		{store.DocumentQuery{Prefix: "x"}, nil},
		{store.DocumentQuery{Source: "other"}, []string{"hr/z.md"}},
		{store.DocumentQuery{Source: "none"}, nil},
		{store.DocumentQuery{Filter: year}, []string{"hr", "hr/b.md", "hr2/c.md", "it/d.md"}},
		{store.DocumentQuery{Filter: year, Prefix: "hr/", Source: "handbook"}, []string{"hr/b.md"}},
	} {
		q.query.Scope, q.query.Limit = scope("a"), 1
		f.same(fmt.Sprintf("documents of %+v", q.query), paths(f.list(q.query)), q.want)
	}
}

func badCursor(f *fixture) {
	f.create("a")
	_, _, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("a"), Cursor: "*nonsense*"})
	f.wantKind("Documents", err, corpus.ErrInvalid)
}
