// Package ingest brings documents from folders and other sources into a store: it discovers files, reads and parses them, cuts
// them into chunks, embeds what is new, and writes, all of it overlapping with bounded queues. What is stored
// already and has not changed costs a hash of the file; a run that was ended at any point is finished by the
// same run again.
package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/model"
	"grounded/store"
)

// Parser makes documents of files. *parse.Pool is one.
type Parser interface {
	// Parse fails with a *parse.Error when the file is to blame.
	Parse(ctx context.Context, in parse.Input) (parse.Document, error)
}

// Config of an Ingester. Store, Embedder and Parser must be set; zero values of the rest are the defaults.
type Config struct {
	Store    store.Store
	Embedder model.Embedder
	Parser   Parser
	// Chunk says how long chunks are. Count and, if 0, MaxTokens are the embedder's.
	Chunk chunk.Config
	// Passwords are tried on files that need one, in order.
	Passwords []string
	// OCR names what reads scans in Parser; it is part of the fingerprint of what may have some.
	OCR string
	// Vision is a chat model that sees; it reads the scans that Parser leaves as pictures. nil: there is none.
	Vision model.Chat
	// Transcriber writes down what is said in recordings. nil: there is none, and they are quarantined.
	Transcriber model.Transcriber
	// Limits on what is inside of files.
	Limits Limits
	// Scratch is a folder for files that are unpacked; what killed runs have left in it is removed. Empty is one of
	// the system's, which is removed at the end of the run only.
	Scratch string
	// Open returns the source of an address (source.IsAddress) among a request's paths; nil refuses them all.
	Open func(ctx context.Context, address string) (source.Source, error)
	// Workers read, parse and cut that many files at once; 0 means two more than there are processors.
	Workers int
	// BatchTexts are embedded by one call at most; 0 means 64.
	BatchTexts int
	// Requests to the embedder are in flight at most; 0 means 4.
	Requests int
}

// Ingester runs ingests. It is safe for concurrent use.
type Ingester struct {
	Config
	embedding corpus.Embedding
}

// version names the rules of this package, for a document's pipeline fingerprint.
const version = "1"

// New checks the configuration and asks the embedder what its vectors are.
func New(ctx context.Context, c Config) (*Ingester, error) {
	if c.Workers < 0 || c.BatchTexts < 0 || c.Requests < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "set up ingest: a number of workers, texts or requests is negative")
	}
	if c.Limits.Parts < 0 || c.Limits.Bytes < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "set up ingest: a limit on what is inside of files is negative")
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU() + 2
	}
	c.Limits = c.Limits.withDefaults()
	embedding, err := c.Embedder.Embedding(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask embedder for its model: %w", err)
	}
	c.Chunk.Count = c.Embedder.CountTokens
	if c.Chunk.MaxTokens == 0 {
		c.Chunk.MaxTokens = c.Embedder.MaxTokens()
	}
	c.Chunk = c.Chunk.WithDefaults()
	return &Ingester{c, embedding}, nil
}

// PipelineFingerprint says how documents of a media type are parsed, cut and analysed; with "" how files that
// could not be read were tried.
func (in *Ingester) PipelineFingerprint(mediaType string) string {
	parser := parse.Fingerprint(mediaType)
	if reader := in.scanReader(); reader != "" && parse.MayBeScanned(mediaType) {
		parser += " " + reader
	}
	if listener := in.listener(); listener != "" && (mediaType == "" || parse.IsRecording(mediaType)) {
		parser += " " + listener
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "ingest %s parse %s chunk %s %d %d %d analyze %s", version, parser,
		chunk.Version, in.Chunk.TargetTokens, in.Chunk.MaxTokens, in.Chunk.OverlapTokens, analyze.Version))
	return hex.EncodeToString(sum[:8])
}

// Request says what to ingest.
type Request struct {
	Collection string
	Paths      []string // files, folders and addresses of sources
	// Source names the root that the paths are or are in; if empty it is a source that is known to contain
	// them, else it is named after the folder.
	Source string
	Prune  bool         // delete documents under Paths whose file is gone
	DryRun bool         // write nothing; report what would be done
	Moved  bool         // a source of the same name and another root that still exists is the same folder, moved
	Globs  source.Globs // which of the files that are found to read; what is stored of others stays
	Shard  Shard        // which of them this run is for; likewise
	// Changed, if not nil, has the absolute paths of the files on disk that are read; others only count as being there.
	Changed map[string]struct{}
}

// Run ingests. observe, if not nil, is called with the events of the run, one at a time, the Report last.
//
// Files that can't be read are quarantined and don't fail the run; a failing embedder or store does. Then, and
// when ctx ends, what is embedded is still written. The report tells what was done in any case. Errors are
// corpus.ErrNotFound for a path that is not there and corpus.ErrConflict for a collection with another embedding
// or a source whose name is taken, both before anything is written; corpus.ErrUnsupported, when all else is in,
// for a file named in Paths whose format nothing reads.
func (in *Ingester) Run(ctx context.Context, req Request, observe func(Event)) (Report, error) {
	r := &run{Ingester: in, Request: req, reporter: newReporter(req, observe), quarantine: map[corpus.DocumentID]corpus.Quarantined{}}
	err := r.run(ctx)
	return r.reporter.close(), err
}

// run is the state of one ingest.
type run struct {
	*Ingester
	Request
	*reporter

	plan       plan
	quarantine map[corpus.DocumentID]corpus.Quarantined // when the run began
	gaps       []gap                                    // folders that could not be listed
	seen       map[corpus.DocumentID]struct{}           // discovered; nil without Prune
	listed     map[corpus.DocumentID]struct{}           // found in remote sources; nil with fewer than two of them
	ignore     map[string]*source.Ignore                // by source, of folders
	scratch    *scratch
	spare      *semaphore.Weighted // workers that work on parts of documents besides those that work on files
}

func (r *run) run(ctx context.Context) (err error) {
	if err := corpus.CheckCollectionName(r.Collection); err != nil {
		return err
	}
	if err := errors.Join(r.Globs.Check(), r.Shard.Check()); err != nil {
		return err
	}
	if err := r.checkCollection(ctx); err != nil {
		return err
	}
	if !r.DryRun {
		if err := r.Store.Recover(ctx, r.Collection); err != nil {
			return fmt.Errorf("finish what an earlier run left: %w", err)
		}
	}
	known, err := r.Store.Sources(ctx, r.Collection)
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	if r.plan, err = makePlan(ctx, r.Request, r.Open, known); err != nil {
		return err
	}
	for i, s := range r.plan.scopes {
		r.plan.scopes[i].source.Paths = r.plan.covered(s.source.Name, known)
	}
	r.loadRules()
	if err := r.checkIgnored(); err != nil {
		return err
	}
	if !r.DryRun {
		if err := r.prepareStore(ctx); err != nil {
			return err
		}
	}
	if err := r.loadQuarantine(ctx); err != nil {
		return err
	}
	if r.scratch, err = openScratch(r.Config.Scratch); err != nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "make a folder for what is fetched and unpacked: %w", err),
			"the folder of --data must be writable")
	}
	defer func() { err = errors.Join(err, r.scratch.close()) }()
	r.spare = semaphore.NewWeighted(int64(r.Workers))
	if r.Prune {
		r.seen = map[corpus.DocumentID]struct{}{}
	}
	if r.plan.remotes() > 1 {
		r.listed = map[corpus.DocumentID]struct{}{}
	}
	if err := r.pipeline(ctx); err != nil {
		return err
	}
	if r.files == 0 && r.Changed == nil {
		r.warn("There was nothing to read in " + strings.Join(r.Paths, ", ") + ".")
	}
	if r.Prune {
		if err := r.prune(ctx); err != nil {
			return err
		}
	}
	return r.namedErrors()
}

// checkCollection fails when the collection is there with vectors of another kind.
func (r *run) checkCollection(ctx context.Context) error {
	c, err := r.Store.Collection(ctx, r.Collection)
	switch {
	case errors.Is(err, corpus.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read collection %s: %w", r.Collection, err)
	case c.Embedding.Fingerprint() == r.embedding.Fingerprint():
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "collection %q has embeddings of %s (%d dimensions, fingerprint %s), the configured embedder is %s (%d dimensions, fingerprint %s)",
		r.Collection, c.Embedding.Model, c.Embedding.Dimensions, c.Embedding.Fingerprint(),
		r.embedding.Model, r.embedding.Dimensions, r.embedding.Fingerprint()),
		"run `grounded reindex` to embed the collection anew, or configure the model that it was made with")
}

// prepareStore makes the collection, remembers the sources and moves the documents of those absorbed.
func (r *run) prepareStore(ctx context.Context) error {
	now := time.Now().UTC()
	if err := r.Store.CreateCollection(ctx, corpus.Collection{Name: r.Collection, Embedding: r.embedding, CreatedAt: now}); err != nil {
		return fmt.Errorf("create collection %s: %w", r.Collection, err)
	}
	for _, s := range r.plan.scopes {
		if s.remote == nil {
			if err := r.putSource(ctx, s.source); err != nil {
				return err
			}
		}
	}
	for _, a := range r.plan.absorbed {
		if err := r.absorb(ctx, a); err != nil {
			return fmt.Errorf("absorb source %s into %s: %w", a.from.Name, a.into.Name, err)
		}
	}
	return nil
}

func (r *run) putSource(ctx context.Context, s corpus.Source) error {
	s.UsedAt = time.Now().UTC()
	if err := r.Store.PutSource(ctx, s); err != nil {
		return fmt.Errorf("remember source %s: %w", s.Name, err)
	}
	return nil
}

// loadQuarantine reads what could not be read so far, in a dry run as it would be after absorptions.
func (r *run) loadQuarantine(ctx context.Context) error {
	all, err := r.Store.Quarantined(ctx, r.Collection)
	if err != nil {
		return fmt.Errorf("list quarantine: %w", err)
	}
	for _, q := range all {
		for _, a := range r.plan.absorbed {
			if q.Source == a.from.Name {
				q = a.moved(q)
			}
		}
		r.quarantine[q.DocumentID] = q
	}
	return nil
}

// pipeline discovers files and works on them until all are done or the first error.
func (r *run) pipeline(ctx context.Context) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	files := make(chan file, 64)
	w := newWriter(r, cancel)
	go w.vectors.Serve(work)

	var readers sync.WaitGroup
	readers.Go(func() {
		defer close(files)
		if err := r.discover(work, files); err != nil {
			cancel(err)
		}
	})
	for range r.Workers {
		readers.Go(func() {
			for f := range files {
				if work.Err() != nil {
					continue
				}
				do := r.process
				if f.remote != nil {
					do = r.fetch
				}
				if err := do(work, f, w); err != nil {
					cancel(err)
				}
			}
		})
	}
	readers.Wait()
	w.wait()
	if work.Err() != nil {
		return context.Cause(work)
	}
	return nil
}
