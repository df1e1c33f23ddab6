package ingest

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// file is one that was discovered.
type file struct {
	id     corpus.DocumentID
	source string
	path   string // in the source
	disk   string
	uri    string // where it is, for people
	named  bool   // on the command line, not found in a folder
	part   *part  // what it is inside of another document; nil for a file on disk
	remote *remote
}

// gap is a part of a source that could not be looked at.
type gap struct {
	source, path string
}

// discover sends the files of all scopes, folders in order of their names.
func (r *run) discover(ctx context.Context, out chan<- file) error {
	for _, s := range r.plan.scopes {
		w := walk{run: r, ctx: ctx, out: out, source: s.source.Name, ignore: r.ignore[s.source.Name]}
		var err error
		switch {
		case s.remote != nil:
			err = s.remote.List(ctx, &remoteWalk{walk: w, from: s.source})
		case s.file:
			err = w.send(file{path: s.path, disk: s.disk, uri: s.disk, named: true})
		default:
			// Links may lead anywhere in the source. Without its real path none is followed.
			w.root, _ = filepath.EvalSymlinks(s.source.Root)
			err = w.folder(s.disk, s.path, diskPath(s.source.Root, s.disk))
		}
		if err != nil {
			return err
		}
	}
	r.foundAll()
	return nil
}

// walk goes through one scope.
type walk struct {
	*run
	ctx    context.Context
	out    chan<- file
	source string
	root   string // of the source, without symbolic links
	ignore *source.Ignore
}

// folder goes through a folder. rel is its path on disk, from the source's root.
func (w *walk) folder(disk, path, rel string) error {
	if w.ignored(path, rel, true) {
		return nil
	}
	if err := w.ignore.Check(rel); err != nil {
		w.gap(path, "The folder is not read, since it is not known what is to be left out: "+err.Error()+". What is stored of it stays.")
		return nil
	}
	entries, err := os.ReadDir(disk)
	if err != nil {
		w.gap(path, "The folder can't be listed: "+diskReason(err)+". What is stored of it stays.")
	}
	files := map[string]bool{} // names, of which a folder's may be made
	taken := map[string]bool{} // identities of names that have more than one form
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "~$") {
			continue
		}
		f := file{path: join(path, e.Name()), disk: filepath.Join(disk, e.Name())}
		if !isASCII(f.path) || strings.Contains(e.Name(), "%") {
			if taken[f.path] {
				w.skip(f.path, "another file of the folder has the same name in another form of Unicode")
				continue
			}
			taken[f.path] = true
		}
		if name, ok := strings.CutSuffix(e.Name()+"/", parse.PartSeparator); ok && e.IsDir() && files[name] {
			w.skip(f.path+"/", "its name means what is inside of the file beside it; rename the folder")
			continue
		}
		files[e.Name()] = !e.IsDir()
		below := slashed(rel, e.Name())
		if e.IsDir() {
			err = w.folder(f.disk, f.path, below)
		} else {
			err = w.entry(e, f, below)
		}
		if err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

// gap reports a folder whose files are not known. What is stored of them stays.
func (w *walk) gap(path, reason string) {
	w.gaps = append(w.gaps, gap{w.source, path})
	w.done(DocumentDone{Source: w.source, Document: path + "/", Outcome: OutcomeQuarantined, Code: string(parse.Unreadable), Reason: reason})
}

// entry sends a file, if it is for us.
func (w *walk) entry(e fs.DirEntry, f file, rel string) error {
	if source.IsSidecar(e.Name()) {
		return nil
	}
	if w.ignored(f.path, rel, false) {
		return nil
	}
	if !w.changed(f.disk) {
		w.remember(f)
		return nil
	}
	reason := ""
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		reason = w.badLink(f.disk)
	case !e.Type().IsRegular():
		reason = "not a regular file"
	}
	if reason == "" && !parse.HasKnownExtension(e.Name()) {
		reason = mediaReason(f.disk)
	}
	if reason != "" {
		w.remember(f)
		w.skip(f.path, reason)
		return nil
	}
	f.uri = f.disk
	return w.send(f)
}

func (w *walk) badLink(disk string) string {
	target, err := filepath.EvalSymlinks(disk)
	if err != nil {
		return "a symbolic link that leads nowhere"
	}
	info, err := os.Stat(target)
	if err != nil || !info.Mode().IsRegular() {
		return "a symbolic link to what is not a file"
	}
	if _, inside := relative(w.root, target); w.root == "" || !inside {
		return "a symbolic link out of the source's folder"
	}
	return ""
}

// mediaReason tells pictures, sound, films and fonts, which may be large, from their first bytes.
func mediaReason(disk string) string {
	f, err := os.Open(disk)
	if err != nil {
		return "" // reading it reports why
	}
	defer f.Close()
	start := make([]byte, 3072)
	n, _ := io.ReadFull(f, start)
	if kind := mimetype.Detect(start[:n]).String(); source.IsMedia(kind) {
		return "no parser for " + kind
	}
	return ""
}

// documentID of a file whose source and path are set.
func (r *run) documentID(f file) corpus.DocumentID {
	return corpus.NewDocumentID(r.Collection, f.source, f.path)
}

func (w *walk) send(f file) error {
	f = w.remember(f)
	w.found()
	select {
	case w.out <- f:
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// remember names the file, and keeps it from being pruned.
func (w *walk) remember(f file) file {
	f.source = w.source
	f.id = w.documentID(f)
	if w.seen != nil {
		w.seen[f.id] = struct{}{}
	}
	return f
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
