package move

import (
	"sync"
	"time"

	"grounded/corpus"
)

// Event is a Started, a DocumentDone or, at the end, the Report. As JSON each is an object that says in "event"
// which.
type Event interface{ isEvent() }

// Started tells what there is to do.
type Started struct {
	Event      string           `json:"event"` // "started"
	Collection string           `json:"collection"`
	Documents  int              `json:"documents"`
	Chunks     int              `json:"chunks"`
	From       corpus.Embedding `json:"from"`
	To         corpus.Embedding `json:"to"`
}

// Outcomes of a document.
const (
	OutcomeCopied    = "copied"
	OutcomeUnchanged = "unchanged" // it was there
	OutcomeDeleted   = "deleted"   // it is no more where it was copied from
)

// DocumentDone tells what became of one document. One that changed meanwhile is told of again.
type DocumentDone struct {
	Event    string            `json:"event"` // "document"
	ID       corpus.DocumentID `json:"id"`
	Source   string            `json:"source"`
	Document string            `json:"document"` // path in the source
	Outcome  string            `json:"outcome"`
	Chunks   Chunks            `json:"chunks"`
}

// Chunks counts what was written, of which the vectors were stored before or made for it.
type Chunks struct {
	Written  int `json:"written"`
	Reused   int `json:"reused"`
	Embedded int `json:"embedded"`
}

// Documents counts documents by outcome, each pass over them anew.
type Documents struct {
	Copied    int `json:"copied"`
	Unchanged int `json:"unchanged"` // of the first pass
	Deleted   int `json:"deleted"`
}

// Report is the summary of a run.
type Report struct {
	Event      string           `json:"event"` // "summary"
	Collection string           `json:"collection"`
	Documents  Documents        `json:"documents"`
	Chunks     Chunks           `json:"chunks"`
	Embedding  corpus.Embedding `json:"embedding"` // of the collection now
	Swapped    bool             `json:"swapped"`   // the new form has taken the place of the old
	Kept       *Form            `json:"kept"`      // the other form that is still there; null if there is none
	Dropped    *Form            `json:"dropped"`   // the other form that was dropped
	Warnings   []string         `json:"warnings"`
	Seconds    float64          `json:"seconds"`
}

// Form is a collection under one embedding.
type Form struct {
	Embedding corpus.Embedding `json:"embedding"`
	Documents int              `json:"documents"`
	Chunks    int              `json:"chunks"`
}

func form(c corpus.Collection) *Form { return &Form{c.Embedding, c.Documents, c.Chunks} }

func (Started) isEvent()      {}
func (DocumentDone) isEvent() {}
func (Report) isEvent()       {}

// reporter counts, and calls the observer with one event at a time.
type reporter struct {
	mu      sync.Mutex
	observe func(Event)
	started time.Time
	report  Report
	again   bool // the first pass is over
}

func newReporter(collection string, observe func(Event)) *reporter {
	if observe == nil {
		observe = func(Event) {}
	}
	return &reporter{observe: observe, started: time.Now(), report: Report{Event: "summary", Collection: collection, Warnings: []string{}}}
}

func (r *reporter) start(c corpus.Collection, to corpus.Embedding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe(Started{"started", c.Name, c.Documents, c.Chunks, c.Embedding, to})
}

// firstPassDone keeps documents that are found unchanged from being counted and told of again.
func (r *reporter) firstPassDone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again = true
}

func (r *reporter) done(d corpus.Document, outcome string, chunks Chunks) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := &r.report.Documents
	switch outcome {
	case OutcomeCopied:
		n.Copied++
	case OutcomeDeleted:
		n.Deleted++
	case OutcomeUnchanged:
		if r.again {
			return
		}
		n.Unchanged++
	}
	c := &r.report.Chunks
	c.Written += chunks.Written
	c.Reused += chunks.Reused
	c.Embedded += chunks.Embedded
	r.observe(DocumentDone{"document", d.ID, d.Source, d.Path, outcome, chunks})
}

func (r *reporter) close(now corpus.Embedding) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Embedding = now
	r.report.Seconds = time.Since(r.started).Seconds()
	r.observe(r.report)
	return r.report
}
