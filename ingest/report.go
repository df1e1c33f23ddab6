package ingest

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/model"
)

// Event is a Discovered, a Started, a DocumentDone or, at the end, the Report; Follow adds Watching and Trouble. As
// JSON each is an object that says in "event" which.
type Event interface{ isEvent() }

// Discovered tells how many files were found so far.
type Discovered struct {
	Event    string `json:"event"` // "discovered"
	Files    int    `json:"files"`
	Complete bool   `json:"complete"`
}

// Started tells that work on a document that is new or has changed begins. A DocumentDone follows, unless the run
// is ended.
type Started struct {
	Event    string            `json:"event"` // "started"
	ID       corpus.DocumentID `json:"id"`
	Source   string            `json:"source"`
	Document string            `json:"document"`
}

// Outcomes of a document.
const (
	OutcomeNew         = "new"
	OutcomeChanged     = "changed"
	OutcomeUnchanged   = "unchanged"
	OutcomeQuarantined = "quarantined" // could not be read; what was stored of it before stays
	OutcomePruned      = "pruned"
	OutcomeSkipped     = "skipped" // found in a folder, and when it was read not for us
	OutcomeFailed      = "failed"  // named, but not to be had, or of a format that nothing here reads
)

// DocumentDone tells what became of one file. In a dry run it is what would.
type DocumentDone struct {
	Event    string            `json:"event"` // "document"
	ID       corpus.DocumentID `json:"id"`
	Source   string            `json:"source"`
	Document string            `json:"document"` // path in the source
	Outcome  string            `json:"outcome"`
	Pages    int               `json:"pages"` // that were read
	Chunks   Chunks            `json:"chunks"`
	Seconds  float64           `json:"seconds"`          // since Started; 0 if there was nothing to do
	Code     string            `json:"code,omitempty"`   // why it was not read: a word for programs
	Reason   string            `json:"reason,omitempty"` // the same for people
	Stale    bool              `json:"stale,omitempty"`  // an older version of it is still stored and found
	Warnings []string          `json:"warnings,omitempty"`
}

// Chunks counts what was written, of which the vectors were stored before or made for it.
type Chunks struct {
	Written  int `json:"written"`
	Reused   int `json:"reused"`
	Embedded int `json:"embedded"`
}

// Documents counts documents by outcome. Skipped files are no documents.
type Documents struct {
	New         int `json:"new"`
	Changed     int `json:"changed"`
	Unchanged   int `json:"unchanged"`
	Pruned      int `json:"pruned"`
	Quarantined int `json:"quarantined"`
	Failed      int `json:"failed"`
	Skipped     int `json:"skipped"`
	Ignored     int `json:"ignored"` // files, and folders with all that is in them, that rules or patterns leave out
}

// Recordings counts what was transcribed.
type Recordings struct {
	Transcribed int      `json:"transcribed"`
	Seconds     float64  `json:"seconds"`  // of those whose length the server told
	CostUSD     *float64 `json:"cost_usd"` // null if the price or a length is not known
	unknown     bool     // a cost
}

// Skipped is a file that was found in a folder and is not for us.
type Skipped struct {
	Document string `json:"document"`
	Reason   string `json:"reason"`
}

// maxSkipped bounds Report.Skipped; Documents.Skipped counts all.
const maxSkipped = 1000

// Report is the summary of a run.
type Report struct {
	Event       string         `json:"event"` // "summary"
	Documents   Documents      `json:"documents"`
	Pages       int            `json:"pages"`
	Chunks      Chunks         `json:"chunks"`
	Recordings  Recordings     `json:"recordings"`
	Seconds     float64        `json:"seconds"`
	Slowest     []DocumentDone `json:"slowest"`     // the five that took longest, the longest first
	Skipped     []Skipped      `json:"skipped"`     // the first 1000
	Quarantined []DocumentDone `json:"quarantined"` // by source and path
	Failed      []DocumentDone `json:"failed"`
	Warnings    []string       `json:"warnings"` // sentences about the run as a whole
	DryRun      bool           `json:"dry_run"`
}

func (Discovered) isEvent()   {}
func (Started) isEvent()      {}
func (DocumentDone) isEvent() {}
func (Report) isEvent()       {}

// reporter counts, and calls the observer with one event at a time.
type reporter struct {
	mu      sync.Mutex
	observe func(Event)
	started time.Time
	report  Report
	files   int
	begun   map[corpus.DocumentID]time.Time // documents that are worked on
}

func newReporter(req Request, observe func(Event)) *reporter {
	if observe == nil {
		observe = func(Event) {}
	}
	return &reporter{observe: observe, started: time.Now(), begun: map[corpus.DocumentID]time.Time{}, report: Report{
		Event: "summary", DryRun: req.DryRun, Slowest: []DocumentDone{}, Skipped: []Skipped{}, Quarantined: []DocumentDone{}, Failed: []DocumentDone{}, Warnings: []string{},
	}}
}

func (r *reporter) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files++; r.files == 1 || r.files%100 == 0 {
		r.observe(Discovered{Event: "discovered", Files: r.files})
	}
}

func (r *reporter) foundAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observe(Discovered{Event: "discovered", Files: r.files, Complete: true})
}

// begin tells that work on a document begins. It may be called again for the same one.
func (r *reporter) begin(f file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.begun[f.id]; !again {
		r.begun[f.id] = time.Now()
		r.observe(Started{"started", f.id, f.source, f.path})
	}
}

func (r *reporter) done(d DocumentDone) {
	d.Event = "document"
	r.mu.Lock()
	defer r.mu.Unlock()
	if begun, ok := r.begun[d.ID]; ok {
		delete(r.begun, d.ID)
		d.Seconds = time.Since(begun).Seconds()
		r.rank(d)
	}
	r.report.Pages += d.Pages
	n := &r.report.Documents
	switch d.Outcome {
	case OutcomeNew:
		n.New++
	case OutcomeChanged:
		n.Changed++
	case OutcomeUnchanged:
		n.Unchanged++
	case OutcomePruned:
		n.Pruned++
	case OutcomeSkipped:
		r.addSkipped(d.Document, d.Reason)
	case OutcomeQuarantined:
		n.Quarantined++
		r.report.Quarantined = append(r.report.Quarantined, d)
	case OutcomeFailed:
		n.Failed++
		r.report.Failed = append(r.report.Failed, d)
	}
	c := &r.report.Chunks
	c.Written += d.Chunks.Written
	c.Reused += d.Chunks.Reused
	c.Embedded += d.Chunks.Embedded
	r.observe(d)
}

// listedSlowest bounds Report.Slowest.
const listedSlowest = 5

// rank puts a document among the slowest, if it is one.
func (r *reporter) rank(d DocumentDone) {
	slowest := append(r.report.Slowest, d)
	slices.SortStableFunc(slowest, func(a, b DocumentDone) int { return cmp.Compare(b.Seconds, a.Seconds) })
	r.report.Slowest = slowest[:min(len(slowest), listedSlowest)]
}

func (r *reporter) skip(path, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addSkipped(path, reason)
}

func (r *reporter) addSkipped(path, reason string) {
	r.report.Documents.Skipped++
	if len(r.report.Skipped) < maxSkipped {
		r.report.Skipped = append(r.report.Skipped, Skipped{path, reason})
	}
}

func (r *reporter) leaveOut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Documents.Ignored++
}

// heard counts a recording that was transcribed, whether it can be stored or not: it is paid for.
func (r *reporter) heard(t model.Transcript, card model.Card) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := &r.report.Recordings
	n.Transcribed++
	var cost *float64
	if t.Seconds != nil {
		n.Seconds += *t.Seconds
		cost = card.TranscriptionCost(*t.Seconds)
	}
	switch {
	case cost == nil || n.unknown:
		n.unknown, n.CostUSD = true, nil
	case n.CostUSD == nil:
		n.CostUSD = cost
	default:
		total := *n.CostUSD + *cost
		n.CostUSD = &total
	}
}

func (r *reporter) warn(sentence string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Warnings = append(r.report.Warnings, sentence)
}

// namedErrors returns an error if a file that was asked for by name could not be had, or is of no format that is
// read here.
func (r *reporter) namedErrors() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.report.Failed) == 0 {
		return nil
	}
	first := r.report.Failed[0]
	kind := corpus.ErrUnsupported
	switch parse.ErrorCode(first.Code) {
	case source.Gone:
		kind = corpus.ErrNotFound
	case source.Unreachable:
		kind = corpus.ErrUnavailable
	case source.Forbidden:
		kind = corpus.ErrForbidden
	}
	if n := len(r.report.Failed); n > 1 {
		return corpus.Errorf(kind, "read %s and %d more: %s", first.Document, n-1, first.Reason)
	}
	return corpus.Errorf(kind, "read %s: %s", first.Document, first.Reason)
}

func (r *reporter) close() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Seconds = time.Since(r.started).Seconds()
	byPath := func(a, b DocumentDone) int {
		return strings.Compare(a.Source+"\x00"+a.Document, b.Source+"\x00"+b.Document)
	}
	slices.SortFunc(r.report.Quarantined, byPath)
	slices.SortFunc(r.report.Failed, byPath)
	slices.SortFunc(r.report.Skipped, func(a, b Skipped) int { return strings.Compare(a.Document, b.Document) })
	r.observe(r.report)
	return r.report
}
