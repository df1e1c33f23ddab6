package storetest

import (
	"context"
	"errors"
	"math"
	"strings"

	"grounded/corpus"
	"grounded/store"
)

var replaceTests = map[string]func(*fixture){
	"what goes in comes out":                            roundTrip,
	"a changed document shows nothing of the old":       changed,
	"a chunk that moved keeps its id and is found":      moved,
	"a chunk is found by its new terms and vector":      reanalysed,
	"writing the same again changes nothing":            unchanged,
	"an emptied document has no chunks":                 emptied,
	"pages by range":                                    pageRanges,
	"chunks by range and by id, in order":               chunkOrder,
	"equal texts in one document are two chunks":        equalTexts,
	"Chinese text and odd ids":                          oddIDs,
	"bad vectors and fingerprints change nothing":       refusals,
	"vectors of known inputs":                           knownVectors,
	"the caller's slices and maps are not kept":         notKept,
	"deleting removes documents and their text":         deletes,
	"a context that has ended is obeyed by every call":  ended,
	"collections of one store don't see each other":     isolated,
	"metadata of all JSON kinds comes back":             metadata,
	"a document whose path and access changed follows":  renamed,
	"many chunks in one document are all found by rank": large,
}

func roundTrip(f *fixture) {
	f.create("a")
	c := document("a", "travel/policy.md", "Meals are paid up to 40 euros.", "Flights need approval.")
	c.doc.Groups = []string{"hr", "board"}
	f.put(c, document("a", "other.md", "something else"))
	f.wantStored(c)
}

func changed(f *fixture) {
	f.create("a")
	old := document("a", "x.md", "alpha beta", "gamma delta", "stays here")
	f.put(old, document("a", "y.md", "unrelated words"))
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("gamma")})
	now := document("a", "x.md", "epsilon zeta", "stays here")
	now.doc.Title, now.doc.ContentHash = "New title", strings.Repeat("cd", 32)
	f.put(now)
	f.wantStored(now)
	for word, want := range map[string][]string{"gamma": nil, "alpha": nil, "zeta": {"epsilon zeta"}, "stays": {"stays here"}} {
		hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf(word)})
		f.same("found for "+word, texts(hits), want)
		for _, h := range hits {
			f.same("title", h.Title, "New title")
		}
	}
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("gamma delta"), Limit: 100})
	if len(hits) != 3 {
		f.Errorf("a dense search of 3 chunks finds %q", texts(hits))
	}
	chunks, err := f.Chunks(f.ctx(), scope("a"), old.chunks[1].ID)
	f.must("Chunks", err)
	f.same("old chunk", chunks, []corpus.Chunk(nil))
}

func moved(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "first text", "second text"))
	now := document("a", "x.md", "a preface", "second text", "first text")
	f.put(now)
	f.wantStored(now)
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("first text"), Limit: 1})
	f.same("hit", []store.Hit{{Chunk: hits[0].Chunk, Path: "x.md", Title: "Title of x.md"}},
		[]store.Hit{{Chunk: now.chunks[2].Chunk, Path: hits[0].Path, Title: hits[0].Title}})
}

func reanalysed(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "running shoes", "other words")
	f.put(c)
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("running")})
	c.chunks[0].Terms = termsOf("run shoe")
	f.put(c)
	for word, want := range map[string][]string{"running": nil, "run": {"running shoes"}} {
		f.same("found for "+word, texts(f.find(store.Query{Scope: scope("a"), Terms: termsOf(word)})), want)
	}
	c.chunks[0].Vector = vectorOf("elsewhere")
	f.put(c)
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("elsewhere"), Limit: 1})
	f.same("found by the new vector", texts(hits), []string{"running shoes"})
	f.wantStored(c)
}

func unchanged(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "one two", "three four")
	f.put(c)
	before := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("one four four")})
	f.put(c)
	f.wantStored(c)
	after := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("one four four")})
	f.same("hits", after, before)
	col, err := f.Collection(f.ctx(), "a")
	f.must("Collection", err)
	f.same("counts", []int{col.Documents, col.Chunks}, []int{1, 2})
}

func emptied(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "some text"))
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("some")})
	empty := document("a", "x.md")
	f.put(empty)
	f.wantStored(empty)
	if hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("some text"), Terms: termsOf("some")}); len(hits) != 0 {
		f.Errorf("found %q in an empty document", texts(hits))
	}
}

func pageRanges(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "p1", "p2", "p3", "p4")
	c.pages = append(c.pages[:2:2], corpus.Page{Number: 4, Text: "p4"}) // a document may lack a page
	c.doc.PageCount = 3
	f.put(c)
	for _, r := range []struct {
		first, last int
		want        []int
	}{{1, 0, []int{1, 2, 4}}, {2, 4, []int{2, 4}}, {2, 2, []int{2}}, {3, 3, nil}, {4, 0, []int{4}}, {9, 0, nil}} {
		pages, err := f.Pages(f.ctx(), scope("a"), c.doc.ID, r.first, r.last)
		f.must("Pages", err)
		var got []int
		for _, p := range pages {
			got = append(got, p.Number)
		}
		f.same("pages", got, r.want)
	}
	_, err := f.Pages(f.ctx(), scope("a"), "none", 1, 0)
	f.wantKind("Pages of no document", err, corpus.ErrNotFound)
}

func chunkOrder(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "t0", "t1", "t2", "t3", "t4")
	f.put(c)
	for _, r := range []struct {
		first, last int
		want        []string
	}{{0, -1, []string{"t0", "t1", "t2", "t3", "t4"}}, {1, 3, []string{"t1", "t2", "t3"}}, {4, 9, []string{"t4"}}, {7, 9, nil}, {0, 0, []string{"t0"}}} {
		chunks, err := f.DocumentChunks(f.ctx(), scope("a"), c.doc.ID, r.first, r.last)
		f.must("DocumentChunks", err)
		var got []string
		for _, k := range chunks {
			got = append(got, k.Text)
		}
		f.same("texts", got, r.want)
	}
	_, err := f.DocumentChunks(f.ctx(), scope("a"), "none", 0, -1)
	f.wantKind("DocumentChunks of no document", err, corpus.ErrNotFound)
	chunks, err := f.Chunks(f.ctx(), scope("a"), c.chunks[3].ID, "none", c.chunks[0].ID, c.chunks[4].ID)
	f.must("Chunks", err)
	f.same("chunks by id", chunks, []corpus.Chunk{c.chunks[3].Chunk, c.chunks[0].Chunk, c.chunks[4].Chunk})
	chunks, err = f.Chunks(f.ctx(), scope("a"))
	f.must("Chunks of no ids", err)
	f.same("chunks of no ids", chunks, []corpus.Chunk(nil))
}

func equalTexts(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "page left blank", "words", "page left blank")
	f.put(c)
	f.wantStored(c)
	hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("blank")})
	f.same("found", texts(hits), []string{"page left blank", "page left blank"})
}

func oddIDs(f *fixture) {
	f.create("人事")
	for _, id := range []string{"报销/2024 年.md", "it's \"quoted\"; DROP TABLE documents", "UPPER-CASE", strings.Repeat("long", 100), "8F4E0D5A-612B-5C37-9D50-1C9E3A7742E6", "8f4e0d5a-612b-5c37-9d50-1c9e3a7742e6"} {
		c := document("人事", id, "差旅费用每天不超过四百元", "🦊 emoji and \t tabs\nlines")
		c.doc.ID = corpus.DocumentID(id)
		for i := range c.chunks {
			c.chunks[i].DocumentID = c.doc.ID
			c.chunks[i].ID = corpus.ChunkID(id + c.chunks[i].Text)
			c.chunks[i].Heading = []string{"第一章", "a > b", ""}
			c.chunks[i].Terms = []corpus.Term{{Text: "差旅", Count: 2}, {Text: "旅费", Count: 1}, {Text: id, Count: 1.5}}
		}
		f.put(c)
		f.wantStored(c)
		chunks, err := f.Chunks(f.ctx(), scope("人事"), c.chunks[1].ID)
		f.must("Chunks", err)
		f.same("chunk", chunks, []corpus.Chunk{c.chunks[1].Chunk})
		hits := f.find(store.Query{Scope: scope("人事"), Terms: []corpus.Term{{Text: id, Count: 1}}})
		if len(hits) != 2 {
			f.Errorf("the term %q finds %d chunks of 2", id, len(hits))
		}
		for _, h := range hits {
			f.same("document", h.Chunk.DocumentID, c.doc.ID)
		}
	}
	docs, _, err := f.Documents(f.ctx(), store.DocumentQuery{Scope: scope("人事")})
	f.must("Documents", err)
	if len(docs) != 6 {
		f.Errorf("got documents %q, want 6", paths(docs))
	}
}

func refusals(f *fixture) {
	f.create("a")
	good := document("a", "x.md", "first", "second")
	f.put(good)
	for name, r := range map[string]struct {
		kind  error
		spoil func(*content)
	}{
		"NaN":               {corpus.ErrInvalid, func(c *content) { c.chunks[1].Vector[3] = float32(math.NaN()) }},
		"infinity":          {corpus.ErrInvalid, func(c *content) { c.chunks[1].Vector[3] = float32(math.Inf(-1)) }},
		"too short":         {corpus.ErrInvalid, func(c *content) { c.chunks[1].Vector = c.chunks[1].Vector[:5] }},
		"no vector":         {corpus.ErrInvalid, func(c *content) { c.chunks[0].Vector = nil }},
		"other fingerprint": {corpus.ErrConflict, func(c *content) { c.doc.EmbeddingFingerprint = "0000" }},
	} {
		bad := document("a", "x.md", "third", "fourth")
		r.spoil(&bad)
		err := f.Replace(f.ctx(), bad.doc, bad.pages, bad.chunks)
		f.wantKind(name, err, r.kind)
		if r.kind == corpus.ErrConflict && err != nil && !strings.Contains(err.Error(), embedding.Fingerprint()) {
			f.Errorf("%s: error does not name the collection's: %v", name, err)
		}
		f.wantStored(good)
	}
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf("third"), Limit: 9})
	if len(hits) != 2 {
		f.Errorf("found %q", texts(hits))
	}
	for name, v := range map[string][]float32{"short query": {1, 2}, "NaN in query": append(make([]float32, Dimensions-1), float32(math.NaN()))} {
		_, err := f.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: v})
		f.wantKind(name, err, corpus.ErrInvalid)
	}
}

func knownVectors(f *fixture) {
	f.create("a", "b")
	c, d := document("a", "x.md", "one", "two"), document("b", "x.md", "three")
	f.put(c, d)
	var hashes []string
	want := map[string][]float32{}
	for _, k := range c.chunks {
		hashes = append(hashes, k.InputHash())
		want[k.InputHash()] = k.Vector
	}
	hashes = append(hashes, d.chunks[0].InputHash(), "not a hash", "", hashes[0])
	got, err := f.Vectors(f.ctx(), "a", hashes)
	f.must("Vectors", err)
	f.same("vectors", got, want)
	f.must("Delete", f.Delete(f.ctx(), "a", c.doc.ID))
	got, err = f.Vectors(f.ctx(), "a", hashes)
	f.must("Vectors", err)
	f.same("vectors after Delete", got, map[string][]float32{})
}

func notKept(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "one two")
	c.doc.Metadata = map[string]any{"k": "v"}
	f.put(c)
	query := store.Query{Scope: scope("a"), Vector: vectorOf("one two"), Terms: termsOf("one")}
	before := f.find(query)
	c.doc.Metadata["k"] = "changed"
	c.chunks[0].Vector[0], c.chunks[0].Terms[0].Text, c.chunks[0].Heading[0] = 99, "zzz", "zzz"
	f.same("hits", f.find(query), before)
	query.Filter = corpus.Filter{{Key: "k", Op: corpus.OpEqual, Values: []any{"v"}}}
	f.same("filtered hits", f.find(query), before)
}

func deletes(f *fixture) {
	f.create("a")
	x, y, z := document("a", "x.md", "one two"), document("a", "y.md", "one three"), document("a", "z.md", "one four")
	f.put(x, y, z)
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("one")})
	f.must("Delete of nothing", f.Delete(f.ctx(), "a"))
	f.must("Delete", f.Delete(f.ctx(), "a", x.doc.ID, "not there", z.doc.ID))
	_, err := f.Document(f.ctx(), scope("a"), x.doc.ID)
	f.wantKind("Document", err, corpus.ErrNotFound)
	_, err = f.Pages(f.ctx(), scope("a"), x.doc.ID, 1, 0)
	f.wantKind("Pages", err, corpus.ErrNotFound)
	chunks, err := f.Chunks(f.ctx(), scope("a"), x.chunks[0].ID)
	f.must("Chunks", err)
	f.same("chunks", chunks, []corpus.Chunk(nil))
	f.same("found", texts(f.find(store.Query{Scope: scope("a"), Terms: termsOf("one"), Vector: vectorOf("one two")})), []string{"one three"})
	f.put(x)
	f.wantStored(x)
	f.same("found again", texts(f.find(store.Query{Scope: scope("a"), Terms: termsOf("two")})), []string{"one two"})
}

func ended(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	f.put(c)
	ctx, cancel := context.WithCancel(f.ctx())
	cancel()
	d := document("a", "x.md", "other text")
	for name, call := range map[string]func() error{
		"CreateCollection": func() error { return f.CreateCollection(ctx, corpus.Collection{Name: "b", Embedding: embedding}) },
		"Collection":       func() error { _, err := f.Collection(ctx, "a"); return err },
		"Collections":      func() error { _, err := f.Collections(ctx); return err },
		"DropCollection":   func() error { return f.DropCollection(ctx, "a") },
		"Replace":          func() error { return f.Replace(ctx, d.doc, d.pages, d.chunks) },
		"Delete":           func() error { return f.Delete(ctx, "a", c.doc.ID) },
		"Document":         func() error { _, err := f.Document(ctx, scope("a"), c.doc.ID); return err },
		"Documents":        func() error { _, _, err := f.Documents(ctx, store.DocumentQuery{Scope: scope("a")}); return err },
		"Pages":            func() error { _, err := f.Pages(ctx, scope("a"), c.doc.ID, 1, 0); return err },
		"Chunks":           func() error { _, err := f.Chunks(ctx, scope("a"), c.chunks[0].ID); return err },
		"Vectors":          func() error { _, err := f.Vectors(ctx, "a", []string{c.chunks[0].InputHash()}); return err },
		"Search": func() error {
			_, err := f.Search(ctx, store.Query{Scope: scope("a"), Terms: termsOf("text")})
			return err
		},
		"Swap":    func() error { return f.Swap(ctx, "a", "b") },
		"Inspect": func() error { _, err := f.Inspect(ctx, "a", true); return err },
		"Recover": func() error { return f.Recover(ctx, "a") },
		"Check":   func() error { return f.Check(ctx) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			f.Errorf("%s with an ended context: got %v, want context.Canceled", name, err)
		}
	}
	f.wantStored(c)
	f.must("Check", f.Check(f.ctx()))
}

func isolated(f *fixture) {
	f.create("a", "b")
	a, b := document("a", "x.md", "shared words"), document("b", "x.md", "shared words")
	b.doc.ID, b.chunks[0].DocumentID, b.chunks[0].ID = a.doc.ID, a.doc.ID, a.chunks[0].ID // the worst case
	b.doc.Title = "Of the other"
	f.put(a, b)
	f.wantStored(a)
	f.wantStored(b)
	hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("shared"), Vector: vectorOf("shared words")})
	if len(hits) != 1 || hits[0].Title != a.doc.Title {
		f.Errorf("got hits %+v, want one titled %q", hits, a.doc.Title)
	}
	f.must("Delete", f.Delete(f.ctx(), "a", a.doc.ID))
	f.wantStored(b)
}

func metadata(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	c.doc.Metadata = map[string]any{
		"text": "人事", "number": 2024.5, "yes": true, "null": nil, "list": []any{"a", 1.0}, "nested": map[string]any{"deep": map[string]any{"er": "x"}},
		"long": strings.Repeat("x", 100_000),
	}
	f.put(c)
	f.wantStored(c)
	for key, value := range map[string]any{"nested.deep.er": "x", "number": 2024.5, "list": "a"} {
		hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("text"), Filter: corpus.Filter{{Key: key, Op: corpus.OpEqual, Values: []any{value}}}})
		if len(hits) != 1 {
			f.Errorf("%s = %v finds %d chunks, want 1", key, value, len(hits))
		}
	}
}

func renamed(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	f.put(c)
	f.find(store.Query{Scope: scope("a"), Terms: termsOf("text")})
	c.doc.Path, c.doc.Groups = "y.md", []string{"hr"}
	f.put(c)
	f.wantStored(c)
	hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("text")})
	f.same("path", hits[0].Path, "y.md")
	if hits := f.find(store.Query{Scope: corpus.Scope{Collection: "a"}, Terms: termsOf("text")}); len(hits) != 0 {
		f.Errorf("a hidden document's chunks are found: %q", texts(hits))
	}
}

func large(f *fixture) {
	f.create("a")
	var list []string
	for i := range 700 {
		list = append(list, strings.Repeat("filler ", i%7)+"chunk"+string(rune('一'+i)))
	}
	c := document("a", "x.md", list...)
	f.put(c)
	f.wantStored(c)
	hits := f.find(store.Query{Scope: scope("a"), Vector: vectorOf(list[600]), Limit: 500})
	if len(hits) != 500 || hits[0].Chunk.Text != list[600] {
		f.Fatalf("got %d hits, the first %q; want 500 and %q", len(hits), hits[0].Chunk.Text, list[600])
	}
}
