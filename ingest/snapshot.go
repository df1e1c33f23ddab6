package ingest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"grounded/ingest/source"
)

// snapshot is what files there are under the followed paths, and what shows that one has changed.
type snapshot struct {
	files   map[string]stamp       // by absolute path
	folders map[string]fs.FileInfo // likewise
	missing string                 // a path that is not there; empty if all are
}

type stamp struct {
	size     int64
	modified time.Time
}

// look takes a snapshot. What can't be looked at is not in it.
func look(paths []string) snapshot {
	s := snapshot{files: map[string]stamp{}, folders: map[string]fs.FileInfo{}}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			s.missing = p
		case info.IsDir():
			s.walk(p, "", source.NewIgnore(p))
		default:
			s.add(p, info)
			for _, sidecar := range source.SidecarNames(p) {
				if beside, err := os.Stat(sidecar); err == nil {
					s.add(sidecar, beside)
				}
			}
			// Editors put a new file in the place of the old one, which only its folder knows of.
			if folder, err := os.Stat(filepath.Dir(p)); err == nil {
				s.folders[filepath.Dir(p)] = folder
			}
		}
	}
	return s
}

func (s *snapshot) add(disk string, info fs.FileInfo) {
	s.files[disk] = stamp{info.Size(), info.ModTime()}
}

func (s *snapshot) walk(disk, rel string, ignore *source.Ignore) {
	info, err := os.Stat(disk)
	if err != nil {
		return
	}
	s.folders[disk] = info
	entries, err := os.ReadDir(disk)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Name() != source.IgnoreName || strings.HasPrefix(e.Name(), "~$") {
			continue
		}
		path, below := filepath.Join(disk, e.Name()), slashed(rel, e.Name())
		if e.IsDir() {
			if reason, err := ignore.Match(below, true); err == nil && reason == "" {
				s.walk(path, below, ignore)
			}
			continue
		}
		// The time of a link is that of the file that it leads to.
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			s.add(path, info)
		}
	}
}

// changes between two snapshots.
type changes struct {
	files   map[string]struct{} // that are new or changed, or whose metadata is
	removed bool                // there are files that are gone
	rules   bool                // what is to be left out may be another
}

// changes compares with the next snapshot. Files that are named count as changed in any case.
func (s snapshot) changes(next snapshot, named map[string]struct{}) changes {
	c := changes{files: map[string]struct{}{}}
	described := map[string]bool{} // paths, with or without extension, whose metadata has changed
	note := func(path string) {
		switch of := source.SidecarOf(path); {
		case filepath.Base(path) == source.IgnoreName:
			c.rules = true
		case of != "":
			described[of] = true
		default:
			c.files[path] = struct{}{}
		}
	}
	for path, now := range next.files {
		before, known := s.files[path]
		if _, isNamed := named[path]; isNamed || !known || before.size != now.size || !before.modified.Equal(now.modified) {
			note(path)
		}
	}
	for path := range s.files {
		if _, there := next.files[path]; there {
			continue
		}
		if source.IsSidecar(path) || filepath.Base(path) == source.IgnoreName {
			note(path)
		} else {
			c.removed = true
		}
	}
	if len(described) > 0 {
		for path := range next.files {
			if described[path] || described[strings.TrimSuffix(path, filepath.Ext(path))] {
				c.files[path] = struct{}{}
			}
		}
	}
	return c
}
