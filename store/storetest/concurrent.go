package storetest

import (
	"errors"
	"fmt"
	"sync"

	"grounded/corpus"
	"grounded/store"
)

var concurrentTests = map[string]func(*fixture){
	"writers of one document leave one of their versions":  oneOfThem,
	"readers see a document once while it is replaced":     neverZeroNorDouble,
	"many documents at once are all there":                 manyWriters,
	"a second handle sees each write at its next query":    secondHandle,
	"two handles that write the same document agree":       twoWriters,
	"creating the same collection at once makes one":       createAtOnce,
	"a call after Close fails, and closing twice does not": afterClose,
}

// version is a document that can be told from its other versions by every chunk.
func version(n int) content {
	var list []string
	for i := range 2 + n%3 {
		list = append(list, fmt.Sprintf("version%d place%d shared", n, i))
	}
	c := document("a", "x.md", append(list, "always the same shared")...)
	c.doc.Title = fmt.Sprint("version", n)
	return c
}

func oneOfThem(f *fixture) {
	f.create("a")
	var writing sync.WaitGroup
	for n := range 6 {
		writing.Go(func() {
			for range 5 {
				c := version(n)
				if err := f.Replace(f.ctx(), c.doc, c.pages, c.chunks); err != nil {
					f.Errorf("Replace: %v", err)
				}
			}
		})
	}
	writing.Wait()
	f.wantOneVersion(f.Store, 6)
	f.must("Check", f.Check(f.ctx()))
}

// wantOneVersion fails unless the document is wholly one of n versions, in the manifest and in search.
func (f *fixture) wantOneVersion(s store.Store, n int) {
	f.Helper()
	doc, err := s.Document(f.ctx(), scope("a"), version(0).doc.ID)
	f.must("Document", err)
	for i := range n {
		if c := version(i); c.doc.Title == doc.Title {
			f.wantStored(c)
			hits, err := s.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: vectorOf("q"), Terms: termsOf("shared"), Limit: 100})
			f.must("Search", err)
			found := map[string]int{}
			for _, h := range hits {
				found[h.Chunk.Text]++
			}
			want := map[string]int{}
			for _, k := range c.chunks {
				want[k.Text]++
			}
			f.same("found", found, want)
			return
		}
	}
	f.Errorf("the document is none of the versions: %q", doc.Title)
}

func neverZeroNorDouble(f *fixture) {
	f.create("a")
	f.put(version(0), document("a", "y.md", "something else"))
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for reader := range 3 {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				q := store.Query{Scope: scope("a"), Limit: 50, Terms: termsOf("shared")}
				if reader > 0 {
					q.Vector = vectorOf("always the same shared")
				}
				hits, err := f.Search(f.ctx(), q)
				if err != nil {
					f.Errorf("Search: %v", err)
					return
				}
				perOrdinal, always, title := map[int]int{}, 0, ""
				for _, h := range hits {
					if h.Path != "x.md" {
						continue
					}
					perOrdinal[h.Chunk.Ordinal]++
					if h.Chunk.Text == "always the same shared" {
						always++
					}
					if title != "" && h.Title != title || h.Chunk.Text != "always the same shared" && h.Chunk.Text[:len(h.Title)] != h.Title {
						f.Errorf("versions are mixed: %q in %q", h.Chunk.Text, h.Title)
						return
					}
					title = h.Title
				}
				if always != 1 {
					f.Errorf("the document's chunk was found %d times", always)
					return
				}
				for ordinal, n := range perOrdinal {
					if n != 1 {
						f.Errorf("chunk %d was found %d times", ordinal, n)
						return
					}
				}
			}
		})
	}
	for n := range 40 {
		f.put(version(n % 7))
	}
	close(stop)
	reading.Wait()
}

func manyWriters(f *fixture) {
	f.create("a", "b")
	var writing sync.WaitGroup
	for w := range 8 {
		writing.Go(func() {
			for i := range 12 {
				c := document([]string{"a", "b"}[i%2], fmt.Sprintf("%d-%d.md", w, i), fmt.Sprintf("writer%d text%d", w, i))
				if err := f.Replace(f.ctx(), c.doc, c.pages, c.chunks); err != nil {
					f.Errorf("Replace: %v", err)
				}
			}
		})
	}
	writing.Wait()
	for _, name := range []string{"a", "b"} {
		c, err := f.Collection(f.ctx(), name)
		f.must("Collection", err)
		f.same("counts", []int{c.Documents, c.Chunks}, []int{48, 48})
		for w := range 8 {
			if hits := f.find(store.Query{Scope: scope(name), Terms: termsOf(fmt.Sprint("writer", w)), Limit: 50}); len(hits) != 6 {
				f.Errorf("%s: writer %d has %d chunks of 6", name, w, len(hits))
			}
		}
	}
	f.must("Check", f.Check(f.ctx()))
}

// second opens another handle on the store's data.
func (f *fixture) second() store.Store {
	f.Helper()
	if f.reopen == nil {
		f.Skip("no second handle for this backend")
	}
	s := f.reopen(f.T, f.Store)
	f.Cleanup(func() { s.Close() })
	return s
}

func secondHandle(f *fixture) {
	f.create("a")
	other := f.second()
	f.put(document("a", "first.md", "seed"))
	for i := range 25 {
		word := fmt.Sprint("word", i)
		writer, reader := f.Store, other
		if i%2 == 1 {
			writer, reader = other, f.Store
		}
		c := document("a", fmt.Sprint(i%5, ".md"), word, fmt.Sprint("again word", i-1)) // a word that the other handle made
		f.must("Replace", writer.Replace(f.ctx(), c.doc, c.pages, c.chunks))
		hits, err := reader.Search(f.ctx(), store.Query{Scope: scope("a"), Terms: termsOf(word)})
		f.must("Search", err)
		f.same("found by the other handle", texts(hits), []string{word})
		if i > 0 {
			hits, err = reader.Search(f.ctx(), store.Query{Scope: scope("a"), Terms: termsOf(fmt.Sprint("word", i-1))})
			f.must("Search", err)
			if len(hits) != 2 {
				f.Errorf("a word that both handles wrote finds %q", texts(hits))
			}
		}
		hits, err = reader.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: vectorOf("q"), Limit: 100})
		f.must("Search", err)
		if want := 1 + 2*min(i+1, 5); len(hits) != want {
			f.Errorf("after write %d the other handle finds %d chunks, want %d", i, len(hits), want)
		}
	}
	f.must("Delete", f.Delete(f.ctx(), "a", corpus.NewDocumentID("a", "handbook", "0.md")))
	hits, err := other.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: vectorOf("q"), Limit: 100})
	f.must("Search", err)
	if len(hits) != 9 {
		f.Errorf("after a deletion the other handle finds %d chunks, want 9", len(hits))
	}
	f.must("DropCollection", other.DropCollection(f.ctx(), "a"))
	_, err = f.Search(f.ctx(), store.Query{Scope: scope("a"), Vector: vectorOf("q")})
	f.wantKind("Search after the other handle dropped it", err, corpus.ErrNotFound)
	f.must("CreateCollection", other.CreateCollection(f.ctx(), corpus.Collection{Name: "a", Embedding: embedding}))
	c := document("a", "new.md", "a new life")
	f.must("Replace", other.Replace(f.ctx(), c.doc, c.pages, c.chunks))
	f.same("found in the new collection", texts(f.find(store.Query{Scope: scope("a"), Vector: vectorOf("q")})), []string{"a new life"})
}

func twoWriters(f *fixture) {
	f.create("a")
	other := f.second()
	var writing sync.WaitGroup
	for n := range 4 {
		s := []store.Store{f.Store, other}[n%2]
		writing.Go(func() {
			for range 10 {
				c := version(n)
				if err := s.Replace(f.ctx(), c.doc, c.pages, c.chunks); err != nil {
					f.Errorf("Replace: %v", err)
				}
			}
		})
	}
	writing.Wait()
	f.wantOneVersion(f.Store, 4)
	f.wantOneVersion(other, 4)
	f.must("Check", other.Check(f.ctx()))
}

func createAtOnce(f *fixture) {
	var creating sync.WaitGroup
	for range 8 {
		creating.Go(func() {
			if err := f.CreateCollection(f.ctx(), corpus.Collection{Name: "a", Embedding: embedding}); err != nil {
				f.Errorf("CreateCollection: %v", err)
			}
		})
	}
	creating.Wait()
	all, err := f.Collections(f.ctx())
	f.must("Collections", err)
	if len(all) != 1 {
		f.Errorf("got %d collections, want 1", len(all))
	}
}

func afterClose(f *fixture) {
	f.create("a")
	f.put(document("a", "x.md", "text"))
	f.find(store.Query{Scope: scope("a"), Vector: vectorOf("text")})
	var calling sync.WaitGroup
	for range 4 {
		calling.Go(func() {
			for {
				if _, err := f.Search(f.ctx(), store.Query{Scope: scope("a"), Terms: termsOf("text")}); err != nil {
					return
				}
			}
		})
	}
	f.must("Close", f.Close())
	calling.Wait()
	f.must("Close again", f.Close())
	c := document("a", "y.md", "text")
	for what, err := range map[string]error{
		"Replace": f.Replace(f.ctx(), c.doc, c.pages, c.chunks),
		"Check":   f.Check(f.ctx()),
	} {
		if err == nil || errors.Is(err, corpus.ErrNotFound) {
			f.Errorf("%s after Close: got %v", what, err)
		}
	}
}
