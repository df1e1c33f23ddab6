package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/store"
	"grounded/wire"
)

// maxFields is how many bytes all parts but the files may have.
const maxFields = 64 << 10

// uploadDocuments is POST /api/collections/{collection}/documents: its files become a job. An upload may take longer
// than other requests, as long as it goes on.
func (s *Server) uploadDocuments(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	// An ingest makes a collection that is not there, and only an admin may.
	if _, err := s.engine.Store.Collection(k.ctx, scope.Collection); err != nil && (k.caller.scope != ScopeAdmin || !errors.Is(err, corpus.ErrNotFound)) {
		return missing(err, scope.Collection)
	}
	r := k.echo.Request()
	ctx := r.Context()
	submission, err := jobs.NewIngest(s.config.Queue, s.config.Uploads, jobs.Job{
		Collection: scope.Collection, Owner: k.caller.name, Access: k.caller.access, IdempotencyKey: r.Header.Get("Idempotency-Key"),
	}, jobs.IngestSpec{})
	if err != nil {
		return err
	}
	u := &upload{caller: k.caller, submission: submission, store: s.engine.Store}
	if k.body != nil {
		err = u.addresses(ctx, k)
	} else {
		err = s.receive(k, u)
	}
	if err != nil {
		return errors.Join(err, submission.Discard(ctx))
	}
	job, err := submission.Submit(ctx)
	if err != nil {
		return uploadFault(err, nil)
	}
	if !visible(k.caller, job) { // of the same key for another user
		return jobs.OtherRequest()
	}
	list := []wire.Uploaded{}
	for _, f := range job.Files {
		given := wire.Uploaded{ID: f.ID, Name: f.Name, SHA256: corpus.Text(f.SHA256)}
		if f.URL == "" {
			given.Bytes = &f.Bytes
		}
		list = append(list, given)
	}
	k.echo.Response().Header().Set("Location", "/api/jobs/"+url.PathEscape(job.ID))
	return writeJSON(k.echo.Response(), http.StatusAccepted, "application/json", wire.Upload{JobID: job.ID, Documents: list})
}

// receive reads files out of a request's parts.
func (s *Server) receive(k *call, u *upload) error {
	r := k.echo.Request()
	control := http.NewResponseController(k.echo.Response())
	body := &pacedBody{body: r.Body, control: control}
	defer func() {
		_ = control.SetReadDeadline(time.Time{})
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	}()
	r.Body = body
	parts, err := r.MultipartReader()
	if err != nil {
		return &fault{status: http.StatusUnsupportedMediaType, kind: "invalid_request_error", code: "unsupported_media_type",
			message: "send files as multipart/form-data, each as a part named file: curl -F file=@report.pdf; or addresses of pages as JSON: {\"urls\": [\"https://…\"]}"}
	}
	err = u.read(r.Context(), parts)
	if err != nil && body.err == nil { // so that the client gets to read why
		_, _ = io.CopyN(io.Discard, body, s.config.MaxBody)
	}
	return uploadFault(err, body.err)
}

// addresses takes pages of the web, which the job fetches.
func (u *upload) addresses(ctx context.Context, k *call) error {
	var request struct {
		URLs     []string        `json:"urls"`
		Groups   []string        `json:"groups"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := k.decode(&request); err != nil {
		return err
	}
	for _, group := range request.Groups {
		if err := u.addGroups(group); err != nil {
			return err
		}
	}
	if len(request.Metadata) > 0 && string(request.Metadata) != "null" {
		if err := u.setMetadata(request.Metadata); err != nil {
			return err
		}
	}
	for _, address := range request.URLs {
		if _, err := u.submission.AddURL(ctx, address, u.all(wire.Described{})); err != nil {
			return uploadFault(err, nil)
		}
	}
	return nil
}

// upload is one on its way from a request's parts into a submission.
type upload struct {
	caller     caller
	submission *jobs.Submission
	store      store.Store
	root       string
	moved      bool
	groups     []string
	metadata   map[string]any
	fields     int64 // bytes
	files      int
	next       *wire.Described // of the next file
	described  int64           // bytes
}

func (u *upload) read(ctx context.Context, parts *multipart.Reader) error {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u.checkEnd()
		}
		if err != nil {
			return malformed(err)
		}
		if err := u.part(ctx, part); err != nil {
			return err
		}
	}
}

func (u *upload) part(ctx context.Context, part *multipart.Part) error {
	switch name := part.FormName(); name {
	case wire.PartFile:
		if u.files++; u.files == 1 {
			if err := u.place(ctx); err != nil {
				return err
			}
		}
		content := &watchedReader{r: part}
		err := u.add(ctx, fileName(part), content)
		if content.err != nil {
			return malformed(content.err)
		}
		return err
	case wire.PartDocument:
		return u.describe(part)
	case wire.PartSource:
		name, err := io.ReadAll(io.LimitReader(part, maxFields))
		if err != nil {
			return malformed(err)
		}
		return u.submission.Source(string(name))
	case wire.PartRoot, wire.PartMoved:
		text, err := io.ReadAll(io.LimitReader(part, maxFields))
		if err != nil {
			return malformed(err)
		}
		return u.say(name, string(text))
	case wire.PartGroups, wire.PartMetadata:
		if u.files > 0 {
			return invalid(name, "%s stands behind a file; send it before the files, for all of which it is", name)
		}
		text, err := io.ReadAll(io.LimitReader(part, maxFields-u.fields+1))
		if err != nil {
			return malformed(err)
		}
		if u.fields += int64(len(text)); u.fields > maxFields {
			return corpus.Errorf(corpus.ErrLimit, "groups and metadata have more than %d bytes", maxFields)
		}
		if name == "groups" {
			return u.addGroups(string(text))
		}
		return u.setMetadata(text)
	default:
		return invalid("", "there is a part named %s; parts are named file, groups, metadata, source, root, moved or document", quoted(name))
	}
}

// say takes where the source is, or that it has moved.
func (u *upload) say(name, text string) error {
	switch {
	case u.files > 0:
		return invalid(name, "%s stands behind a file; send it before the files, for all of which it is", name)
	case name == wire.PartRoot:
		u.root = text
	case text == "true" || text == "false":
		u.moved = text == "true"
	default:
		return invalid(name, "moved is %s; it must be true or false", quoted(text))
	}
	return nil
}

// place refuses a source that is another folder's, before its files are read.
func (u *upload) place(ctx context.Context) error {
	if u.root == "" && u.moved {
		return invalid(wire.PartMoved, "moved without root; send where the source is now as root")
	}
	if u.root != "" {
		if err := u.submission.From(u.root, u.moved); err != nil {
			return err
		}
	}
	return u.submission.Place(ctx, u.store)
}

// addGroups takes only groups that the caller is in: what it uploads it can see.
func (u *upload) addGroups(text string) error {
	for _, group := range strings.Split(text, ",") {
		group = strings.TrimSpace(group)
		if err := u.mayGive(group); err != nil {
			return err
		}
		u.groups = append(u.groups, group)
	}
	return nil
}

func (u *upload) mayGive(group string) error {
	switch {
	case group == "":
		return invalid("groups", "groups has an empty name; leave groups out for documents that all users of the collection may see")
	case !u.caller.access.Unrestricted && !slices.Contains(u.caller.access.Groups, group):
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "forbidden", param: "groups",
			message: "this key is not in the group " + quoted(group) + ", and would not see the documents"}
	}
	return nil
}

func (u *upload) setMetadata(text []byte) error {
	if u.metadata != nil {
		return invalid("metadata", "there are two parts named metadata; send one")
	}
	if err := json.Unmarshal(text, &u.metadata); err != nil || u.metadata == nil {
		return invalid("metadata", `metadata is no JSON object, such as {"title": "Leave", "department": "HR"}`)
	}
	return noGroups(u.metadata, "a part named groups")
}

// noGroups refuses metadata with groups, which are checked where they are named.
func noGroups(metadata map[string]any, instead string) error {
	for _, key := range []string{"groups", "access_groups"} {
		if _, ok := metadata[key]; ok {
			return invalid("metadata", "metadata has %s; send the groups as %s", key, instead)
		}
	}
	return nil
}

// all is the metadata of a file of which more may be said than of all.
func (u *upload) all(d wire.Described) map[string]any {
	groups := u.groups
	if len(d.Groups) > 0 {
		groups = d.Groups
	}
	if len(u.metadata)+len(d.Metadata)+len(groups) == 0 {
		return nil
	}
	all := map[string]any{}
	maps.Copy(all, u.metadata)
	maps.Copy(all, d.Metadata)
	if len(groups) > 0 {
		all["groups"] = groups
	}
	return all
}

// fileName is the name as it was sent: a path is not made a name, but refused.
func fileName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

func malformed(err error) error {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: "invalid", cause: err,
		message: "the request is no whole multipart/form-data, or broke off; nothing of it was kept, send it again"}
}

// uploadFault is why an upload was not taken; broken is what went wrong with its body.
func uploadFault(err, broken error) error {
	var f *fault
	switch {
	case broken != nil:
		return malformed(broken)
	case errors.As(err, &f):
	case errors.Is(err, corpus.ErrLimit):
		return &fault{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "too_large", message: sentence(err), cause: err}
	case errors.Is(err, corpus.ErrUnsupported):
		return &fault{status: http.StatusUnsupportedMediaType, kind: "invalid_request_error", code: "unsupported_media_type", message: sentence(err), cause: err}
	}
	return err
}

// watchedReader keeps why reading failed, apart from what failed with what was read.
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

// pace is how many bytes of an upload must come within bodyTimeout.
const pace = 1 << 20

// pacedBody is a request's body that may be long, but not slow.
type pacedBody struct {
	body    io.ReadCloser
	control *http.ResponseController
	left    int // bytes before the deadline is put off
	err     error
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.left = pace
		_ = b.control.SetReadDeadline(time.Now().Add(bodyTimeout))
	}
	n, err := b.body.Read(p)
	b.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

func (b *pacedBody) Close() error { return b.body.Close() }
