package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"grounded/ingest/source"
	"grounded/store"
)

// uploads is the source of a job's files. All jobs that name the same source are parts of it.
type uploads struct {
	task  *Task
	store store.Store
	spec  IngestSpec
}

var _ source.Source = (*uploads)(nil)

// Name implements source.Source.
func (u *uploads) Name() string { return u.spec.Source }

// Root implements source.Source.
func (u *uploads) Root() string { return "upload://" + u.spec.Source }

// Path implements source.Source.
func (*uploads) Path() string { return "" }

// Lost implements source.Source.
func (*uploads) Lost() string { return "uploads stay until they are deleted." }

// Gone implements source.Source.
func (*uploads) Gone(string, string) bool { return false }

// List implements source.Source.
func (u *uploads) List(_ context.Context, v source.Visitor) error {
	for i, f := range u.task.Job.Files {
		if f.Outcome.Outcome != "" {
			continue
		}
		err := v.Found(source.Entry{Path: f.Name, URI: f.Name, Named: true, Fetch: func(ctx context.Context, folder, revision string) (source.Fetched, error) {
			return u.fetch(ctx, i, folder, revision)
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *uploads) fetch(ctx context.Context, i int, folder, stored string) (source.Fetched, error) {
	f := u.task.Job.Files[i]
	if err := u.mayReplace(ctx, f); err != nil {
		return source.Fetched{}, err
	}
	metadata, err := json.Marshal(f.Metadata)
	if err != nil {
		return source.Fetched{}, fmt.Errorf("read metadata of %s: %w", f.Name, err)
	}
	sum := sha256.Sum256(append([]byte(f.SHA256), metadata...))
	fetched := source.Fetched{Revision: hex.EncodeToString(sum[:16])}
	if fetched.Revision == stored {
		return fetched, nil
	}
	fetched.File = filepath.Join(folder, source.FileName(f.Name))
	if err := u.task.Place(ctx, i, fetched.File); err != nil {
		return source.Fetched{}, err
	}
	if len(f.Metadata) > 0 {
		// JSON is YAML.
		if err := os.WriteFile(fetched.File+source.SidecarSuffix, metadata, 0o600); err != nil {
			return source.Fetched{}, fmt.Errorf("keep metadata of %s: %w", f.Name, err)
		}
	}
	return fetched, nil
}
