package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"grounded/corpus"
)

// Stream is a source of one document that a reader gives, such as standard input.
type Stream struct {
	reader io.Reader
	name   string
	limit  int64
}

// NewStream returns the source of a document that is called name. It has at most limit bytes.
func NewStream(r io.Reader, name string, limit int64) (*Stream, error) {
	switch {
	case name == "":
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read standard input: the document has no name"),
			"say what it is with --name report.md: the extension tells the format, and the same name is the same document")
	case name != path.Clean(name) || path.IsAbs(name) || strings.HasPrefix(name, "..") || name == "." || strings.ContainsAny(name, "\\\x00"):
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read standard input: %q is no name for a document", name),
			"a name is like report.md or reports/2026.md")
	}
	return &Stream{r, name, limit}, nil
}

// Name implements Source.
func (*Stream) Name() string { return "stdin" }

// Root implements Source.
func (*Stream) Root() string { return "-" }

// Path implements Source.
func (s *Stream) Path() string { return s.name }

// Lost implements Source.
func (*Stream) Lost() string { return "" }

// Gone implements Source: what was given once stays.
func (*Stream) Gone(string, string) bool { return false }

// List implements Source.
func (s *Stream) List(_ context.Context, v Visitor) error {
	return v.Found(Entry{Path: s.name, URI: s.name, Named: true, Fetch: s.fetch})
}

func (s *Stream) fetch(ctx context.Context, folder, _ string) (Fetched, error) {
	name := filepath.Join(folder, path.Base(s.name))
	if err := Save(ctx, name, s.reader, s.limit); err != nil {
		return Fetched{}, err
	}
	return Fetched{File: name}, nil
}

// Save writes what the reader gives to a new file. It fails with a *parse.Error when that is more than limit bytes, or
// the reader fails.
func Save(ctx context.Context, file string, r io.Reader, limit int64) error {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep what was fetched: %w", err)
	}
	in := &watchedReader{r: r}
	n, err := io.Copy(out, io.LimitReader(in, limit+1))
	if closed := out.Close(); err == nil {
		err = closed
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case in.err != nil:
		return Errorf(Unreachable, "It broke off: %v.", in.err)
	case err != nil:
		return fmt.Errorf("keep what was fetched: %w", err)
	case n > limit:
		return TooLarge(limit)
	}
	return nil
}

// watchedReader tells errors of reading from those of writing.
type watchedReader struct {
	r   io.Reader
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

var _ Source = (*Stream)(nil)

// FileName makes a name for a file out of the last part of a path: short, and without what file systems refuse.
func FileName(p string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(path.Base(p), "_"))
	if name == "." || name == ".." {
		name = "_"
	}
	const longest = 120 // bytes, of the 255 that file systems allow, so that suffixes fit
	if extension := path.Ext(name); len(name) > longest && len(extension) < longest {
		name = strings.ToValidUTF8(name[:longest-len(extension)], "") + extension
	}
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return name
}
