package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/store"
)

// compare asks what an ingest of the paths, or of all sources that are there, would do.
func (v *verification) compare(ctx context.Context, found *findings) ([]Source, error) {
	sources, err := v.store.Sources(ctx, v.Collection)
	if err != nil {
		return nil, err
	}
	roots := map[string]string{}
	told := make([]Source, 0, len(sources))
	var paths []string
	for _, s := range sources {
		roots[s.Name] = s.Root
		t := Source{Name: s.Name, Root: s.Root}
		if len(v.Paths) == 0 {
			t.Compared, t.Reason = reachableRoot(s.Root)
		} else if t.Compared = touches(v.Paths, s.Root); !t.Compared {
			t.Reason = "It is not among the paths that were named."
		}
		told = append(told, t)
		if !t.Compared || len(v.Paths) > 0 {
			continue
		}
		present, err := v.presentParts(ctx, s, found)
		if err != nil {
			return nil, err
		}
		paths = append(paths, present...)
	}
	if len(v.Paths) > 0 {
		paths = v.Paths
	}
	if len(paths) == 0 {
		return told, nil
	}
	return told, v.dryRun(ctx, paths, roots, found)
}

// reachableRoot reports whether the root of a source is a folder that is there, and why not.
func reachableRoot(root string) (bool, string) {
	if !filepath.IsAbs(root) {
		return false, "It is no folder."
	}
	if _, err := os.Stat(root); err != nil {
		return false, "Its folder is not there."
	}
	return true, ""
}

// touches reports whether one of the paths is in the root, or the root in one of them.
func touches(paths []string, root string) bool {
	for _, p := range paths {
		p, err := filepath.Abs(p)
		if err == nil && (strings.HasPrefix(p+"/", strings.TrimSuffix(root, "/")+"/") || strings.HasPrefix(root+"/", strings.TrimSuffix(p, "/")+"/")) {
			return true
		}
	}
	return false
}

// presentParts returns the paths on disk of what was ingested of a source. Documents of parts that are not there are
// gone.
func (v *verification) presentParts(ctx context.Context, s corpus.Source, found *findings) (present []string, err error) {
	if len(s.Paths) == 0 {
		return []string{s.Root}, nil
	}
	for _, part := range s.Paths {
		if disk, there := onDisk(s.Root, part); there {
			present = append(present, disk)
			continue
		}
		q := store.DocumentQuery{Scope: v.scope(), Source: s.Name, Prefix: part, Limit: 500}
		for {
			docs, next, err := v.store.Documents(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, d := range docs {
				if d.Path == part || strings.HasPrefix(d.Path, part+"/") {
					found.about(d, Gone, goneProblem)
				}
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
	}
	return present, nil
}

const goneProblem = "Its file is not there any more; `grounded ingest --prune` of its folder removes it."

// onDisk finds a path of a source on the disk, whose names may be in another form of Unicode.
func onDisk(root, path string) (string, bool) {
	for _, p := range []string{path, norm.NFD.String(path)} {
		disk := filepath.Join(root, filepath.FromSlash(p))
		if _, err := os.Lstat(disk); err == nil {
			return disk, true
		}
	}
	return "", false
}

// dryRun turns what an ingest would do into faults.
func (v *verification) dryRun(ctx context.Context, paths []string, roots map[string]string, found *findings) error {
	var added, changed []ingest.DocumentDone
	_, err := v.Ingester.Run(ctx, ingest.Request{Collection: v.Collection, Paths: paths, Globs: v.Globs, Prune: true, DryRun: true}, func(e ingest.Event) {
		d, is := e.(ingest.DocumentDone)
		if !is {
			return
		}
		switch d.Outcome {
		case ingest.OutcomeNew:
			added = append(added, d)
		case ingest.OutcomeChanged:
			changed = append(changed, d)
		case ingest.OutcomePruned:
			found.add(Fault{Kind: Gone, Document: d.ID, Source: d.Source, Path: d.Document, Problem: goneProblem})
		}
	})
	if err != nil && !errors.Is(err, corpus.ErrUnsupported) { // a named file of a format that nothing reads is not lost
		return fmt.Errorf("compare with the sources: %w", err)
	}
	for _, d := range added {
		mine, err := v.isForUs(ctx, d, roots)
		if err != nil {
			return err
		}
		if mine {
			found.add(Fault{Kind: Lost, Document: d.ID, Source: d.Source, Path: d.Document, Problem: "It is neither stored nor quarantined; ingest it."})
		}
	}
	for _, d := range changed {
		f := Fault{Kind: Stale, Document: d.ID, Source: d.Source, Path: d.Document, Problem: "Its file has changed since it was stored; ingest it again."}
		stored, err := v.store.Document(ctx, v.scope(), d.ID)
		switch {
		case err != nil && !errors.Is(err, corpus.ErrNotFound):
			return err
		case err == nil && stored.PipelineFingerprint != v.Ingester.PipelineFingerprint(stored.MediaType):
			f.Kind, f.Problem = Outdated, "It was read by another version or configuration, or is marked to be read again; ingest it again."
		}
		found.add(f)
	}
	return nil
}

// isForUs reports whether an ingest would store or quarantine a file: one with an unknown extension may be of no
// format that is read, and skipped.
func (v *verification) isForUs(ctx context.Context, d ingest.DocumentDone, roots map[string]string) (bool, error) {
	if parse.HasKnownExtension(d.Document) {
		return true, nil
	}
	disk, there := onDisk(roots[d.Source], d.Document)
	if !there {
		return true, nil
	}
	_, err := v.Ingester.Parser.Parse(ctx, parse.Input{Path: disk})
	code := parse.CodeOf(err)
	if err != nil && code == "" {
		return false, err
	}
	return code != parse.UnsupportedFormat && code != parse.Empty, nil
}
