package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/store"
	"grounded/store/index"
)

// TestManySearchesAtOnceDoNotWaitForEachOthersConnections searches with more goroutines than there are connections,
// while the index is built and while the file changes.
func TestManySearchesAtOnceDoNotWaitForEachOthersConnections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	const documents, perDocument = 9, index.BlockRows / 2 // enough to be read in parts
	for i := range documents {
		texts := make([]string, perDocument)
		for j := range texts {
			texts[j] = fmt.Sprintf("word%d", j)
		}
		if err := replaceTest(s, fmt.Sprint(i), texts...); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for what, writes := range map[string]int{"building": 0, "changing": 20} {
		fresh := open(t, path)
		stop := make(chan struct{})
		var searching sync.WaitGroup
		for range 64 {
			searching.Go(func() {
				for first := true; ; first = false {
					hits, err := fresh.Search(ctx, store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "word7", Count: 1}}, Limit: 20})
					if err != nil || len(hits) != documents {
						t.Errorf("%s: found %d chunks of %d, error %v", what, len(hits), documents, err)
						return
					}
					select {
					case <-stop:
						if !first || writes == 0 {
							return
						}
					default:
					}
				}
			})
		}
		for i := range writes {
			if err := replaceTest(s, "changing", fmt.Sprint("other text ", i)); err != nil {
				t.Error(err)
			}
		}
		close(stop)
		searching.Wait()
	}
}
