package storetest

import (
	"context"
	"strings"

	"grounded/corpus"
	"grounded/store"
)

var collectionTests = map[string]func(*fixture){
	"creating one again changes nothing":                    createAgain,
	"another embedding is a conflict that names both":       createConflict,
	"a name that is not allowed is refused":                 createInvalid,
	"listed by name":                                        listCollections,
	"counts follow the documents":                           counts,
	"one that is not there is not found, or has nothing":    missingCollection,
	"dropping one removes all in it and nothing of another": drop,
	"a dropped one may come back with another embedding":    comeBack,
}

func createAgain(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "some text"))
	before, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.create("a")
	after, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.same("collection", after, before)
	f.same("embedding", after.Embedding, embedding)
	if after.CreatedAt.IsZero() {
		f.Error("CreatedAt is zero")
	}
}

func createConflict(f *fixture) {
	f.create("a")
	other := embedding
	other.Model = "test/other"
	err := f.CreateCollection(f.ctx(), corpus.Collection{Name: "a", Embedding: other})
	f.wantKind("CreateCollection", err, corpus.ErrConflict)
	for _, e := range []corpus.Embedding{embedding, other} {
		if err != nil && !strings.Contains(err.Error(), e.Fingerprint()) {
			f.Errorf("error does not name %s: %v", e.Fingerprint(), err)
		}
	}
	if err != nil && corpus.HintOf(err) == "" {
		f.Error("error has no hint")
	}
	c, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.same("embedding", c.Embedding, embedding)
}

func createInvalid(f *fixture) {
	for _, name := range []string{"", "a/b", "..", "a b", strings.Repeat("x", 200), "@reindex", "a@b", corpus.Shadow(corpus.Shadow("a"))} {
		err := f.CreateCollection(f.ctx(), corpus.Collection{Name: name, Embedding: embedding})
		f.wantKind("CreateCollection "+name, err, corpus.ErrInvalid)
	}
	err := f.CreateCollection(f.ctx(), corpus.Collection{Name: "a", Embedding: corpus.Embedding{Model: "m"}})
	f.wantKind("CreateCollection without dimensions", err, corpus.ErrInvalid)
}

func listCollections(f *fixture) {
	all, err := f.Collections(f.ctx())
	f.must("Collections", err)
	if len(all) != 0 {
		f.Fatalf("a new store has collections %v", all)
	}
	f.create("b", "人事", "a", "C")
	all, err = f.Collections(f.ctx())
	f.must("Collections", err)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	f.same("names", names, []string{"C", "a", "b", "人事"})
}

func counts(f *fixture) {
	f.create("a", "b")
	want := func(documents, chunks, quarantined int, languages map[string]int) {
		f.Helper()
		c, err := f.Collection(f.ctx(), "a")
		f.must("Collection", err)
		f.same("counts", []int{c.Documents, c.Chunks, c.Quarantined}, []int{documents, chunks, quarantined})
		f.same("languages", c.Languages, languages)
		all, err := f.Collections(f.ctx())
		f.must("Collections", err)
		f.same("first of list", all[0], c)
	}
	want(0, 0, 0, nil)
	x, y := document("a", "x.md", "one", "two", "three"), document("a", "y.md", "four")
	y.chunks[0].Language = "zh"
	f.put(x, y, document("b", "x.md", "elsewhere"))
	want(2, 4, 0, map[string]int{"en": 3, "zh": 1})
	x = document("a", "x.md", "one", "three")
	x.chunks[1].Language = "de"
	f.put(x)
	want(2, 3, 0, map[string]int{"en": 1, "zh": 1, "de": 1})
	f.must("Quarantine", f.Quarantine(f.ctx(), corpus.Quarantined{Collection: "a", DocumentID: "q", Path: "q.pdf"}))
	want(2, 3, 1, map[string]int{"en": 1, "zh": 1, "de": 1})
	f.must("Delete", f.Delete(f.ctx(), "a", y.doc.ID, "q", "not there"))
	want(1, 2, 0, map[string]int{"en": 1, "de": 1})
}

func missingCollection(f *fixture) {
	ctx, c := f.ctx(), document("none", "x.md", "text")
	_, err := f.Collection(ctx, "none")
	f.wantKind("Collection", err, corpus.ErrNotFound)
	f.wantKind("DropCollection", f.DropCollection(ctx, "none"), corpus.ErrNotFound)
	f.wantKind("Replace", f.Replace(ctx, c.doc, c.pages, c.chunks), corpus.ErrNotFound)
	_, err = f.Document(ctx, scope("none"), c.doc.ID)
	f.wantKind("Document", err, corpus.ErrNotFound)
	_, _, err = f.Documents(ctx, store.DocumentQuery{Scope: scope("none")})
	f.wantKind("Documents", err, corpus.ErrNotFound)
	_, err = f.Pages(ctx, scope("none"), c.doc.ID, 1, 0)
	f.wantKind("Pages", err, corpus.ErrNotFound)
	_, err = f.Chunks(ctx, scope("none"), c.chunks[0].ID)
	f.wantKind("Chunks", err, corpus.ErrNotFound)
	_, err = f.DocumentChunks(ctx, scope("none"), c.doc.ID, 0, -1)
	f.wantKind("DocumentChunks", err, corpus.ErrNotFound)
	_, err = f.Search(ctx, store.Query{Scope: scope("none"), Vector: vectorOf("text")})
	f.wantKind("Search", err, corpus.ErrNotFound)
	f.wantKind("PutSource", f.PutSource(ctx, corpus.Source{Collection: "none", Name: "s"}), corpus.ErrNotFound)
	f.wantKind("DeleteSource", f.DeleteSource(ctx, "none", "s"), corpus.ErrNotFound)
	f.wantKind("Quarantine", f.Quarantine(ctx, corpus.Quarantined{Collection: "none", DocumentID: "q"}), corpus.ErrNotFound)

	f.create("some")
	f.wantKind("Swap", f.Swap(ctx, "none", "some"), corpus.ErrNotFound)
	f.wantKind("Swap", f.Swap(ctx, "some", "none"), corpus.ErrNotFound)
	_, err = f.Inspect(ctx, "none", true)
	f.wantKind("Inspect", err, corpus.ErrNotFound)
	f.must("Recover", f.Recover(ctx, "none"))

	f.must("Delete", f.Delete(ctx, "none", c.doc.ID))
	vectors, err := f.Vectors(ctx, "none", []string{c.chunks[0].InputHash()})
	f.must("Vectors", err)
	sources, err := f.Sources(ctx, "none")
	f.must("Sources", err)
	quarantined, err := f.Quarantined(ctx, "none")
	f.must("Quarantined", err)
	if len(vectors)+len(sources)+len(quarantined) != 0 {
		f.Errorf("a collection that is not there has %v, %v, %v", vectors, sources, quarantined)
	}
}

func drop(f *fixture) {
	f.create("a", "b")
	a, b := document("a", "x.md", "the same text"), document("b", "x.md", "the same text")
	f.put(a, b)
	f.must("PutSource", f.PutSource(f.ctx(), corpus.Source{Collection: "a", Name: "s"}))
	f.must("Quarantine", f.Quarantine(f.ctx(), corpus.Quarantined{Collection: "a", DocumentID: "q"}))
	f.find(store.Query{Scope: scope("a"), Vector: vectorOf("the same text")})
	f.must("DropCollection", f.DropCollection(f.ctx(), "a"))
	_, err := f.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: vectorOf("the same text")})
	f.wantKind("Search", err, corpus.ErrNotFound)
	f.create("a")
	c, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.same("counts", []int{c.Documents, c.Chunks, c.Quarantined, len(c.Languages)}, []int{0, 0, 0, 0})
	if hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("the same text"), Terms: termsOf("same")}); len(hits) != 0 {
		f.Errorf("found %v after the collection was dropped", texts(hits))
	}
	vectors, err := f.Vectors(f.ctx(), "a", []string{a.chunks[0].InputHash()})
	f.must("Vectors", err)
	sources, err := f.Sources(f.ctx(), "a")
	f.must("Sources", err)
	if len(vectors)+len(sources) != 0 {
		f.Errorf("vectors %v and sources %v outlived their collection", vectors, sources)
	}
	f.wantStored(b)
	if hits := f.find(store.Query{Scope: scope("b"), Terms: termsOf("same")}); len(hits) != 1 {
		f.Errorf("the other collection finds %v", texts(hits))
	}
}

func comeBack(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "text"))
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("text")})
	f.must("DropCollection", f.DropCollection(f.ctx(), "a"))
	small := corpus.Embedding{Model: "test/small", Dimensions: 2}
	f.must("CreateCollection", f.CreateCollection(context.Background(), corpus.Collection{Name: "a", Embedding: small}))
	d := document("a", "x.md", "text")
	d.doc.EmbeddingFingerprint, d.chunks[0].Vector = small.Fingerprint(), []float32{0, 1}
	f.put(d)
	f.wantStored(d)
	hits := f.find(store.Query{Scope: scope("a"), Vector: []float32{0, 1}})
	f.same("found", texts(hits), []string{"text"})
}
