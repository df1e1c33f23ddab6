package jobstest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/jobs"
	"grounded/model"
	"grounded/store"
	"grounded/store/sqlite"
)

const workerArgument = "__worker"

// Main lets a test binary be a worker on a queue, and the child that parses, as the suite needs them. open opens the queue
// of a place's Argument.
func Main(m *testing.M, open func(ctx context.Context, argument string, o Options) (jobs.Queue, error)) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == parse.ChildArgument:
		os.Exit(parse.ServeChild(context.Background(), os.Stdin, os.Stdout))
	case len(os.Args) == 4 && os.Args[1] == workerArgument:
		if err := workAlone(open, os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// shortLease is that of processes that will be killed.
const shortLease = 2 * time.Second

// workAlone is a worker process with slow embeddings, until it is interrupted.
func workAlone(open func(context.Context, string, Options) (jobs.Queue, error), queue, folder string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	q, err := open(ctx, queue, Options{Lease: shortLease})
	if err != nil {
		return err
	}
	defer q.Close()
	l, err := openLibrary(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	l.embed = func(ctx context.Context) error { return wait(ctx, 30*time.Millisecond) }
	w, err := l.worker(q, "process")
	if err != nil {
		return err
	}
	w.Run(ctx)
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// process starts a worker as another process. It is killed with the test.
func process(t testing.TB, p Place, folder string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0], workerArgument, p.Argument(), folder)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended already
		_ = command.Wait()
	})
	return command
}

// library is a store in a folder, and what ingests into it with made-up embeddings.
type library struct {
	folder string
	store  store.Store
	parser *parse.Pool
	embed  func(context.Context) error // before texts are embedded; may be nil
	begun  atomic.Int64                // jobs
}

func openLibrary(ctx context.Context, folder string) (*library, error) {
	s, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(folder, "grounded.db")})
	if err != nil {
		return nil, err
	}
	pool, err := parse.New(parse.Config{Workers: 1})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &library{folder: folder, store: s, parser: pool}, nil
}

func (l *library) close() error { return errors.Join(l.parser.Close(), l.store.Close()) }

func (l *library) worker(q jobs.Queue, name string) (*jobs.Worker, error) {
	ingestion := jobs.Ingestion{Store: l.store, Ingester: func(ctx context.Context, _ string, open func(context.Context, string) (source.Source, error)) (*ingest.Ingester, error) {
		return ingest.New(ctx, ingest.Config{
			Store: l.store, Embedder: embedder{l}, Parser: l.parser, Open: open, Scratch: filepath.Join(l.folder, "scratch"),
			Chunk: chunk.Config{TargetTokens: 30}, BatchTexts: 4, Requests: 1, Workers: 2,
		})
	}}
	return jobs.NewWorker(jobs.WorkerConfig{
		Queue: q, Name: name, Retry: 100 * time.Millisecond, Attempts: 5, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Handlers: map[string]jobs.Handler{jobs.KindIngest: func(ctx context.Context, t *jobs.Task) error {
			l.begun.Add(1)
			return ingestion.Do(ctx, t)
		}},
	})
}

// embedder makes vectors of 8 numbers from a hash of the text.
type embedder struct{ *library }

func (e embedder) Embed(ctx context.Context, _ model.Kind, texts []string) (out model.Embeddings, err error) {
	if e.embed != nil {
		if err := e.embed(ctx); err != nil {
			return out, err
		}
	}
	for _, text := range texts {
		vector, norm := make([]float32, 8), 0.0
		for i := range vector {
			h := fnv.New32a()
			fmt.Fprint(h, i, text)
			vector[i] = float32(h.Sum32())/(1<<32) - .5
			norm += float64(vector[i]) * float64(vector[i])
		}
		for i := range vector {
			vector[i] /= float32(math.Sqrt(norm))
		}
		out.Vectors = append(out.Vectors, vector)
	}
	return out, ctx.Err()
}

func (embedder) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: "test", Dimensions: 8, Normalised: true}, nil
}

func (embedder) CountTokens(text string) int { return len(strings.Fields(text)) }
func (embedder) MaxTokens() int              { return 200 }

// interrupt asks a process to end, and waits until it has.
func interrupt(t testing.TB, command *exec.Cmd) {
	t.Helper()
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("the worker process: %v", err)
	}
}
