package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"grounded/corpus"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
	"grounded/store"
)

// uploads is the source of a job's files. All jobs that name the same source are parts of it.
type uploads struct {
	task  *Task
	store store.Store
	web   *web.Client
	spec  IngestSpec
	root  string
}

var _ source.Source = (*uploads)(nil)

// Name implements source.Source.
func (u *uploads) Name() string { return u.spec.Source }

// Root implements source.Source.
func (u *uploads) Root() string { return u.root }

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
	if f.URL != "" {
		return u.fetchPage(ctx, f, folder, stored, metadata)
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
	return fetched, keepMetadata(f, fetched.File, metadata)
}

// fetchPage asks for a page, and if what is stored has the same metadata only for one that has changed.
func (u *uploads) fetchPage(ctx context.Context, f File, folder, stored string, metadata []byte) (source.Fetched, error) {
	if u.web == nil {
		return source.Fetched{}, corpus.Errorf(corpus.ErrUnsupported, "fetch %s: nothing here reads the web", f.URL)
	}
	page, err := u.web.Page(f.URL)
	if err != nil {
		return source.Fetched{}, err
	}
	sum := sha256.Sum256(metadata)
	own := hex.EncodeToString(sum[:8])
	before, revision, _ := strings.Cut(stored, " ")
	if before != own {
		revision = ""
	}
	fetched, err := page.Fetch(ctx, folder, revision)
	if err != nil {
		return source.Fetched{}, err
	}
	if fetched.Revision != "" {
		fetched.Revision = own + " " + fetched.Revision
	}
	if fetched.File == "" {
		return fetched, nil
	}
	return fetched, keepMetadata(f, fetched.File, metadata)
}

// keepMetadata writes what was given with a file beside it.
func keepMetadata(f File, path string, metadata []byte) error {
	if len(f.Metadata) == 0 {
		return nil
	}
	// JSON is YAML.
	if err := os.WriteFile(path+source.SidecarSuffix, metadata, 0o600); err != nil {
		return fmt.Errorf("keep metadata of %s: %w", f.Name, err)
	}
	return nil
}
