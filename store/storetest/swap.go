package storetest

import (
	"fmt"

	"grounded/corpus"
	"grounded/store"
)

var swapTests = map[string]func(*fixture){
	"a shadow is a collection of its own":               swapShadow,
	"swapping exchanges all that both have":             swapAll,
	"swapping back and forth is seen by each query":     swapAgain,
	"a writer with the former embedding is refused":     swapWriter,
	"a query finds one of both forms, whole":            swapUnderQueries,
	"another handle sees a swap at its next query":      swapSeen,
	"a dropped shadow leaves the collection as it is":   swapDrop,
	"a sound collection has no faults, with repair too": inspectSound,
	"recovering a sound collection changes nothing":     recoverSound,
	"a collection can't be swapped with itself":         swapSelf,
}

// small is the embedding of the suite's shadows.
var small = corpus.Embedding{Model: "test/small", Dimensions: 2, Normalised: true}

// shadow makes the shadow of collection a, with the documents as they are under the embedding small. What a
// document of the shadow is found by is the vector (1, 0).
func (f *fixture) shadow(contents ...content) (under []content) {
	f.Helper()
	f.must("CreateCollection", f.CreateCollection(f.ctx(), corpus.Collection{Name: corpus.Shadow("a"), Embedding: small}))
	for _, c := range contents {
		c.doc.Collection, c.doc.EmbeddingFingerprint = corpus.Shadow("a"), small.Fingerprint()
		chunks := append([]corpus.EmbeddedChunk(nil), c.chunks...)
		for i := range chunks {
			chunks[i].Vector = []float32{1, 0}
		}
		c.chunks = chunks
		f.put(c)
		under = append(under, c)
	}
	return under
}

// in is a document as it reads under another collection's name.
func (c content) in(collection string) content {
	c.doc.Collection = collection
	return c
}

func swapShadow(f *fixture) {
	f.create("a")
	x := document("a", "x.md", "some text")
	f.put(x)
	under := f.shadow(x)[0]
	f.wantStored(x)
	f.wantStored(under)
	all, err := f.Collections(f.ctx())
	f.must("Collections", err)
	if len(all) != 2 || all[0].Name != "a" || all[1].Name != corpus.Shadow("a") || !corpus.IsShadow(all[1].Name) || corpus.IsShadow("a") {
		f.Errorf("collections are %+v", all)
	}
}

func swapAll(f *fixture) {
	f.create("a")
	x, y := document("a", "x.md", "the old text", "more of it"), document("a", "y.md", "only in the new")
	f.put(x)
	under := f.shadow(y)[0]
	f.must("PutSource", f.PutSource(f.ctx(), corpus.Source{Collection: "a", Name: "handbook", Root: "/old", UsedAt: day}))
	f.must("PutSource", f.PutSource(f.ctx(), corpus.Source{Collection: corpus.Shadow("a"), Name: "handbook", Root: "/new", UsedAt: day}))
	f.must("Quarantine", f.Quarantine(f.ctx(), bad("q.pdf")))
	f.find(store.Query{Scope: scope("a"), Vector: vectorOf("the old text")})
	f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))

	f.wantStored(under.in("a"))
	f.wantStored(x.in(corpus.Shadow("a")))
	f.same("found", texts(f.find(store.Query{Scope: scope("a"), Vector: []float32{1, 0}, Terms: termsOf("only")})), []string{"only in the new"})
	f.same("found by terms of the old", texts(f.find(store.Query{Scope: scope("a"), Terms: termsOf("old")})), []string{})
	f.same("found in the shadow", texts(f.find(store.Query{Scope: scope(corpus.Shadow("a")), Vector: vectorOf("more of it"), Limit: 1})), []string{"more of it"})
	c, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.same("embedding", c.Embedding, small)
	f.same("counts", []int{c.Documents, c.Chunks, c.Quarantined}, []int{1, 1, 0})
	for name, root := range map[string]string{"a": "/new", corpus.Shadow("a"): "/old"} {
		got, err := f.Sources(f.ctx(), name)
		f.must("Sources", err)
		f.same("sources of "+name, got, []corpus.Source{{Collection: name, Name: "handbook", Root: root, UsedAt: day}})
	}
	f.wantQuarantined()
	vectors, err := f.Vectors(f.ctx(), "a", []string{y.chunks[0].InputHash(), x.chunks[0].InputHash()})
	f.must("Vectors", err)
	f.same("vectors", vectors, map[string][]float32{y.chunks[0].InputHash(): {1, 0}})
	f.must("Check", f.Check(f.ctx()))
}

func swapAgain(f *fixture) {
	f.create("a")
	x := document("a", "x.md", "word")
	f.put(x)
	f.shadow(x)
	for i := range 6 {
		query := store.Query{Scope: scope("a"), Vector: vectorOf("word")}
		if i%2 == 1 {
			query.Vector = []float32{1, 0}
		}
		if hits := f.find(query); len(hits) != i+1 {
			f.Fatalf("after %d swaps %q are found, want %d chunks", i, texts(hits), i+1)
		}
		f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
		// Both forms get one more document, so that what was known of either is old when it comes back.
		more := document("a", fmt.Sprint(i), fmt.Sprint("number", i))
		tiny := more
		tiny.doc.EmbeddingFingerprint = small.Fingerprint()
		tiny.chunks = append([]corpus.EmbeddedChunk(nil), more.chunks...)
		tiny.chunks[0].Vector = []float32{0, 1}
		if i%2 == 0 {
			f.put(tiny.in("a"), more.in(corpus.Shadow("a")))
		} else {
			f.put(more.in("a"), tiny.in(corpus.Shadow("a")))
		}
	}
}

func swapWriter(f *fixture) {
	f.create("a")
	x := document("a", "x.md", "text")
	f.put(x)
	under := f.shadow(x)[0]
	f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
	changed := document("a", "x.md", "another text")
	f.wantKind("Replace", f.Replace(f.ctx(), changed.doc, changed.pages, changed.chunks), corpus.ErrConflict)
	f.wantStored(under.in("a"))
}

func swapUnderQueries(f *fixture) {
	f.create("a")
	var contents []content
	for i := range 30 {
		contents = append(contents, document("a", fmt.Sprint(i), fmt.Sprint("shared number", i)))
	}
	f.put(contents...)
	f.shadow(contents[:20]...)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			hits, err := f.Search(f.ctx(), store.Query{Scope: scope("a"), Terms: termsOf("shared"), Limit: 100})
			if err != nil || len(hits) != 30 && len(hits) != 20 {
				f.Errorf("found %d chunks, error %v; want 30 or 20", len(hits), err)
				return
			}
			docs, _, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("a")})
			if err != nil || len(docs) != 30 && len(docs) != 20 {
				f.Errorf("listed %d documents, error %v; want 30 or 20", len(docs), err)
				return
			}
		}
	}()
	for range 20 {
		f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
	}
	close(stop)
	<-ended
}

func swapSeen(f *fixture) {
	f.create("a")
	other := f.second()
	x, y := document("a", "x.md", "old"), document("a", "y.md", "new")
	f.put(x)
	f.shadow(y)
	for i := range 4 {
		hits, err := other.Search(f.ctx(), store.Query{Scope: scope("a"), Terms: termsOf("old new")})
		f.must("Search", err)
		f.same("found by the other handle", texts(hits), []string{[]string{"old", "new"}[i%2]})
		f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
	}
}

func swapDrop(f *fixture) {
	f.create("a")
	x := document("a", "x.md", "text")
	f.put(x)
	under := f.shadow(x)[0]
	f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
	f.must("DropCollection", f.DropCollection(f.ctx(), corpus.Shadow("a")))
	f.wantStored(under.in("a"))
	f.same("found", texts(f.find(store.Query{Scope: scope("a"), Vector: []float32{1, 0}})), []string{"text"})
	// The name is free for the next form.
	f.must("CreateCollection", f.CreateCollection(f.ctx(), corpus.Collection{Name: corpus.Shadow("a"), Embedding: embedding}))
	f.put(x.in(corpus.Shadow("a")))
	f.must("Swap", f.Swap(f.ctx(), "a", corpus.Shadow("a")))
	f.wantStored(x)
	f.same("found", texts(f.find(store.Query{Scope: scope("a"), Vector: vectorOf("text")})), []string{"text"})
	f.must("Check", f.Check(f.ctx()))
}

func swapSelf(f *fixture) {
	f.create("a")
	f.wantKind("Swap", f.Swap(f.ctx(), "a", "a"), corpus.ErrInvalid)
	c := document("a", "x.md", "text")
	f.put(c)
	f.wantStored(c)
}

func inspectSound(f *fixture) {
	f.create("a", "b")
	f.put(document("a", "x.md", "text", "text", "more"), document("a", "empty.md"), document("b", "x.md", "text"))
	f.must("Delete", f.Delete(f.ctx(), "b", document("b", "x.md").doc.ID))
	for _, repair := range []bool{false, true} {
		for _, name := range []string{"a", "b"} {
			faults, err := f.Inspect(f.ctx(), name, repair)
			f.must("Inspect", err)
			if len(faults) != 0 {
				f.Errorf("%s has faults %+v", name, faults)
			}
		}
	}
	f.wantStored(document("a", "x.md", "text", "text", "more"))
	f.same("found", texts(f.find(store.Query{Scope: scope("a"), Terms: termsOf("text")})), []string{"text", "text"})
}

func recoverSound(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	f.put(c)
	f.must("Recover", f.Recover(f.ctx(), "a"))
	f.wantStored(c)
}
