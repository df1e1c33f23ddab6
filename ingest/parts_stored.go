package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/store"
)

// metaParts is the key of a document's metadata that says how many documents inside of it are stored.
const metaParts = "parts_stored"

// storedParts lists the documents stored that are inside of the file.
func (r *run) storedParts(ctx context.Context, f file) ([]corpus.Document, error) {
	q := store.DocumentQuery{Scope: r.scope(), Source: f.source, Prefix: f.path + parse.PartSeparator, Limit: 1000}
	var all []corpus.Document
	for {
		docs, next, err := r.Store.Documents(ctx, q)
		if errors.Is(err, corpus.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list what is inside of %s: %w", f.path, err)
		}
		all = append(all, docs...)
		if q.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// quarantinedParts are those inside of the file that could not be read when the run began.
func (r *run) quarantinedParts(f file) []corpus.Quarantined {
	var list []corpus.Quarantined
	for _, q := range r.quarantine {
		if q.Source == f.source && strings.HasPrefix(q.Path, f.path+parse.PartSeparator) {
			list = append(list, q)
		}
	}
	return list
}

// unchangedParts tells what is inside of a document that has not changed. ok is false when some of it is not stored any
// more, or has to be read again, or may be readable by now: then the document has to be opened.
func (r *run) unchangedParts(ctx context.Context, f file, known corpus.Document) (parts []DocumentDone, ok bool, err error) {
	if !parse.HasParts(known.MediaType) {
		return nil, true, nil
	}
	docs, err := r.storedParts(ctx, f)
	if err != nil {
		return nil, false, err
	}
	if n, _ := known.Metadata[metaParts].(float64); len(docs) != int(n) {
		return nil, false, nil
	}
	stored := make(map[corpus.DocumentID]bool, len(docs))
	for _, d := range docs {
		stored[d.ID] = true
		if !r.isCurrent(d) {
			return nil, false, nil
		}
		if _, rejected := r.quarantine[d.ID]; !rejected {
			parts = append(parts, DocumentDone{ID: d.ID, Source: d.Source, Document: d.Path, Outcome: OutcomeUnchanged})
		}
	}
	for _, q := range r.quarantinedParts(f) {
		if r.mayOpen(q) {
			return nil, false, nil
		}
		parts = append(parts, DocumentDone{ID: q.DocumentID, Source: q.Source, Document: q.Path, Outcome: OutcomeQuarantined,
			Code: q.Code, Reason: q.Reason, Stale: stored[q.DocumentID]})
	}
	return parts, true, nil
}

// deleteGoneParts deletes what was stored or quarantined of parts that are not there any more, and returns how many
// documents inside of the file remain. A file owns what is inside of it: this needs no Prune. there has the parts' paths;
// nil when they are not all known, and none is gone.
func (r *run) deleteGoneParts(ctx context.Context, f file, there map[string]bool) (left int, err error) {
	prefix := f.path + parse.PartSeparator
	isGone := func(path string) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), parse.PartSeparator)
		return there != nil && !there[name]
	}
	gone := map[corpus.DocumentID]string{}
	docs, err := r.storedParts(ctx, f)
	if err != nil {
		return 0, err
	}
	for _, d := range docs {
		if isGone(d.Path) {
			gone[d.ID] = d.Path
		} else {
			left++
		}
	}
	for _, q := range r.quarantinedParts(f) {
		if isGone(q.Path) {
			gone[q.DocumentID] = q.Path
		}
	}
	var list []DocumentDone
	for id, path := range gone {
		list = append(list, DocumentDone{ID: id, Source: f.source, Document: path, Outcome: OutcomePruned})
	}
	slices.SortFunc(list, func(a, b DocumentDone) int { return strings.Compare(a.Document, b.Document) })
	return left, r.deleteDocuments(ctx, list)
}

// deleteExposed deletes what is stored of a file, and of what is inside of it, when more people may see that than the
// metadata beside the file says by now: it stays in no older version.
func (r *run) deleteExposed(ctx context.Context, f file, beside sidecar) error {
	m, err := mergeMetadata(nil, beside.values)
	if err != nil || len(m.groups) == 0 || r.DryRun {
		return nil
	}
	docs, err := r.storedParts(ctx, f)
	if err != nil {
		return err
	}
	known, isKnown, err := r.stored(ctx, f)
	if err != nil {
		return err
	}
	if isKnown {
		docs = append(docs, known)
	}
	var ids []corpus.DocumentID
	for _, d := range docs {
		if len(d.Groups) == 0 || slices.ContainsFunc(d.Groups, func(g string) bool { return !slices.Contains(m.groups, g) }) {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := r.Store.Delete(ctx, r.Collection, ids...); err != nil {
		return fmt.Errorf("delete older versions of %s: %w", f.path, err)
	}
	return nil
}
