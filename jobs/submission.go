package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
	"grounded/store"
)

// Limits on what one job may bring. Zero values are the defaults.
type Limits struct {
	Files     int      // default 1000
	FileBytes int64    // of one file; default 512 MiB
	Bytes     int64    // of all; default 4 GiB
	Names     []string // patterns that the names of files must match, as "*.pdf"; none allow all
}

const (
	maxName     = 255  // bytes
	maxAddress  = 2000 // bytes
	maxMetadata = 64 << 10
	maxKey      = 255
)

func (l Limits) withDefaults() Limits {
	if l.Files == 0 {
		l.Files = 1000
	}
	if l.FileBytes == 0 {
		l.FileBytes = 512 << 20
	}
	if l.Bytes == 0 {
		l.Bytes = 4 << 30
	}
	return l
}

// Submission is a job on its way into a queue. It is for one goroutine.
type Submission struct {
	queue  Queue
	limits Limits
	job    Job
	bytes  int64
	names  map[string]bool
}

// NewIngest begins a job that ingests files into a source of a collection, which are named by the request's fields
// Collection, Owner, Access and IdempotencyKey, and by the spec. Errors are corpus.ErrInvalid.
func NewIngest(q Queue, l Limits, request Job, spec IngestSpec) (*Submission, error) {
	return newSubmission(q, l, KindIngest, request, spec.withDefaults())
}

func newSubmission(q Queue, l Limits, kind string, request Job, spec any) (*Submission, error) {
	if err := corpus.CheckCollectionName(request.Collection); err != nil {
		return nil, err
	}
	if err := (source.Globs{Include: l.Names}).Check(); err != nil {
		return nil, err
	}
	if key := request.IdempotencyKey; len(key) > maxKey || !utf8.ValidString(key) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "submit job: the idempotency key is no text of at most %d bytes", maxKey), "use a UUID")
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	j := Job{
		Kind: kind, Collection: request.Collection, Spec: encoded, Status: Queued,
		Owner: request.Owner, Access: request.Access, IdempotencyKey: request.IdempotencyKey,
		ID: uuid.NewString(), Storage: uuid.NewString(),
	}
	if j.IdempotencyKey != "" {
		j.ID = corpus.UUID("job", j.Owner, j.IdempotencyKey)
	}
	return &Submission{queue: q, limits: l.withDefaults(), job: j, names: map[string]bool{}}, nil
}

// Source names the source that the documents belong to, before the first file; default "uploads".
func (s *Submission) Source(name string) error {
	switch reason := badName(name); {
	case reason != "":
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload to source %q: %s", name, reason), "a source is named like handbook")
	case len(s.job.Files) > 0:
		return corpus.Errorf(corpus.ErrInvalid, "upload to source %q: it is named behind a file; name it before the files, for all of which it is", name)
	}
	return s.specify(func(spec *IngestSpec) { spec.Source = norm.NFC.String(name) })
}

// From says where the source is for whoever uploads it, before the first file; moved that it has moved there.
func (s *Submission) From(root string, moved bool) error {
	switch {
	case root == "" || len(root) > maxPath || !utf8.ValidString(root) || strings.ContainsFunc(root, unicode.IsControl):
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the root of the source is no text of 1 to %d bytes in UTF-8", maxPath), "a root is like laptop:/home/ann/handbook")
	case len(s.job.Files) > 0:
		return corpus.Errorf(corpus.ErrInvalid, "the root of the source is named behind a file; name it before the files, for all of which it is")
	}
	return s.specify(func(spec *IngestSpec) { spec.Root, spec.Moved = root, moved })
}

// Place fails when the source is another's, as IngestSpec.Place does.
func (s *Submission) Place(ctx context.Context, st store.Store) error {
	var spec IngestSpec
	if err := json.Unmarshal(s.job.Spec, &spec); err != nil {
		return err
	}
	_, err := spec.Place(ctx, st, s.job.Collection)
	if errors.Is(err, corpus.ErrNotFound) { // the job makes the collection
		return nil
	}
	return err
}

func (s *Submission) specify(change func(*IngestSpec)) error {
	var spec IngestSpec
	err := json.Unmarshal(s.job.Spec, &spec)
	if err != nil {
		return err
	}
	change(&spec)
	s.job.Spec, err = json.Marshal(spec)
	return err
}

// AddAt is Add for the document at a path in the source, with slashes.
func (s *Submission) AddAt(ctx context.Context, path string, metadata map[string]any, r io.Reader) (File, error) {
	path = norm.NFC.String(path)
	if err := CheckPath(path); err != nil {
		return File{}, err
	}
	return s.add(ctx, path, metadata, r)
}

// Add reads a file into the job. Metadata is laid over what the document says of itself: title, groups, language and
// others. Errors are corpus.ErrInvalid for a name that is none, corpus.ErrUnsupported for one that is not
// allowed, corpus.ErrLimit for too much, and the reader's; after one the submission can only be discarded.
func (s *Submission) Add(ctx context.Context, name string, metadata map[string]any, r io.Reader) (File, error) {
	name = norm.NFC.String(name)
	if reason := badName(name); reason != "" {
		return File{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload %q: %s", name, reason), "a name is like report.md: no folders, at most 255 bytes")
	}
	return s.add(ctx, name, metadata, r)
}

// add reads a file into the job as the document of a name or path, which is one.
func (s *Submission) add(ctx context.Context, name string, metadata map[string]any, r io.Reader) (File, error) {
	if err := s.check(name, metadata); err != nil {
		return File{}, err
	}
	read := &countedReader{r: r, hash: sha256.New(), left: s.limits.FileBytes,
		limit: tooLarge(fmt.Sprintf("upload %s: it has more than %d MB", name, s.limits.FileBytes>>20), "raise jobs.max_file_mb, or split it")}
	if rest := s.limits.Bytes - s.bytes; rest < read.left {
		read.left = rest
		read.limit = tooLarge(fmt.Sprintf("upload %s: all files have more than %d MB together", name, s.limits.Bytes>>20), "raise jobs.max_job_mb, or upload them in several requests")
	}
	if err := s.queue.Put(ctx, s.job.Storage, len(s.job.Files), read); err != nil {
		return File{}, fmt.Errorf("upload %s: %w", name, err)
	}
	s.bytes += read.n
	s.names[name] = true
	f := File{ID: s.job.fileID(name), Name: name, Bytes: read.n, SHA256: hex.EncodeToString(read.hash.Sum(nil)), Metadata: metadata}
	s.job.Files = append(s.job.Files, f)
	return f, nil
}

// AddURL takes a page of the web into the job, which is fetched when the job is done: its document has the address for
// a name. Errors are those of Add.
func (s *Submission) AddURL(ctx context.Context, address string, metadata map[string]any) (File, error) {
	name, err := web.Address(address)
	// What follows the separator is inside of a document.
	name = norm.NFC.String(strings.ReplaceAll(name, parse.PartSeparator, "%21/"))
	switch {
	case err != nil:
		return File{}, corpus.Hint(err, "an address is like https://intranet.example/leave.html")
	case len(name) > maxAddress:
		return File{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "an address has more than %d bytes", maxAddress), "download the page, and upload the file")
	}
	u, err := url.Parse(name)
	if err != nil {
		return File{}, corpus.Errorf(corpus.ErrInvalid, "%q is no address: %w", name, err)
	}
	if err := s.fits(name, path.Base(u.Path), metadata); err != nil {
		return File{}, err
	}
	// The queue keeps something for each file.
	if err := s.queue.Put(ctx, s.job.Storage, len(s.job.Files), strings.NewReader(name)); err != nil {
		return File{}, fmt.Errorf("upload %s: %w", name, err)
	}
	s.names[name] = true
	f := File{ID: s.job.fileID(name), Name: name, URL: name, Metadata: metadata}
	s.job.Files = append(s.job.Files, f)
	return f, nil
}

func (s *Submission) check(name string, metadata map[string]any) error {
	if source.IsSidecar(name) {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload %s: it is the metadata of a document", name), "give metadata with the document itself")
	}
	return s.fits(name, name, metadata)
}

// fits checks what may be said against a name once it is one; base is what the allowed patterns are for.
func (s *Submission) fits(name, base string, metadata map[string]any) error {
	encoded, err := json.Marshal(metadata)
	switch {
	case s.names[name]:
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload %s: the request has two files of this name", name), "a name is a document's identity: rename one, or upload them one after the other")
	case !(source.Globs{Include: s.limits.Names}).Match(base):
		return corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "upload %s: such names are not taken here", name), "allowed are "+strings.Join(s.limits.Names, ", ")+" (jobs.names)")
	case len(s.job.Files) >= s.limits.Files:
		return tooLarge(fmt.Sprintf("upload %s: the request has more than %d files", name, s.limits.Files), "raise jobs.max_files, or upload them in several requests")
	case err != nil:
		return corpus.Errorf(corpus.ErrInvalid, "upload %s: the metadata can't be kept: %w", name, err)
	case len(encoded) > maxMetadata:
		return tooLarge(fmt.Sprintf("upload %s: the metadata has more than %d bytes", name, maxMetadata), "leave out what nobody searches for")
	}
	return nil
}

// maxPath is the most bytes of a path.
const maxPath = 4096

// CheckPath fails with corpus.ErrInvalid for what can't be the path of an uploaded document.
func CheckPath(path string) error {
	reason := ""
	switch {
	case len(path) > maxPath:
		reason = "the path is too long"
	case strings.Contains(path, parse.PartSeparator):
		reason = "the path has a " + parse.PartSeparator + ", which stands before what is inside of a file"
	default:
		for name := range strings.SplitSeq(path, "/") {
			if reason == "" {
				reason = badName(name)
			}
		}
	}
	if reason == "" {
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload %q: %s", path, reason), "a path is like hr/leave.md: names with single slashes between them")
}

func badName(name string) string {
	switch {
	case name == "":
		return "it has no name"
	case len(name) > maxName:
		return "the name is too long"
	case !utf8.ValidString(name):
		return "the name is not UTF-8"
	case name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return "a path is no name"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "the name has control characters"
	case strings.TrimSpace(name) != name:
		return "the name begins or ends with a space"
	}
	return ""
}

func tooLarge(what, hint string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "%s", what), hint)
}

// Submit makes the job, and returns it. With an idempotency key that the owner has used for the same request before it
// is the job of then; for another request that is corpus.ErrConflict. A job without files is corpus.ErrInvalid.
func (s *Submission) Submit(ctx context.Context) (Job, error) {
	if len(s.job.Files) == 0 {
		return Job{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "submit job: it has no files"), "send at least one part named file, with a file name, or urls")
	}
	if s.job.Kind == KindIngest {
		s.job.Progress.Total = len(s.job.Files)
	}
	s.job.Digest = s.job.digest()
	j, err := s.queue.Submit(ctx, s.job)
	if errors.Is(err, corpus.ErrConflict) || errors.Is(err, corpus.ErrFull) {
		return Job{}, errors.Join(err, s.Discard(ctx))
	}
	if err != nil {
		return Job{}, err // it may be a job all the same: if it is none, Sweep forgets its files
	}
	if j.Storage != s.job.Storage {
		return j, s.Discard(ctx)
	}
	return j, nil
}

// Discard forgets the files. After Submit it must not be called.
func (s *Submission) Discard(ctx context.Context) error {
	return s.queue.Discard(context.WithoutCancel(ctx), s.job.Storage)
}

// countedReader hashes what is read, and fails when that is more than is left.
type countedReader struct {
	r     io.Reader
	hash  hash.Hash
	n     int64
	left  int64
	limit error
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n > c.left {
		return 0, c.limit
	}
	c.hash.Write(p[:n])
	return n, err
}
