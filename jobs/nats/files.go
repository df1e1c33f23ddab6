package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"grounded/corpus"
	"grounded/jobs"
)

func objectName(storage string, index int) string { return storage + "/" + strconv.Itoa(index) }

// manifest is the object that has the list of a job's files.
func manifest(storage string) string { return storage + "/files" }

// Put implements jobs.Queue.
func (q *Queue) Put(ctx context.Context, storage string, index int, r io.Reader) error {
	_, err := q.content.Put(ctx, jetstream.ObjectMeta{Name: objectName(storage, index)}, fullReader{r})
	return q.fail("keep the upload", err)
}

// fullReader fills what it reads into: each read becomes a message.
type fullReader struct{ r io.Reader }

func (f fullReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// Discard implements jobs.Queue.
func (q *Queue) Discard(ctx context.Context, storage string) error {
	objects, err := q.objects(ctx)
	if err != nil {
		return q.fail("discard the upload", err)
	}
	for _, o := range objects {
		if strings.HasPrefix(o.Name, storage+"/") {
			if err := q.deleteObject(ctx, o.Name); err != nil {
				return q.fail("discard the upload", err)
			}
		}
	}
	return nil
}

func (q *Queue) objects(ctx context.Context) ([]*jetstream.ObjectInfo, error) {
	objects, err := q.content.List(ctx)
	if errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil, nil
	}
	return objects, err
}

func (q *Queue) deleteObject(ctx context.Context, name string) error {
	err := q.content.Delete(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil
	}
	return err
}

// discardFiles forgets the content of a job's files, and keeps the list of them.
func (q *Queue) discardFiles(ctx context.Context, r record) error {
	for i := range r.Documents {
		if err := q.deleteObject(ctx, objectName(r.Storage, i)); err != nil {
			return q.fail("forget the files of job "+r.ID, err)
		}
	}
	return nil
}

// Place implements jobs.Queue.
func (q *Queue) Place(ctx context.Context, j jobs.Job, index int, path string) error {
	doing := fmt.Sprintf("read upload %d of job %s", index, j.ID)
	object, err := q.content.Get(ctx, objectName(j.Storage, index))
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "%s: its object is gone", doing), "upload it again, and leave the stream OBJ_"+q.Prefix+"-uploads to this program")
	}
	if err != nil {
		return q.fail(doing, err)
	}
	defer object.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	_, err = io.Copy(out, object)
	return q.fail(doing, errors.Join(err, out.Close()))
}

func (q *Queue) putFiles(ctx context.Context, j jobs.Job) error {
	encoded, err := json.Marshal(j.Files)
	if err != nil {
		return fmt.Errorf("encode files: %w", err)
	}
	_, err = q.content.PutBytes(ctx, manifest(j.Storage), encoded)
	return err
}

// files are those of a job, with their outcomes so far.
func (q *Queue) files(ctx context.Context, r record) ([]jobs.File, error) {
	encoded, err := q.content.GetBytes(ctx, manifest(r.Storage))
	if err != nil {
		return nil, fmt.Errorf("list files of job %s: %w", r.ID, err)
	}
	var files []jobs.File
	if err := json.Unmarshal(encoded, &files); err != nil {
		return nil, corpus.Errorf(corpus.ErrCorrupt, "list files of job %s: %w", r.ID, err)
	}
	if r.Started == nil {
		return files, nil // nobody has worked on it
	}
	watcher, err := q.outcomes.Watch(ctx, r.ID+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer watcher.Stop()
	timeout := time.NewTimer(q.Timeout)
	defer timeout.Stop()
	for {
		select {
		case update, ok := <-watcher.Updates():
			if !ok {
				return nil, corpus.Errorf(corpus.ErrUnavailable, "list outcomes of job %s: the server broke off", r.ID)
			}
			if update == nil {
				return files, nil
			}
			i, err := strconv.Atoi(strings.TrimPrefix(update.Key(), r.ID+"."))
			if err == nil && i < len(files) {
				err = json.Unmarshal(update.Value(), &files[i].Outcome)
			}
			if err != nil {
				return nil, corpus.Errorf(corpus.ErrCorrupt, "list outcomes of job %s: %w", r.ID, err)
			}
		case <-timeout.C:
			return nil, corpus.Errorf(corpus.ErrUnavailable, "list outcomes of job %s: the server did not answer within %s", r.ID, q.Timeout)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
