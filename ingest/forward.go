package ingest

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/ingest/parse"
)

// Forwarded is a file of this machine that another one ingests.
type Forwarded struct {
	ID       corpus.DocumentID
	Source   string
	Root     string // of the source, on disk; empty when the request named the source, which is the same wherever it is
	Path     string // in the source
	File     string // on disk
	Bytes    int64
	Metadata map[string]any // that is beside it, without its groups
	Groups   []string       // that may see it; none is everyone
}

// Forwarder has files of one source ingested, and tells what became of each by its index. Where it names a document, it
// tells of one inside of that file.
type Forwarder func(ctx context.Context, files []Forwarded, done func(int, DocumentDone)) error

// Bounds of what a Forwarder is given at once.
const (
	forwardFiles    = 200
	forwardBytes    = 256 << 20
	forwardMetadata = 256 << 10
)

// Forward discovers files as Run does, by the same rules, and has them ingested elsewhere. known are the sources there,
// with the folders that they have here. Events, report and errors are those of Run. Requests to prune or to write nothing, and addresses, are corpus.ErrUnsupported.
func Forward(ctx context.Context, req Request, known []corpus.Source, forward Forwarder, observe func(Event)) (Report, error) {
	f := forwarding{forward: forward, run: &run{Ingester: &Ingester{}, Request: req, reporter: newReporter(req, observe)}}
	err := f.all(ctx, known)
	return f.reporter.close(), err
}

// PathIn is the path that what is at disk has in the source of a folder above it, and the name that the folder gives
// the source.
func PathIn(folder, disk string) (name, path string, err error) {
	path, ok := relative(folder, disk)
	if !ok {
		return "", "", corpus.Errorf(corpus.ErrInvalid, "%s is not in %s", disk, folder)
	}
	return identity(filepath.Base(folder)), path, nil
}

type forwarding struct {
	*run
	forward Forwarder
	batch   []Forwarded
	named   []bool // of the batch
	bytes   int64
	beside  int // bytes of metadata
}

func (f *forwarding) all(ctx context.Context, known []corpus.Source) error {
	if err := errors.Join(corpus.CheckCollectionName(f.Collection), f.Globs.Check(), f.Shard.Check()); err != nil {
		return err
	}
	if f.Prune || f.DryRun {
		return corpus.Errorf(corpus.ErrUnsupported, "ingest elsewhere: nothing can be pruned or tried there")
	}
	var err error
	if f.plan, err = makePlan(ctx, f.Request, nil, known); err != nil {
		return err
	}
	f.loadRules()
	if err := f.checkIgnored(); err != nil {
		return err
	}
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	files := make(chan file, 64)
	go func() {
		defer close(files)
		if err := f.discover(work, files); err != nil {
			cancel(err)
		}
	}()
	for found := range files {
		if err := f.take(work, found); err != nil {
			cancel(err)
			for range files { // until whoever finds them has stopped
			}
			return err
		}
	}
	if work.Err() != nil {
		return context.Cause(work)
	}
	if err := f.flush(work); err != nil {
		return err
	}
	if f.files == 0 {
		f.warn("There was nothing to read in " + strings.Join(f.Paths, ", ") + ".")
	}
	return f.namedErrors()
}

// take puts a file into the batch, or tells why it isn't sent.
func (f *forwarding) take(ctx context.Context, found file) error {
	info, err := os.Stat(found.disk)
	if err != nil {
		f.done(DocumentDone{ID: found.id, Source: found.source, Document: found.path, Outcome: OutcomeQuarantined, Code: string(parse.Unreadable), Reason: ioReason(err)})
		return nil
	}
	beside := readSidecar(found.disk)
	var m metadata
	if beside.err == nil {
		m, beside.err = mergeMetadata(nil, beside.values)
	}
	if beside.err != nil {
		f.done(DocumentDone{ID: found.id, Source: found.source, Document: found.path, Outcome: OutcomeQuarantined, Code: "metadata", Reason: beside.err.Error()})
		return nil
	}
	last := len(f.batch) - 1
	if last >= 0 && (f.batch[last].Source != found.source || last+1 == forwardFiles || f.bytes+info.Size() > forwardBytes || f.beside+len(beside.bytes) > forwardMetadata) {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	root := ""
	if f.Source == "" {
		i := slices.IndexFunc(f.plan.sources, func(s corpus.Source) bool { return s.Name == found.source })
		root = f.plan.sources[i].Root
	}
	f.batch = append(f.batch, Forwarded{
		ID: found.id, Source: found.source, Root: root, Path: found.path, File: found.disk, Bytes: info.Size(), Metadata: maps.Clone(m.rest), Groups: slices.Clone(m.groups),
	})
	f.named = append(f.named, found.named)
	f.bytes += info.Size()
	f.beside += len(beside.bytes)
	return nil
}

// flush has the batch ingested.
func (f *forwarding) flush(ctx context.Context) error {
	batch, named := f.batch, f.named
	f.batch, f.named, f.bytes, f.beside = nil, nil, 0, 0
	if len(batch) == 0 {
		return nil
	}
	told := make([]bool, len(batch))
	err := f.forward(ctx, batch, func(i int, d DocumentDone) {
		told[i] = true
		if d.Source = batch[i].Source; d.Document == "" {
			d.ID, d.Document = batch[i].ID, batch[i].Path
		}
		code := parse.ErrorCode(d.Code)
		unread := d.Outcome == OutcomeFailed || d.Outcome == OutcomeQuarantined
		refused := d.Outcome == OutcomeFailed && code == parse.UnsupportedFormat // its name is not taken there
		if unread && notForUs(code, d.Document, parse.HasKnownExtension(d.Document) && !refused, named[i]) {
			d = DocumentDone{ID: d.ID, Source: d.Source, Document: d.Document, Outcome: OutcomeSkipped, Reason: d.Reason}
		}
		f.done(d)
	})
	if err != nil {
		return err
	}
	for i, done := range told {
		if !done {
			return corpus.Errorf(corpus.ErrUnavailable, "it is not known what became of %s", batch[i].Path)
		}
	}
	return nil
}
