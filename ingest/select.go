package ingest

import (
	"hash/fnv"
	"path/filepath"
	"strings"

	"grounded/corpus"
	"grounded/ingest/source"
)

// Shard is one of Of equal parts of a source, counted from 1; the zero value is all of it. Which part a document
// is in depends on nothing but its path.
type Shard struct {
	Number, Of int
}

// Check fails for a shard that there can't be.
func (s Shard) Check() error {
	if s != (Shard{}) && (s.Of < 1 || s.Number < 1 || s.Number > s.Of) {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there is no shard %d of %d", s.Number, s.Of),
			"shards of eight machines are 1/8, 2/8 and so on to 8/8")
	}
	return nil
}

// has reports whether the path is in the shard. What is inside of a file is where the file is.
func (s Shard) has(p string) bool {
	if s.Of < 2 {
		return true
	}
	file, _, _ := strings.Cut(p, "!/")
	h := fnv.New64a()
	h.Write([]byte(file))
	// The low bits of FNV follow the last letters too closely: fold the high ones in (Fowler, Noll, Vo).
	sum := h.Sum64()
	return int((sum^sum>>32)%uint64(s.Of)) == s.Number-1
}

// wants reports whether the run is about a path at all: it is in the shard, and globs don't leave it out. What is
// stored of others stays as it is.
func (r *run) wants(p string) bool { return r.Shard.has(p) && r.Globs.Match(p) }

// ignored reports whether a file or folder that was found is not for this run. rel is its path on disk, from the
// source's root.
func (w *walk) ignored(p, rel string, isFolder bool) bool {
	if p == "" {
		return false
	}
	out := isFolder && !w.Globs.MatchFolder(p) || !isFolder && !w.Globs.Match(p)
	if !out {
		reason, err := w.ignore.Match(rel, isFolder)
		out = reason != "" || err != nil // folders with rules that can't be used were not gone into
	}
	if out {
		w.leaveOut()
	}
	return out || !isFolder && !w.Shard.has(p)
}

// checkIgnored fails when something that was asked for is left out by rules.
func (r *run) checkIgnored() error {
	for _, s := range r.plan.scopes {
		if s.remote != nil || s.path == "" {
			continue
		}
		reason, err := r.ignore[s.source.Name].Match(diskPath(s.source.Root, s.disk), !s.file)
		switch {
		case err != nil:
			return corpus.Errorf(corpus.ErrInvalid, "ingest %s: rules can't be read: %w", s.disk, err)
		case reason != "":
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest %s: it is left out by %s of source %q", s.disk, reason, s.source.Name),
				"change the rule, or name another file or folder")
		}
	}
	return nil
}

// isIgnored reports whether rules keep a stored path of a folder from being read now.
func (r *run) isIgnored(name, p string) bool {
	rules, ok := r.ignore[name]
	if !ok {
		return false
	}
	reason, err := rules.Match(p, false)
	return err == nil && reason != ""
}

// changed reports whether the run is about a file on disk: it always is, but when it was told which have changed.
func (r *run) changed(disk string) bool {
	if r.Changed == nil {
		return true
	}
	_, ok := r.Changed[disk]
	return ok
}

// loadRules prepares the rules of all folders of the plan.
func (r *run) loadRules() {
	r.ignore = map[string]*source.Ignore{}
	for _, s := range r.plan.sources {
		if filepath.IsAbs(s.Root) {
			r.ignore[s.Name] = source.NewIgnore(s.Root)
		}
	}
}

// diskPath is the slash-separated path of disk, which is in root, from there; "" for root itself.
func diskPath(root, disk string) string {
	rel, err := filepath.Rel(root, disk)
	if err != nil || strings.HasPrefix(rel, "..") {
		if realRoot, e := filepath.EvalSymlinks(root); e == nil {
			if realDisk, e := filepath.EvalSymlinks(disk); e == nil {
				rel, _ = filepath.Rel(realRoot, realDisk)
			}
		}
	}
	if rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

func slashed(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}
