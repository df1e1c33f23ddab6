package ingest

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// Limits on documents inside of documents: members of archives, attachments. Zero values are the defaults.
type Limits struct {
	parse.Limits     // on all that is inside of one file, however deep
	Depth        int // archives in archives; default 3, less than 0 opens none
}

const (
	defaultParts = 10_000
	defaultBytes = 2 << 30
	// defaultDepth reads the files of an archive that is attached to a mail in an archive.
	defaultDepth = 3
)

func (l Limits) withDefaults() Limits {
	if l.Parts == 0 {
		l.Parts = defaultParts
	}
	if l.Bytes == 0 {
		l.Bytes = defaultBytes
	}
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	return l
}

// container is a document whose parts are read.
type container struct {
	file
	depth     int    // of its parts, from 1
	folder    string // where they are
	modified  time.Time
	inherited map[string]any // metadata of its parts: what is beside it, and the groups that may see it
	sidecars  map[string]parse.Part
	budget    *budget
	stored    sync.WaitGroup // parts that are on their way to the store
}

// part is a file's place in a container.
type part struct {
	*container
	parse.Part
}

// budget is what may still be unpacked of one file.
type budget struct {
	mu sync.Mutex
	parse.Limits
}

// take returns what is left, at least one file of one byte: then nothing can be opened any more.
func (b *budget) take() parse.Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return parse.Limits{Parts: max(1, b.Parts), Bytes: max(1, b.Bytes)}
}

func (b *budget) spend(parts []parse.Part) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Parts -= len(parts)
	for _, p := range parts {
		b.Bytes -= p.Size
	}
}

// depth is how many files the file is in.
func (f file) depth() int {
	if f.part == nil {
		return 0
	}
	return f.part.depth
}

// opens reports whether what is inside of the file is read.
func (r *run) opens(f file) bool { return f.depth() < r.Limits.Depth }

// looksInside reports whether a dry run reads the file: to tell what is inside of it or, where it is itself inside of
// another, whether it is for us.
func (r *run) looksInside(f file) bool {
	return parse.MayHaveParts(f.path) && r.opens(f) || f.part != nil && !parse.HasKnownExtension(f.path)
}

// limits on what is inside of the file.
func (r *run) limits(f file) parse.Limits {
	if f.part == nil {
		return r.Limits.Limits
	}
	return f.part.budget.take()
}

// processParts brings the parts of a document, and then the document, as far as the writer. The document is written
// when its parts are: a run that ends before opens it again.
func (r *run) processParts(ctx context.Context, f file, read reading, d *document, parsed parse.Document, w *writer) error {
	c := &container{
		file: f, depth: f.depth() + 1, folder: parsed.Folder, modified: read.modified,
		inherited: inheritance(read.sidecar.values, d.Groups), sidecars: map[string]parse.Part{},
	}
	if f.part == nil {
		c.budget = &budget{Limits: r.Limits.Limits}
	} else {
		c.budget = f.part.budget
	}
	c.budget.spend(parsed.Parts)
	c.uri = d.URI
	there, whole := map[string]bool{}, true
	var parts []file
	for _, p := range parsed.Parts {
		if source.IsSidecar(p.Path) {
			c.sidecars[p.Path] = p
			continue
		}
		if p.Rest {
			whole = false
		}
		if p.Error == nil || p.Error.Code != parse.Link {
			there[p.Path] = true
		}
		parts = append(parts, r.partFile(c, p))
	}
	if !whole {
		there = nil
	}
	if err := r.markOpened(ctx, f); err != nil {
		return err
	}
	if err := r.eachPart(ctx, parts, w); err != nil {
		return err
	}
	if r.DryRun {
		if _, err := r.deleteGoneParts(ctx, f, there); err != nil {
			return err
		}
		r.done(DocumentDone{ID: f.id, Source: f.source, Document: f.path, Outcome: d.outcome})
		return nil
	}
	w.writeAfter(ctx, c, there, d)
	return nil
}

// markOpened notes that parts of a document that is known may from now on be of another version than it, until it is
// written: even if the file becomes what it was, the next run opens it.
func (r *run) markOpened(ctx context.Context, f file) error {
	if r.DryRun {
		return nil
	}
	_, isKnown, err := r.stored(ctx, f)
	if err != nil || !isKnown {
		return err
	}
	err = r.Store.Quarantine(ctx, corpus.Quarantined{
		Collection: r.Collection, DocumentID: f.id, Source: f.source, Path: f.path, Code: "interrupted",
		Reason: "The ingest was ended while it was opened; ingest it again.", At: time.Now().UTC(),
	})
	if err != nil {
		return fmt.Errorf("mark %s as being opened: %w", f.path, err)
	}
	return nil
}

// partFile is a part as a file of the source.
func (r *run) partFile(c *container, p parse.Part) file {
	f := file{source: c.source, path: c.path + parse.PartSeparator + p.Path, part: &part{c, p}}
	f.id = r.documentID(f)
	if p.File != "" {
		f.disk = filepath.Join(c.folder, p.File)
	}
	f.uri = c.uri + parse.PartSeparator + p.Path
	return f
}

// eachPart works on files, more than one at a time while other workers of the run have nothing to do.
func (r *run) eachPart(ctx context.Context, parts []file, w *writer) error {
	group, work := errgroup.WithContext(ctx)
	for _, f := range parts {
		r.found()
		one := func() error { return r.processPart(ctx, f, w) }
		if r.spare.TryAcquire(1) {
			group.Go(func() error {
				defer r.spare.Release(1)
				return one()
			})
		} else if err := one(); err != nil {
			group.Go(func() error { return err })
		}
		if work.Err() != nil {
			break
		}
	}
	return group.Wait()
}

func (r *run) processPart(ctx context.Context, f file, w *writer) error {
	if err := f.part.Error; err != nil {
		return r.reject(ctx, f, reading{sidecar: f.part.sidecar()}, err.Code, err.Reason)
	}
	return r.process(ctx, f, w)
}

// inheritance is the metadata of a document that its parts have too.
func inheritance(beside map[string]any, groups []string) map[string]any {
	values := maps.Clone(beside)
	if values == nil {
		values = map[string]any{}
	}
	delete(values, "title")
	setGroups(values, groups)
	return values
}

// setGroups puts groups, if there are any, in the place of those that the values name.
func setGroups(values map[string]any, groups []string) {
	if len(groups) == 0 {
		return
	}
	for _, key := range groupKeys {
		delete(values, key)
	}
	values[groupKeys[0]] = groups
}

// when is the time of the part, or else that of its container.
func (p *part) when() time.Time {
	if p.Modified.IsZero() {
		return p.modified
	}
	return p.Modified.UTC()
}

// sidecar is the metadata of a part: what is beside it in its container, under what it inherits.
func (p *part) sidecar() sidecar {
	s := sidecar{}
	for _, name := range source.SidecarNames(p.Path) {
		if beside, ok := p.sidecars[name]; ok {
			s = p.readSidecar(beside)
			break
		}
	}
	return s.inherit(p.inherited)
}

// readSidecar reads metadata that is itself a part.
func (p *part) readSidecar(beside parse.Part) sidecar {
	if beside.Error != nil {
		return sidecar{found: true, err: unreadableSidecar(beside.Path, beside.Error.Reason)}
	}
	return loadSidecar(filepath.Join(p.folder, beside.File), beside.Path, stranger)
}

// outermost returns the path of the file on disk that a part is in, at whatever depth.
func outermost(document string) (file string, isPart bool) {
	file, _, isPart = strings.Cut(document, parse.PartSeparator)
	return file, isPart
}
