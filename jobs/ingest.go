package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
	"grounded/store"
)

// KindIngest is the kind of jobs that bring their files into a collection.
const KindIngest = "ingest"

// IngestSpec says what a job of KindIngest does, besides its collection and files.
type IngestSpec struct {
	// Source that the documents belong to: a file is the document of its name there, and replaces it. Default "uploads".
	Source string `json:"source"`
	// Root is where the source is for whoever uploads it, such as host:/folder; empty is not known.
	Root string `json:"root,omitempty"`
	// Moved says that the source has moved to Root.
	Moved bool `json:"moved,omitempty"`
}

func (s IngestSpec) withDefaults() IngestSpec {
	if s.Source == "" {
		s.Source = "uploads"
	}
	return s
}

// fileID is the document that a file of a job of KindIngest becomes. A file of another is nobody else's.
func (j Job) fileID(name string) corpus.DocumentID {
	if j.Kind != KindIngest {
		return corpus.DocumentID(corpus.UUID("job", j.ID, name))
	}
	var spec IngestSpec
	_ = json.Unmarshal(j.Spec, &spec) // NewIngest has made it
	return corpus.NewDocumentID(j.Collection, spec.Source, name)
}

// Ingestion does the jobs of KindIngest.
type Ingestion struct {
	Store store.Store
	// Web fetches pages that were given by their addresses, with the guards that it has.
	Web *web.Client
	// Ingester makes what ingests into a collection; open is its ingest.Config.Open.
	Ingester func(ctx context.Context, collection string, open func(context.Context, string) (source.Source, error)) (*ingest.Ingester, error)
	// Observe is told what became of each document, one at a time within a job; nil is nobody.
	Observe func(ingest.DocumentDone)
}

// Do implements Handler. Files that have an outcome from an earlier attempt are not read again.
func (in Ingestion) Do(ctx context.Context, t *Task) error {
	var spec IngestSpec
	if err := json.Unmarshal(t.Job.Spec, &spec); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "read what job %s is to do: %w", t.Job.ID, err)
	}
	run := newIngestRun(t)
	if run.left() == 0 {
		return run.verdict()
	}
	root, err := spec.Place(ctx, in.Store, t.Job.Collection)
	if err != nil && !errors.Is(err, corpus.ErrNotFound) {
		return err
	}
	from := &uploads{task: t, store: in.Store, web: in.Web, spec: spec.withDefaults(), root: root}
	ingester, err := in.Ingester(ctx, t.Job.Collection, func(context.Context, string) (source.Source, error) { return from, nil })
	if err != nil {
		return err
	}
	_, err = ingester.Run(ctx, ingest.Request{Collection: t.Job.Collection, Paths: []string{from.Root()}, Source: from.spec.Source, Moved: true}, func(e ingest.Event) {
		if d, ok := e.(ingest.DocumentDone); ok {
			run.observe(d)
			if in.Observe != nil {
				in.Observe(d)
			}
		}
	})
	switch {
	case run.left() == 0:
		return run.verdict() // what is wrong with files, err says as well
	case err == nil:
		return fmt.Errorf("ingest: %d files have no outcome", run.left())
	}
	return err
}

// ingestRun collects what becomes of a job's files.
type ingestRun struct {
	task     *Task
	index    map[string]int // of files by name
	outcomes []Outcome
}

func newIngestRun(t *Task) *ingestRun {
	r := &ingestRun{task: t, index: map[string]int{}}
	for i, f := range t.Job.Files {
		r.index[f.Name] = i
		r.outcomes = append(r.outcomes, f.Outcome)
	}
	return r
}

// left counts files without an outcome.
func (r *ingestRun) left() (n int) {
	for _, o := range r.outcomes {
		if o.Outcome == "" {
			n++
		}
	}
	return n
}

// observe takes in what became of a document. They come one at a time.
func (r *ingestRun) observe(d ingest.DocumentDone) {
	name, part, isPart := strings.Cut(d.Document, parse.PartSeparator)
	i, ok := r.index[name]
	if !ok {
		return
	}
	o := &r.outcomes[i]
	o.Pages += d.Pages
	o.Chunks += d.Chunks.Written
	o.Embedded += d.Chunks.Embedded
	if isPart {
		for _, warning := range d.Warnings {
			o.Warnings = append(o.Warnings, part+": "+warning)
		}
		if d.Outcome == ingest.OutcomeQuarantined || d.Outcome == ingest.OutcomeFailed {
			o.Unread++
			o.Warnings = append(o.Warnings, part+": "+d.Reason)
		}
	} else {
		o.Outcome, o.Code, o.Reason = d.Outcome, d.Code, d.Reason
		o.Warnings = append(o.Warnings, d.Warnings...)
	}
	r.task.Record(i, *o)
}

// listedUnread is how many files a job's error names; the rest have their reasons with them.
const listedUnread = 3

// verdict is nil when all that is in the files was read.
func (r *ingestRun) verdict() error {
	var reasons []string
	files, parts := 0, 0
	for i, o := range r.outcomes {
		parts += o.Unread
		switch o.Outcome {
		case ingest.OutcomeNew, ingest.OutcomeChanged, ingest.OutcomeUnchanged:
		default:
			files++
			if files <= listedUnread {
				reasons = append(reasons, r.task.Job.Files[i].Name+": "+o.Reason)
			}
		}
	}
	var said []string
	if files > 0 {
		said = append(said, fmt.Sprintf("%d of %d files could not be read (%s)", files, len(r.outcomes), strings.Join(reasons, " ")))
	}
	if parts > 0 {
		said = append(said, fmt.Sprintf("%d documents inside of files could not be read", parts))
	}
	if len(said) == 0 {
		return nil
	}
	return corpus.Errorf(corpus.ErrInvalid, "%s; all else is in", strings.Join(said, ", "))
}

// mayReplace fails when there is a document of that name which the job's owner may not see.
func (u *uploads) mayReplace(ctx context.Context, f File) error {
	d, err := u.store.Document(ctx, corpus.Scope{Collection: u.task.Job.Collection, Access: corpus.Access{Unrestricted: true}}, f.ID)
	switch {
	case errors.Is(err, corpus.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up %s: %w", f.Name, err)
	case !u.task.Job.Access.Allows(d.Groups):
		return source.Errorf(source.Forbidden, "The name is taken; give the document another one.")
	}
	return nil
}
