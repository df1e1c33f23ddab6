package bench

import (
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	manyStreams = 1000
	slowWords   = 40
)

// BenchmarkStreams keeps a thousand streams of a slow model open at once, through a server that is a process of its own.
// It reports how many were lost, and the server's memory a stream while all are open.
func BenchmarkStreams(b *testing.B) {
	server := serve(b, scripted(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for range slowWords {
			if word(w) != nil {
				return
			}
			select {
			case <-time.After(250 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
		lastWord(w)
	}))
	c := streamClient()
	if _, whole, _, err := server.chat(b.Context(), c, func() {}); err != nil || !whole {
		b.Fatalf("the first stream: %v", err)
	}
	for b.Loop() {
		before := server.memory(b)
		var lost, open, most atomic.Int64
		var wg sync.WaitGroup
		for range manyStreams {
			wg.Go(func() {
				first := true
				words, whole, _, err := server.chat(b.Context(), c, func() {
					if first {
						first = false
						open.Add(1)
					}
				})
				open.Add(-1)
				if err != nil || !whole || words != slowWords {
					lost.Add(1)
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		memory := before
		for running := true; running; {
			select {
			case <-time.After(100 * time.Millisecond):
				most.Store(max(most.Load(), open.Load()))
				memory = max(memory, server.memory(b))
			case <-done:
				running = false
			}
		}
		b.ReportMetric(float64(lost.Load()), "lost")
		b.ReportMetric(float64(most.Load()), "at-once")
		b.ReportMetric(float64(memory-before)/manyStreams/1000, "kB/stream")
	}
	b.ReportMetric(0, "ns/op")
}

var soak = flag.Duration("soak", 0, "how long TestSoak goes on")

// TestSoak sends a thousand streams at a time to a model that fails in every way, with clients that go in the midst of an
// answer, until its time is over. A stream is whole, or ends with an error that is told; afterwards the server has no more
// connections and hardly more memory than at first.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("it takes minutes: make soak")
	}
	server := serve(t, scripted(t, faulty))
	c := streamClient()
	files, memory := server.files(t), 0
	var whole, told, left int64
	for round, end := 0, time.Now().Add(*soak); time.Now().Before(end); round++ {
		var wholes, tolds, lefts atomic.Int64
		var wg sync.WaitGroup
		for i := range manyStreams {
			wg.Go(func() {
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				words := 0
				_, complete, errorTold, err := server.chat(ctx, c, func() {
					if words++; i%7 == 0 && words == 5 {
						leave()
					}
				})
				switch {
				case errors.Is(err, context.Canceled):
					lefts.Add(1)
				case err != nil:
					t.Errorf("round %d: %v", round, err)
				case complete == errorTold:
					t.Errorf("round %d: a stream ended after %d words, whole %t, with an error %t", round, words, complete, errorTold)
				case complete:
					wholes.Add(1)
				default:
					tolds.Add(1)
				}
			})
		}
		wg.Wait()
		whole, told, left = whole+wholes.Load(), told+tolds.Load(), left+lefts.Load()
		if round == 1 {
			memory = server.memory(t)
		}
		t.Logf("round %d: %d whole, %d told, %d left, %d MB, %d files", round, wholes.Load(), tolds.Load(), lefts.Load(), server.memory(t)>>20, server.files(t))
		if t.Failed() {
			return
		}
	}
	if whole == 0 || told == 0 || left == 0 {
		t.Errorf("%d streams were whole, %d told an error, %d were left: one kind is missing", whole, told, left)
	}
	if now := server.memory(t); memory > 0 && now > memory+memory/2 {
		t.Errorf("memory grew from %d MB to %d MB", memory>>20, now>>20)
	}
	c.CloseIdleConnections()
	for deadline := time.Now().Add(3 * time.Minute); server.files(t) > files+100; <-time.After(time.Second) { // idle ones stay for two minutes
		if time.Now().After(deadline) {
			t.Fatalf("%d files are open, %d were at first", server.files(t), files)
		}
	}
}

// faulty is a model that answers one request in two, and fails otherwise.
func faulty(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	kind := rand.IntN(12)
	switch kind {
	case 0:
		http.Error(w, `{"error":{"message":"overloaded"}}`, http.StatusInternalServerError)
		return
	case 1:
		w.Header().Set("Retry-After-Ms", "10")
		http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
		return
	case 2:
		panic(http.ErrAbortHandler)
	}
	for i := range slowWords / 4 {
		if word(w) != nil {
			return
		}
		if i == slowWords/8 && kind == 4 {
			panic(http.ErrAbortHandler)
		}
		if i == slowWords/8 && kind == 5 {
			return
		}
		select {
		case <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
	lastWord(w)
}
