package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"grounded/corpus"
	"grounded/wire"
)

// Upload is a request that makes one job.
type Upload struct {
	Files  []File // at least one
	Source string // that the documents belong to; default the server's, "uploads"
	// Root is where the source is here, such as laptop:/home/ann/handbook: the server refuses another one under the same
	// name (corpus.ErrConflict), unless Moved says that it is the same in a new place. Empty adds to the source, wherever it is.
	Root     string
	Moved    bool
	Groups   []string       // that may see the documents; none is everyone who may read the collection
	Metadata map[string]any // of all documents: title, language and others
	// IdempotencyKey names the request: sent again under it, it makes no second job. Default a new one.
	IdempotencyKey string
}

// File is one to be uploaded.
type File struct {
	Path     string         // of the document in its source, with slashes
	Metadata map[string]any // over that of the upload
	Groups   []string       // instead of those of the upload
	Open     func() (io.ReadCloser, error)
}

// LocalFile is a file of this machine, which is the document of its name.
func LocalFile(name string) File {
	return File{Path: filepath.Base(name), Open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// Upload sends files, none of which is held in memory, and returns when they are kept. A job ingests them: see Watch.
// It is sent again as other calls are, since its key keeps it from becoming two jobs.
func (c *Client) Upload(ctx context.Context, collection string, u Upload) (wire.Upload, error) {
	if u.IdempotencyKey == "" {
		u.IdempotencyKey = uuid.NewString()
	}
	boundary := multipart.NewWriter(io.Discard).Boundary()
	return call[wire.Upload](ctx, c, request{
		method: "POST", path: []string{"api", "collections", collection, "documents"}, long: true,
		header:      http.Header{"Idempotency-Key": {u.IdempotencyKey}},
		contentType: "multipart/form-data; boundary=" + boundary,
		stream:      func(w io.Writer) error { return u.write(w, boundary) },
	})
}

func (u Upload) write(w io.Writer, boundary string) error {
	form := multipart.NewWriter(w)
	if err := form.SetBoundary(boundary); err != nil {
		return err
	}
	if u.Source != "" {
		if err := form.WriteField(wire.PartSource, u.Source); err != nil {
			return err
		}
	}
	if u.Root != "" {
		if err := form.WriteField(wire.PartRoot, u.Root); err != nil {
			return err
		}
	}
	if u.Moved {
		if err := form.WriteField(wire.PartMoved, "true"); err != nil {
			return err
		}
	}
	for _, group := range u.Groups {
		if err := form.WriteField(wire.PartGroups, group); err != nil {
			return err
		}
	}
	if len(u.Metadata) > 0 {
		if err := writeJSON(form, wire.PartMetadata, u.Metadata); err != nil {
			return err
		}
	}
	for _, f := range u.Files {
		if err := f.write(form); err != nil {
			return err
		}
	}
	return form.Close()
}

func (f File) write(form *multipart.Writer) error {
	name, said := path.Base(f.Path), wire.Described{Metadata: f.Metadata, Groups: f.Groups}
	if name != f.Path {
		said.Path = f.Path
	}
	if said.Path != "" || len(said.Metadata)+len(said.Groups) > 0 {
		if err := writeJSON(form, wire.PartDocument, said); err != nil {
			return err
		}
	}
	content, err := f.Open()
	if err != nil {
		return unreadableFile(f, err)
	}
	defer content.Close()
	quoted := strings.NewReplacer("\\", "\\\\", `"`, "\\\"", "\r", "%0D", "\n", "%0A").Replace(name)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename="%s"`, wire.PartFile, quoted)},
		"Content-Type":        {"application/octet-stream"},
	})
	if err != nil {
		return err
	}
	read := &reading{r: content}
	if _, err := io.Copy(part, read); err != nil {
		if read.err != nil {
			return unreadableFile(f, read.err)
		}
		return err
	}
	return nil
}

func writeJSON(form *multipart.Writer, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return &localError{corpus.Errorf(corpus.ErrInvalid, "write %s: %w", name, err)}
	}
	return form.WriteField(name, string(text))
}

// localError is of what was to be sent, not of sending it.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

// unreadableFile names the file: a caller with many of them can leave it out.
func unreadableFile(f File, err error) error {
	return &localError{&FileError{Path: f.Path, err: corpus.Errorf(corpus.ErrNotFound, "upload %s: %w", f.Path, err)}}
}

// FileError is of a file that could not be read while it was sent. Nothing of the upload was kept.
type FileError struct {
	Path string
	err  error
}

func (e *FileError) Error() string { return e.err.Error() }
func (e *FileError) Unwrap() error { return e.err }

// reading keeps why reading failed.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// writing is a body that is written while it is read.
type writing struct {
	*io.PipeReader
	ended chan struct{}
	err   error // of what was to be sent
}

func write(body func(io.Writer) error) *writing {
	r, w := io.Pipe()
	b := &writing{PipeReader: r, ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		err := body(w)
		var local *localError
		if errors.As(err, &local) {
			b.err = local.error
		}
		_ = w.CloseWithError(err)
	}()
	return b
}

// close ends the writing, whatever was read of it.
func (b *writing) close() {
	_ = b.PipeReader.CloseWithError(io.ErrClosedPipe)
	<-b.ended
}

// failed is what was wrong with what was to be sent; it is called when no more of it is read.
func (b *writing) failed() error {
	b.close()
	return b.err
}
