// Package verify compares what a collection should have with what it has: the files of its sources, the manifest of
// documents, and the pages, chunks and vectors that are stored of each.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/source"
	"grounded/store"
)

// Kinds of fault.
const (
	Lost     = "lost"     // a file of the source that is neither stored nor quarantined
	Stale    = "stale"    // the file has changed since it was stored
	Outdated = "outdated" // stored by another version or configuration of the pipeline, or to be read again
	Gone     = "gone"     // stored, and the file is not there any more
	Double   = "double"   // stored twice: a document, or a chunk of one
	Text     = "text"     // a chunk's text is not what its page has at its place
	Order    = "order"    // pages or chunks are not numbered without gaps
	Vector   = "vector"   // a vector is missing or of the wrong size
	Damaged  = "damaged"  // what the store finds wrong itself
)

// Fault is something wrong.
type Fault struct {
	Kind     string            `json:"kind"`
	Document corpus.DocumentID `json:"document_id,omitempty"`
	Source   string            `json:"source,omitempty"`
	Path     string            `json:"document,omitempty"` // in the source
	Problem  string            `json:"problem"`            // a sentence
	Repaired bool              `json:"repaired"`
}

// Source tells whether a source could be compared.
type Source struct {
	Name     string `json:"source"`
	Root     string `json:"root"`
	Compared bool   `json:"compared"`
	Reason   string `json:"reason,omitempty"` // why not: a sentence
}

// Report is what was found.
type Report struct {
	Collection  string         `json:"collection"`
	Documents   int            `json:"documents"`
	Chunks      int            `json:"chunks"`
	Quarantined int            `json:"quarantined"`
	Sources     []Source       `json:"sources"`
	Faults      []Fault        `json:"faults"`
	Counts      map[string]int `json:"counts"` // of faults that are left, by kind
	Healthy     bool           `json:"healthy"`
}

// Config says what is verified. Ingester and Collection must be set.
type Config struct {
	// Ingester reads the sources as an ingest would; its Store has the collection.
	Ingester   *ingest.Ingester
	Collection string
	// Paths are files and folders to compare; none compares every source whose root is there.
	Paths []string
	// Globs are those that the sources were ingested with.
	Globs source.Globs
	// Repair removes what belongs to no document, completes what can be completed from what is stored, and ingests
	// again what is lost, stale or damaged where its source is there. Documents whose file is gone stay.
	Repair bool
	// Observe is called with the number of documents that were looked at, of those in the collection; may be nil.
	Observe func(done, of int)
}

// Run verifies a collection. The error is corpus.ErrNotFound when it, or one of Paths, is not there.
func Run(ctx context.Context, c Config) (Report, error) {
	v := &verification{Config: c, store: c.Ingester.Store}
	report, err := v.look(ctx)
	if err != nil || !c.Repair || report.Healthy {
		return report, err
	}
	if err := v.repair(ctx, report.Faults); err != nil {
		return report, err
	}
	after, err := v.look(ctx)
	if err != nil {
		return report, err
	}
	left := map[Fault]bool{}
	for _, f := range after.Faults {
		left[f] = true
	}
	for _, f := range report.Faults {
		if !left[f] {
			f.Repaired = true
			after.Faults = append(after.Faults, f)
		}
	}
	sortFaults(after.Faults)
	return after, nil
}

type verification struct {
	Config
	store store.Store
}

func (v *verification) scope() corpus.Scope {
	return corpus.Scope{Collection: v.Collection, Access: corpus.Access{Unrestricted: true}}
}

// findings collects faults from several goroutines.
type findings struct {
	mu     sync.Mutex
	faults []Fault
}

func (f *findings) add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fault)
}

// about adds a fault of a document.
func (f *findings) about(d corpus.Document, kind, format string, args ...any) {
	f.add(Fault{Kind: kind, Document: d.ID, Source: d.Source, Path: d.Path, Problem: fmt.Sprintf(format, args...)})
}

// look finds all faults and changes nothing.
func (v *verification) look(ctx context.Context) (Report, error) {
	c, err := v.store.Collection(ctx, v.Collection)
	if err != nil {
		return Report{}, err
	}
	report := Report{Collection: v.Collection, Documents: c.Documents, Chunks: c.Chunks, Quarantined: c.Quarantined, Counts: map[string]int{}, Faults: []Fault{}, Sources: []Source{}}
	var found findings
	damaged, err := v.store.Inspect(ctx, v.Collection, false)
	if err != nil {
		return report, err
	}
	for _, f := range damaged {
		found.add(Fault{Kind: Damaged, Document: f.Document, Path: f.Path, Problem: f.Problem})
	}
	if err := v.documents(ctx, c, &found); err != nil {
		return report, err
	}
	if report.Sources, err = v.compare(ctx, &found); err != nil {
		return report, err
	}
	report.Faults = append(report.Faults, found.faults...)
	sortFaults(report.Faults)
	for _, f := range report.Faults {
		report.Counts[f.Kind]++
	}
	report.Healthy = len(report.Faults) == 0
	return report, nil
}

func sortFaults(faults []Fault) {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Problem, b.Problem))
	})
}

// documentsAtOnce are looked at.
const documentsAtOnce = 8

// documents looks at what is stored of each document.
func (v *verification) documents(ctx context.Context, c corpus.Collection, found *findings) error {
	group, work := errgroup.WithContext(ctx)
	group.SetLimit(documentsAtOnce)
	var last corpus.Document
	done := 0
	q := store.DocumentQuery{Scope: v.scope(), Limit: 500}
	for {
		docs, next, err := v.store.Documents(ctx, q)
		if err != nil {
			return errors.Join(group.Wait(), err)
		}
		for _, d := range docs {
			if d.Path == last.Path && d.Source == last.Source {
				found.about(d, Double, "Its source and path are those of two documents.")
			}
			last = d
			group.Go(func() error { return v.document(work, c, d, found) })
			if done++; v.Observe != nil {
				v.Observe(done, c.Documents)
			}
		}
		if q.Cursor = next; next == "" {
			return group.Wait()
		}
	}
}
