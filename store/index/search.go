package index

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"grounded/store"
)

// Query asks for rows like a vector, or with the terms, or both.
type Query struct {
	Vector []float32 // empty: no dense search
	Terms  []Term    // Count is the term's weight; empty: no lexical search
	// Allow tells whether a document may be found; nil allows all. It is called at the same time from several
	// goroutines, and more than once for a document.
	Allow func(doc int64) bool
	Limit int // of hits; 0 means 10
	// Candidates of each kind that are looked at before fusion; 0 means 10 × Limit, at least 100.
	Candidates int
	Fusion     store.Fusion // how both scores become one; not used when there is one only
}

// Hit is a row that was found.
type Hit struct {
	Row, Doc int64
	Score    float64
	Dense    *float64 // cosine similarity; nil if there was no dense search
	Lexical  *float64 // BM25, 0 if no term of the query is in it; nil if there was no lexical search
}

// search is one under way, on one state of the index.
type search struct {
	views   []view
	allow   func(doc int64) bool
	vector  *vectorQuery  // nil if there is no dense search
	lexical *lexicalQuery // nil if there is no lexical search
}

// Search returns the best hits, best first; equal scores are in order of Row. Lexical search finds only rows with
// a term of the query. A vector of other dimensions, or one that is not finite, is corpus.ErrInvalid.
func (x *Index) Search(ctx context.Context, q Query) ([]Hit, error) {
	s := &search{views: *x.views.Load(), allow: q.Allow}
	if len(q.Vector) > 0 {
		if err := x.check(q.Vector); err != nil {
			return nil, err
		}
		s.vector = newVectorQuery(q.Vector)
	}
	if len(q.Terms) > 0 {
		s.lexical = newLexicalQuery(x.config, s.views, q.Terms)
	}
	rows := 0
	for i := range s.views {
		rows += s.views[i].live
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 10
	}
	limit = min(limit, rows)
	wanted := limit
	if s.vector != nil && s.lexical != nil {
		if wanted = max(limit, q.Candidates); q.Candidates <= 0 {
			wanted = max(100, 10*limit)
		}
		wanted = min(wanted, rows)
	}
	dense, lexical, err := s.run(ctx, wanted)
	if err != nil {
		return nil, err
	}
	hits := s.score(dense, lexical, wanted, q.Fusion)
	return hits[:min(limit, len(hits))], nil
}

// allowed tells of places in a view whether they may be found. It remembers the last document, as most have their
// rows in a row.
func (s *search) allowed(v *view) func(place int) bool {
	if s.allow == nil {
		if v.dead == nil {
			return func(int) bool { return true }
		}
		return func(place int) bool { return !v.dead.has(place) }
	}
	known, doc, verdict := false, int64(0), false
	return func(place int) bool {
		if v.dead.has(place) {
			return false
		}
		if d := v.docs[place]; !known || d != doc {
			known, doc, verdict = true, d, s.allow(d)
		}
		return verdict
	}
}

// task is a part of a search that one goroutine does: the sums of a view's terms, or the scan of a range of its
// vectors.
type task struct {
	lexical        bool
	view, from, to int
}

// taskRows is how many vectors are scanned by one task.
const taskRows = 8192

// inlineRows is how many rows are searched without other goroutines.
const inlineRows = 4096

// run finds the candidates of both kinds, about as many as are wanted or more, in no order.
func (s *search) run(ctx context.Context, wanted int) (dense, lexical []candidate, err error) {
	var tasks []task
	rows := 0
	for i := range s.views {
		if s.lexical != nil && len(s.lexical.terms) > 0 {
			tasks = append(tasks, task{lexical: true, view: i})
		}
		rows += len(s.views[i].rows)
	}
	for i := range s.views {
		n := len(s.views[i].rows)
		for from := 0; s.vector != nil && from < n; from += taskRows {
			tasks = append(tasks, task{view: i, from: from, to: min(from+taskRows, n)})
		}
	}
	workers := min(runtime.GOMAXPROCS(0), len(tasks))
	if rows <= inlineRows {
		workers = min(1, workers)
	}
	wanted = min(wanted, rows)
	var next atomic.Int64
	var mu sync.Mutex
	work := func() {
		bestDense, bestLexical := newTop(wanted+denseSpare(wanted), lowest), newTop(wanted+lexicalSpare, 0)
		var sum *sums
		for ctx.Err() == nil {
			n := int(next.Add(1)) - 1
			if n >= len(tasks) {
				break
			}
			if t := tasks[n]; t.lexical {
				if sum == nil {
					sum = freeSums.Get().(*sums)
					defer freeSums.Put(sum)
				}
				s.addUp(bestLexical, t.view, sum)
			} else {
				s.scan(bestDense, t.view, t.from, t.to)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		dense = append(dense, bestDense.heap...)
		lexical = append(lexical, bestLexical.heap...)
	}
	var group sync.WaitGroup
	for range workers - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	return dense, lexical, ctx.Err()
}

// found is a candidate with its exact scores.
type found struct {
	candidate
	dense, lexical float64
}

// score makes hits of the candidates, best first: the best wanted of each kind, by exact scores.
func (s *search) score(dense, lexical []candidate, wanted int, f store.Fusion) []Hit {
	slices.SortFunc(dense, compareCandidates)
	slices.SortFunc(lexical, compareCandidates)
	dense = dense[:min(wanted+denseSpare(wanted), len(dense))]
	lexical = lexical[:min(wanted+lexicalSpare, len(lexical))]
	byDense, byLexical := make([]found, len(dense)), make([]found, len(lexical))
	for i, c := range dense {
		byDense[i] = found{candidate: c, dense: s.cosine(c)}
	}
	for i, c := range lexical {
		byLexical[i] = found{candidate: c, lexical: s.bm25(c)}
	}
	slices.SortFunc(byDense, func(a, b found) int { return compareScores(a.dense, b.dense, a.row, b.row) })
	slices.SortFunc(byLexical, func(a, b found) int { return compareScores(a.lexical, b.lexical, a.row, b.row) })
	byDense, byLexical = byDense[:min(wanted, len(byDense))], byLexical[:min(wanted, len(byLexical))]
	switch {
	case s.vector == nil && s.lexical == nil:
		return nil
	case s.lexical == nil:
		return s.hits(byDense, func(f *found) float64 { return f.dense })
	case s.vector == nil:
		return s.hits(byLexical, func(f *found) float64 { return f.lexical })
	}
	return s.fuse(byDense, byLexical, f)
}

func (s *search) hits(list []found, score func(*found) float64) []Hit {
	hits := make([]Hit, len(list))
	for i := range list {
		f := &list[i]
		hits[i] = Hit{Row: f.row, Doc: s.views[f.view].docs[f.place], Score: score(f)}
		if s.vector != nil {
			hits[i].Dense = &f.dense
		}
		if s.lexical != nil {
			hits[i].Lexical = &f.lexical
		}
	}
	return hits
}
