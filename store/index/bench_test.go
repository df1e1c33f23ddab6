package index

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/philippgille/chromem-go"
)

// The collection of the benchmarks: 100,000 chunks of about 90 distinct terms in documents of ten, 384 dimensions,
// and queries of ten ordinary terms each.
const (
	benchRows       = 100_000
	benchDimensions = 384
	benchVocabulary = 50_000
	benchQueries    = 64
)

type benchCollection struct {
	entries []Entry
	queries []Query
	index   *Index
	bytes   uint64 // of memory that the index takes
	other   func() *chromem.Collection
}

var bench = sync.OnceValue(func() *benchCollection {
	m := newMade(7, benchDimensions, 2000, benchVocabulary, 130)
	c := &benchCollection{index: New(Config{Dimensions: benchDimensions})}
	for i := range int64(benchRows) {
		c.entries = append(c.entries, m.entry(i, i/10))
	}
	before := heapBytes()
	c.load(c.index)
	c.bytes = heapBytes() - before
	for range benchQueries {
		q := Query{Vector: m.near(), Limit: 10}
		for len(q.Terms) < 10 { // of ranks 50 to 3000, evenly in the logarithm of the rank
			q.Terms = append(q.Terms, Term{uint32(50 * math.Pow(60, m.Float64())), 1})
		}
		c.queries = append(c.queries, q)
	}
	c.other = sync.OnceValue(c.fillChromem)
	return c
})

// load applies the entries in blocks from as many goroutines as there are processors.
func (c *benchCollection) load(x *Index) {
	blocks := make(chan []Entry)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for block := range blocks {
				if err := x.Apply(nil, block); err != nil {
					panic(err)
				}
			}
		})
	}
	for block := range slices.Chunk(c.entries, BlockRows) {
		blocks <- block
	}
	close(blocks)
	group.Wait()
}

func heapBytes() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func (c *benchCollection) fillChromem() *chromem.Collection {
	other, err := chromem.NewDB().CreateCollection("bench", nil, func(context.Context, string) ([]float32, error) {
		panic("every vector is given")
	})
	if err != nil {
		panic(err)
	}
	for i := range c.entries {
		d := chromem.Document{ID: strconv.Itoa(i), Embedding: c.entries[i].Vector}
		if err := other.AddDocument(context.Background(), d); err != nil {
			panic(err)
		}
	}
	return other
}

// run searches with what of takes of each query, and then compares: the median time of a search, of a dense search
// of the same vectors by chromem-go, and how many times as long that is. They take turns, so that other work on the
// machine slows both.
func (c *benchCollection) run(b *testing.B, of func(Query) Query) {
	ctx, other := context.Background(), c.other()
	search := func(i int) {
		if _, err := c.index.Search(ctx, of(c.queries[i%benchQueries])); err != nil {
			b.Fatal(err)
		}
	}
	for i := range benchQueries {
		search(i)
	}
	for i := 0; b.Loop(); i++ {
		search(i)
	}
	var own, others []time.Duration
	for turn := range 20 {
		for i := range 20 {
			start := time.Now()
			search(20*turn + i)
			own = append(own, time.Since(start))
		}
		start := time.Now()
		if _, err := other.QueryEmbedding(ctx, c.queries[turn].Vector, 10, nil, nil); err != nil {
			b.Fatal(err)
		}
		others = append(others, time.Since(start))
	}
	ours, theirs := median(own), median(others)
	b.ReportMetric(ours, "ms")
	b.ReportMetric(theirs, "chromem-ms")
	b.ReportMetric(theirs/ours, "x-chromem")
}

// median is in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return times[len(times)/2].Seconds() * 1000
}

// recall is the share of the exact first ten that a dense search finds.
func (c *benchCollection) recall(b *testing.B) float64 {
	found := 0
	for _, q := range c.queries {
		type scored struct {
			row   int64
			score float64
		}
		exact := make([]scored, len(c.entries))
		for i, e := range c.entries {
			exact[i].row = e.Row
			for j, f := range e.Vector {
				exact[i].score += float64(f) * float64(q.Vector[j])
			}
		}
		slices.SortFunc(exact, func(x, y scored) int { return compareScores(x.score, y.score, x.row, y.row) })
		hits, err := c.index.Search(context.Background(), Query{Vector: q.Vector, Limit: 10})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range exact[:10] {
			if slices.ContainsFunc(hits, func(h Hit) bool { return h.Row == s.row }) {
				found++
			}
		}
	}
	return float64(found) / float64(10*len(c.queries))
}

func BenchmarkDense100k(b *testing.B) {
	c := bench()
	c.run(b, func(q Query) Query { return Query{Vector: q.Vector, Limit: 10} })
	b.ReportMetric(c.recall(b), "recall@10")
	b.ReportMetric(float64(c.bytes)/benchRows, "B/chunk")
}

func BenchmarkLexical100k(b *testing.B) {
	bench().run(b, func(q Query) Query { return Query{Terms: q.Terms, Limit: 10} })
}

func BenchmarkHybrid100k(b *testing.B) {
	bench().run(b, func(q Query) Query { return q })
}

// BenchmarkHybridFiltered100k allows every tenth document.
func BenchmarkHybridFiltered100k(b *testing.B) {
	bench().run(b, func(q Query) Query {
		q.Allow = func(doc int64) bool { return doc%10 == 0 }
		return q
	})
}

// BenchmarkLoad100k is what a store does when it opens a collection, but for reading its file.
func BenchmarkLoad100k(b *testing.B) {
	c := bench()
	for b.Loop() {
		c.load(New(Config{Dimensions: benchDimensions}))
	}
}

// BenchmarkApplySingly adds documents of ten chunks one at a time to an index that has n of them.
func BenchmarkApplySingly(b *testing.B) {
	c := bench()
	for _, n := range []int{0, 1000, 5000} {
		b.Run(fmt.Sprintf("documents=%d", n), func(b *testing.B) {
			x := New(Config{Dimensions: benchDimensions})
			for block := range slices.Chunk(c.entries[:10*n], BlockRows) {
				if err := x.Apply(nil, block); err != nil {
					b.Fatal(err)
				}
			}
			rows := int64(10 * n)
			for b.Loop() {
				entries := slices.Clone(c.entries[rows%(benchRows-10):][:10])
				for i := range entries {
					entries[i].Row = rows + int64(i)
				}
				rows += 10
				if err := x.Apply(nil, entries); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
