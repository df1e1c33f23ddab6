package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/schollz/progressbar/v3"

	"grounded/corpus"
	"grounded/ingest"
)

// showProgress returns what is told of each event: a line of JSON, a bar on a terminal, or nothing. done ends it.
func (p *program) showProgress(quiet bool) (observe func(ingest.Event), done func()) {
	switch {
	case p.json:
		return func(e ingest.Event) { _ = p.printJSON(e) }, func() {}
	case quiet || !isTerminal(p.stderr):
		return func(ingest.Event) {}, func() {}
	}
	b := &bar{running: map[corpus.DocumentID]work{}, stop: make(chan struct{}), bar: progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription("ingesting"),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("files"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))}
	go b.tick()
	return b.observe, b.finish
}

// bar shows how far an ingest is: files with their rate and the time left, pages, chunks, and the document that has
// been worked on longest.
type bar struct {
	mu            sync.Mutex
	bar           *progressbar.ProgressBar
	pages, chunks int
	running       map[corpus.DocumentID]work
	stop          chan struct{}
	ended         bool
}

// work is a document that is worked on.
type work struct {
	name  string
	since time.Time
}

func (b *bar) observe(e ingest.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	switch e := e.(type) {
	case ingest.Discovered:
		b.bar.ChangeMax(e.Files)
	case ingest.Started:
		b.running[e.ID] = work{e.Document, time.Now()}
	case ingest.DocumentDone:
		delete(b.running, e.ID)
		if e.Outcome == ingest.OutcomePruned || e.ID == "" {
			return
		}
		b.pages += e.Pages
		b.chunks += e.Chunks.Written
		b.bar.Describe(b.text(time.Now()))
		_ = b.bar.Add(1)
	}
}

// tick shows the time go by while nothing else happens.
func (b *bar) tick() {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case now := <-every.C:
			b.mu.Lock()
			if !b.ended {
				b.bar.Describe(b.text(now))
				_ = b.bar.RenderBlank()
			}
			b.mu.Unlock()
		case <-b.stop:
			return
		}
	}
}

// slow is how long a document is worked on before it is named.
const slow = 3 * time.Second

func (b *bar) text(now time.Time) string {
	text := fmt.Sprintf("%s, %s", count(b.pages, "page"), count(b.chunks, "chunk"))
	var longest work
	for _, w := range b.running {
		if longest.name == "" || w.since.Before(longest.since) {
			longest = w
		}
	}
	if d := now.Sub(longest.since); longest.name != "" && d >= slow {
		text += fmt.Sprintf(", %s for %d s", runewidth.Truncate(longest.name, 30, "…"), int(d.Seconds()))
	}
	return text
}

func (b *bar) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.ended = true
		close(b.stop)
		_ = b.bar.Finish()
	}
}
