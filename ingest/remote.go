package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// Keys of a document's metadata that tell what it was fetched as; they are not there for files of this machine.
const (
	revisionKey = "source_revision" // source.Fetched.Revision
	listingKey  = "source_listing"  // source.Fetched.Listing
)

// remote is what has to be fetched before it is read.
type remote struct {
	source.Entry
	source.Fetched
}

// remoteWalk is what a source that lists itself tells its entries.
type remoteWalk struct {
	walk
	from corpus.Source
	put  bool // from is remembered
}

// Found implements source.Visitor.
func (w *remoteWalk) Found(e source.Entry) error {
	// A source that could not be listed is none: the address may be wrong.
	if !w.put && !w.DryRun {
		if err := w.putSource(w.ctx, w.from); err != nil {
			return err
		}
		w.put = true
	}
	path := identity(e.Path)
	if !e.Named {
		if !w.Globs.Match(path) {
			w.leaveOut()
			return w.ctx.Err()
		}
		if !w.Shard.has(path) {
			return w.ctx.Err()
		}
	}
	f := file{path: path, uri: e.URI, named: e.Named, remote: &remote{Entry: e}}
	if w.listed != nil {
		id := corpus.NewDocumentID(w.Collection, w.source, path)
		if _, twice := w.listed[id]; twice {
			return w.ctx.Err()
		}
		w.listed[id] = struct{}{}
	}
	return w.send(f)
}

// Skip implements source.Visitor.
func (w *remoteWalk) Skip(path, reason string) {
	w.remember(file{path: identity(path)})
	w.skip(path, reason)
}

// Gap implements source.Visitor.
func (w *remoteWalk) Gap(path, reason string) {
	w.done(DocumentDone{Source: w.source, Document: path, Outcome: OutcomeQuarantined, Code: string(source.Unreachable), Reason: reason})
}

// fetch makes a file of an entry, and goes on with it as with any other.
func (r *run) fetch(ctx context.Context, f file, w *writer) error {
	known, isKnown, err := r.stored(ctx, f)
	if err != nil {
		return err
	}
	_, rejected := r.quarantine[f.id]
	revision := ""
	var parts []DocumentDone
	whole := false
	if isKnown && !rejected && r.isCurrent(known) {
		if parts, whole, err = r.unchangedParts(ctx, f, known); err != nil {
			return err
		}
	}
	if whole {
		revision, _ = known.Metadata[revisionKey].(string)
	}
	folder, err := os.MkdirTemp(r.scratch.dir, "")
	if err != nil {
		return fmt.Errorf("make a folder for what is fetched: %w", err)
	}
	defer os.RemoveAll(folder)
	fetched, err := f.remote.Fetch(ctx, folder, revision)
	code := parse.CodeOf(err)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case code == source.Gone && isKnown && r.Prune:
		return r.remove(ctx, f)
	case code == source.Forbidden && !f.named:
		return r.passOver(f, err.Error())
	case code != "" && f.named && code != parse.TooLarge:
		r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeFailed, Code: string(code), Reason: err.Error(), Stale: isKnown})
		return nil
	case code != "":
		return r.reject(ctx, f, reading{}, code, err.Error())
	case err != nil:
		return fmt.Errorf("fetch %s: %w", f.path, err)
	case fetched.File == "" && revision == "":
		return fmt.Errorf("fetch %s: the source gave nothing", f.path)
	}
	f.disk = filepath.Join(folder, filepath.Base(fetched.File))
	f.remote = &remote{f.remote.Entry, fetched}
	if fetched.File == "" {
		return r.unchanged(ctx, f, known, parts)
	}
	return r.process(ctx, f, w)
}

// remove deletes a document that its source says is gone, with what is inside of it.
func (r *run) remove(ctx context.Context, f file) error {
	if _, err := r.deleteGoneParts(ctx, f, map[string]bool{}); err != nil {
		return err
	}
	if !r.DryRun {
		if err := r.Store.Delete(ctx, r.Collection, f.id); err != nil {
			return fmt.Errorf("prune %s: %w", f.path, err)
		}
	}
	r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomePruned})
	return nil
}

// unchanged ends the work on a document that is stored as it is, with what is inside of it. Only what it was fetched
// as may be new.
func (r *run) unchanged(ctx context.Context, f file, known corpus.Document, parts []DocumentDone) error {
	if values := f.origin(); values != nil && !r.DryRun && r.fetchedAnew(known, values) {
		known.Metadata = maps.Clone(known.Metadata)
		if known.Metadata == nil {
			known.Metadata = map[string]any{}
		}
		maps.Copy(known.Metadata, values)
		// Another process may have deleted it meanwhile: then it is gone, and the next run reads it.
		if err := r.copyDocument(ctx, known.ID, known); err != nil && !errors.Is(err, corpus.ErrNotFound) {
			return fmt.Errorf("store %s: %w", f.path, err)
		}
	}
	r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: OutcomeUnchanged})
	for _, p := range parts {
		r.found()
		r.done(p)
	}
	return nil
}

func (r *run) fetchedAnew(known corpus.Document, values map[string]any) bool {
	for key, value := range values {
		if known.Metadata[key] != value {
			return true
		}
	}
	return false
}

// origin is what a fetched document's metadata tells of its source; nil for a file. What is inside of it is listed
// with it.
func (f file) origin() map[string]any {
	if f.part != nil {
		values := f.part.origin()
		delete(values, revisionKey)
		return values
	}
	if f.remote == nil {
		return nil
	}
	values := map[string]any{}
	if f.remote.Revision != "" {
		values[revisionKey] = f.remote.Revision
	}
	if f.remote.Listing != "" {
		values[listingKey] = f.remote.Listing
	}
	return values
}
