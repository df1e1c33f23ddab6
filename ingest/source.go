package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/ingest/source"
)

// plan says which part of which sources a run works on.
type plan struct {
	scopes   []scope         // none inside another
	sources  []corpus.Source // of the scopes, as they are to be remembered
	absorbed []absorption
}

// scope is a folder or file of a source.
type scope struct {
	source corpus.Source
	path   string // in the source; empty for all of it
	disk   string // where it is
	file   bool
	remote source.Source // what lists it, if it is no folder or file
}

// contains reports whether the scope has the path of its source.
func (s scope) contains(p string) bool {
	return s.path == "" || p == s.path || strings.HasPrefix(p, s.path+"/")
}

// absorption is a source that has become part of a wider one.
type absorption struct {
	from, into corpus.Source
	prefix     string // path of from's root in into
}

// makePlan finds the source of each path. It reads the disk, and changes nothing.
//
// A path in the root of a known source belongs to that source. Any other begins a source, whose root is the
// folder, or the folder of the file, and takes over the sources inside of it. So the roots of a collection's
// sources never contain each other, and no file is two documents.
func makePlan(ctx context.Context, req Request, open func(context.Context, string) (source.Source, error), known []corpus.Source) (plan, error) {
	if len(req.Paths) == 0 {
		return plan{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest: no path was given"), "name files or folders")
	}
	type target struct {
		disk string
		file bool
	}
	var targets []target
	var addresses []string
	for _, p := range req.Paths {
		if source.IsAddress(p) {
			addresses = append(addresses, p)
			continue
		}
		disk, err := filepath.Abs(p)
		if err != nil {
			return plan{}, corpus.Errorf(corpus.ErrInvalid, "ingest %s: %w", p, err)
		}
		info, err := os.Stat(disk)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return plan{}, corpus.Errorf(corpus.ErrNotFound, "ingest %s: there is no such file or folder", p)
		case err != nil:
			return plan{}, corpus.Errorf(corpus.ErrInvalid, "ingest %s: %w", p, err)
		case !info.IsDir() && !info.Mode().IsRegular():
			return plan{}, corpus.Errorf(corpus.ErrInvalid, "ingest %s: it is neither a file nor a folder", p)
		case !info.IsDir() && source.IsSidecar(info.Name()):
			return plan{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest %s: it is the metadata of a document", p), "name the document beside it")
		}
		targets = append(targets, target{disk, !info.IsDir()})
	}
	// Wider folders come first, so that what is inside of them finds them.
	slices.SortStableFunc(targets, func(a, b target) int { return len(a.disk) - len(b.disk) })

	s := sources{Request: req, known: slices.Clone(known)}
	var out plan
	for _, t := range targets {
		from, rel, err := s.of(t.disk, t.file)
		if err != nil {
			return plan{}, err
		}
		inside := func(other scope) bool { return other.source.Name == from.Name && other.contains(rel) }
		if !slices.ContainsFunc(out.scopes, inside) {
			out.scopes = append(out.scopes, scope{source: from, path: rel, disk: t.disk, file: t.file})
		}
		out.add(from)
	}
	slices.Sort(addresses)
	for _, address := range slices.Compact(addresses) {
		if err := s.addRemote(ctx, &out, address, open); err != nil {
			return plan{}, err
		}
	}
	for _, into := range out.sources {
		for _, from := range s.known {
			if rel, ok := within(into.Root, from.Root); ok && from.Name != into.Name && rel != "" {
				out.absorbed = append(out.absorbed, absorption{from, into, rel})
			}
		}
	}
	return out, nil
}

// add remembers a source once.
func (p *plan) add(s corpus.Source) {
	if !slices.ContainsFunc(p.sources, func(o corpus.Source) bool { return o.Name == s.Name }) {
		p.sources = append(p.sources, s)
	}
}

// remotes counts the scopes that are fetched.
func (p *plan) remotes() (n int) {
	for _, s := range p.scopes {
		if s.remote != nil {
			n++
		}
	}
	return n
}

// addRemote opens the source of an address, and adds it as a scope.
func (s *sources) addRemote(ctx context.Context, out *plan, address string, open func(context.Context, string) (source.Source, error)) error {
	if open == nil {
		return corpus.Errorf(corpus.ErrUnsupported, "ingest %s: only files and folders are read here", address)
	}
	opened, err := open(ctx, address)
	if err != nil {
		return err
	}
	name := s.Source
	if name == "" {
		name = opened.Name()
		for _, k := range s.known {
			if k.Root == opened.Root() {
				name = k.Name
			}
		}
	}
	from := corpus.Source{Collection: s.Collection, Name: name, Root: opened.Root()}
	i := slices.IndexFunc(s.known, func(k corpus.Source) bool { return k.Name == name })
	switch {
	case i < 0:
		s.known = append(s.known, from)
	case s.known[i].Root != from.Root && !s.Moved:
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "source %q of the collection is %s, and %s is another one", name, s.known[i].Root, from.Root),
			"give it a name of its own with --source NAME, or say --moved if it has the same documents in a new place")
	default:
		s.known[i] = from
	}
	out.scopes = append(out.scopes, scope{source: from, path: identity(opened.Path()), remote: opened})
	out.add(from)
	return nil
}

// sources are those that are known, with those of this run.
type sources struct {
	Request
	known []corpus.Source
}

// of returns the source that a file or folder belongs to, and its path there.
func (s *sources) of(disk string, file bool) (corpus.Source, string, error) {
	best, at := -1, ""
	for i, k := range s.known {
		// An unfinished absorption leaves one source inside another: the wider one is right.
		if rel, ok := within(k.Root, disk); ok && (best < 0 || len(k.Root) < len(s.known[best].Root)) {
			best, at = i, rel
		}
	}
	if best >= 0 && (s.Source == "" || s.Source == s.known[best].Name) {
		return s.known[best], at, nil
	}
	root, rel := disk, ""
	if file {
		root, rel = filepath.Dir(disk), identity(filepath.Base(disk))
	}
	if best >= 0 && at != "" {
		return corpus.Source{}, "", corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%s is in %s, which is source %q of the collection", disk, s.known[best].Root, s.known[best].Name),
			"leave --source out, or use another collection")
	}
	name := s.Source
	if name == "" {
		name = identity(filepath.Base(root))
		if name == string(filepath.Separator) || name == "." {
			name = "root"
		}
	}
	from := corpus.Source{Collection: s.Collection, Name: name, Root: root}
	i := slices.IndexFunc(s.known, func(k corpus.Source) bool { return k.Name == name })
	if i < 0 {
		s.known = append(s.known, from)
		return from, rel, nil
	}
	if _, err := os.Lstat(s.known[i].Root); !s.Moved && !errors.Is(err, fs.ErrNotExist) || !filepath.IsAbs(s.known[i].Root) {
		return corpus.Source{}, "", corpus.Hint(corpus.Errorf(corpus.ErrConflict, "source %q of the collection is %s, and %s is another folder", name, s.known[i].Root, root),
			"give it a name of its own with --source NAME, or say --moved if it is the same folder in a new place")
	}
	s.known[i] = from
	return from, rel, nil
}

// within returns the path of disk in root, slash-separated and normalised ("" for the root itself), whether
// both are given as they are or through symbolic links.
func within(root, disk string) (string, bool) {
	if !filepath.IsAbs(root) {
		return "", false
	}
	if rel, ok := relative(root, disk); ok {
		return rel, true
	}
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", false
	}
	realDisk, err := filepath.EvalSymlinks(disk)
	if err != nil {
		return "", false
	}
	return relative(realRoot, realDisk)
}

func relative(root, disk string) (string, bool) {
	rel, err := filepath.Rel(root, disk)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	if rel == "." {
		return "", true
	}
	return identity(filepath.ToSlash(rel)), true
}

// identity is the form in which a file's name is part of a document's identity: NFC, since some systems
// decompose names; bytes that are not UTF-8 as %XX.
func identity(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r == '\uFFFD' && !strings.HasPrefix(name[i:], "\uFFFD") {
			b.WriteString("%" + strings.ToUpper(hexByte(name[i])))
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// join puts a name behind a path in a source.
func join(dir, name string) string { return path.Join(dir, identity(name)) }
