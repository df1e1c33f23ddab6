package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/store"
)

// deleteBatch documents are deleted by one call.
const deleteBatch = 256

// prune deletes the documents under the run's paths whose files are gone. Where a folder could not be listed,
// nothing is.
func (r *run) prune(ctx context.Context) error {
	for _, g := range r.gaps {
		where := g.path + "/"
		if g.path == "" {
			where = "source " + g.source
		}
		r.warn(fmt.Sprintf("Nothing in %s was pruned, since it could not be listed.", where))
	}
	for _, s := range r.plan.scopes {
		if s.file {
			continue
		}
		if s.remote != nil {
			if lost := s.remote.Lost(); lost != "" {
				r.warn(fmt.Sprintf("Nothing in source %s was pruned: %s", s.source.Name, lost))
				continue
			}
		} else if _, err := os.Stat(s.disk); err != nil {
			r.warn(fmt.Sprintf("Nothing in source %s was pruned: its folder %s went away during the run.", s.source.Name, s.disk))
			continue
		}
		gone, err := r.gone(ctx, s)
		if err != nil {
			return err
		}
		if err := r.deleteDocuments(ctx, gone); err != nil {
			return err
		}
	}
	return nil
}

// deleteDocuments deletes the documents, except in a dry run, and reports them.
func (r *run) deleteDocuments(ctx context.Context, gone []DocumentDone) error {
	for len(gone) > 0 {
		n := min(len(gone), deleteBatch)
		if !r.DryRun {
			ids := make([]corpus.DocumentID, n)
			for i, d := range gone[:n] {
				ids[i] = d.ID
			}
			if err := r.Store.Delete(ctx, r.Collection, ids...); err != nil {
				return fmt.Errorf("prune: %w", err)
			}
		}
		for _, d := range gone[:n] {
			r.done(d)
		}
		gone = gone[n:]
	}
	return nil
}

// gone lists the documents of the scope, stored or quarantined, whose files are not there.
func (r *run) gone(ctx context.Context, s scope) ([]DocumentDone, error) {
	var gone []DocumentDone
	add := func(id corpus.DocumentID, path, listing string) {
		container, isPart := outermost(path)
		wanted := r.wants(path) || isPart && r.wants(container)
		if _, seen := r.seen[id]; seen || !s.contains(path) || !wanted || !r.isGone(s, path, listing) {
			return
		}
		// What is inside of a file goes when the file is read and does not have it any more, or with the file.
		if isPart {
			id := corpus.NewDocumentID(r.Collection, s.source.Name, container)
			if _, seen := r.seen[id]; seen || !r.isGone(s, container, listing) {
				return
			}
		}
		gone = append(gone, DocumentDone{ID: id, Source: s.source.Name, Document: path, Outcome: OutcomePruned})
	}
	listed := map[corpus.DocumentID]bool{}
	list := func(source, inSource, prefix string) error {
		q := store.DocumentQuery{Scope: r.scope(), Source: source, Prefix: inSource, Limit: 1000}
		for {
			docs, next, err := r.Store.Documents(ctx, q)
			if errors.Is(err, corpus.ErrNotFound) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list documents to prune: %w", err)
			}
			for _, d := range docs {
				path := d.Path
				if prefix != "" {
					path = prefix + "/" + path
				}
				before := len(gone)
				listing, _ := d.Metadata[listingKey].(string)
				add(corpus.NewDocumentID(r.Collection, s.source.Name, path), path, listing)
				if len(gone) > before {
					listed[gone[before].ID] = true
				}
			}
			if next == "" {
				return nil
			}
			q.Cursor = next
		}
	}
	if err := list(s.source.Name, s.path, ""); err != nil {
		return nil, err
	}
	if r.DryRun {
		for _, a := range r.plan.absorbed {
			if a.into.Name == s.source.Name {
				if err := list(a.from.Name, "", a.prefix); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, q := range r.quarantine {
		if q.Source == s.source.Name && !listed[q.DocumentID] {
			add(q.DocumentID, q.Path, "")
		}
	}
	return gone, nil
}

// isGone reports whether a path of the scope that was not found is not there, or not to be read, any more.
func (r *run) isGone(s scope, path, listing string) bool {
	if s.remote != nil {
		return s.remote.Gone(path, listing)
	}
	return !r.hidden(s.source.Name, path) && (!exists(s.source.Root, path) || r.isIgnored(s.source.Name, path))
}

// hidden reports whether a path of the source is in a folder that could not be listed.
func (r *run) hidden(source, path string) bool {
	for _, g := range r.gaps {
		if g.source == source && (g.path == "" || strings.HasPrefix(path, g.path+"/")) {
			return true
		}
	}
	return false
}

// exists reports whether the file is there, or may be.
func exists(root, path string) bool {
	for _, p := range []string{path, norm.NFD.String(path)} {
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(p))); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return true
		}
	}
	return false
}
