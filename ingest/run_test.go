package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest"
)

func TestAFailingEmbedderEndsTheRunAndTheNextFinishesIt(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.write(fmt.Sprintf("%02d.txt", i), fmt.Sprintf("Text number %d.", i))
	}
	w.config.BatchTexts = 4
	w.embedder.fail = func(_ context.Context, call int) error {
		if call > 3 {
			return corpus.Errorf(corpus.ErrUnavailable, "the model does not answer")
		}
		return nil
	}
	r, err := w.try(t.Context(), ingest.Request{})
	if !errors.Is(err, corpus.ErrUnavailable) {
		t.Fatalf("error is %v", err)
	}
	in := len(w.documents())
	if r.Documents != (ingest.Documents{New: in}) || in == 0 || in == 40 {
		t.Fatalf("%d documents are in, the report says %+v", in, r.Documents)
	}
	w.embedder.fail = nil
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 40 - in, Unchanged: in})
}

func TestAShortAnswerOfTheEmbedderEndsTheRun(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	w.config.Embedder = short{w.embedder}
	if _, err := w.try(t.Context(), ingest.Request{}); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

func TestCancellingWritesWhatIsEmbedded(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.write(fmt.Sprintf("%02d.txt", i), fmt.Sprintf("Text number %d.", i))
	}
	w.config.BatchTexts, w.config.Requests = 4, 1
	ctx, cancel := context.WithCancel(t.Context())
	w.embedder.fail = func(ctx context.Context, call int) error {
		if call == 4 {
			cancel()
			<-ctx.Done() // a request in flight ends too
			return ctx.Err()
		}
		return nil
	}
	started := time.Now()
	r, err := w.try(ctx, ingest.Request{})
	if !errors.Is(err, context.Canceled) || time.Since(started) > 20*time.Second {
		t.Fatalf("error is %v after %v", err, time.Since(started))
	}
	if in := len(w.documents()); in < len(w.embedder.texts) || in == 60 || r.Documents.New != in {
		t.Errorf("%d documents are in, %d were embedded, report %+v", in, len(w.embedder.texts), r.Documents)
	}
	w.embedder.fail = nil
	w.ingest(ingest.Request{})
	if n := len(w.documents()); n != 60 {
		t.Errorf("then %d documents are in", n)
	}
}

func TestTwoIngestsAtOnceEndAsOne(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.write(fmt.Sprintf("%02d.txt", i), fmt.Sprintf("Text number %d.", i))
	}
	in, err := ingest.New(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := in.Run(t.Context(), ingest.Request{Collection: "c", Paths: []string{w.dir}, Prune: true}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := len(w.documents()); n != 30 {
		t.Errorf("%d documents are in", n)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 30})
}

func TestNothingIsLeftRunning(t *testing.T) {
	w := newWorld(t)
	w.write("a.txt", note)
	run := func(i int) {
		w.write("a.txt", fmt.Sprintf("%s It is version %d.", note, i))
		w.ingest(ingest.Request{})
	}
	for i := range 3 { // the parser's children start
		run(i)
	}
	before := runtime.NumGoroutine()
	for i := range 5 {
		run(10 + i)
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		<-time.After(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func TestAFolderWithNothingToReadSaysSo(t *testing.T) {
	w := newWorld(t)
	r := w.ingest(ingest.Request{})
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "nothing to read") {
		t.Errorf("warnings are %q", r.Warnings)
	}
}
