package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/ingest"
	"grounded/ingest/source"
	"grounded/ingest/source/web"
	"grounded/jobs"
	"grounded/jobs/nats"
	"grounded/jobs/sqlite"
)

func (p *program) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Do the jobs of the queue, such as uploads, until Ctrl-C",
		Long: `Does the jobs of the configured queue (jobs in the configuration) until it is interrupted:
then what was done of the jobs in hand stays, and they go on wherever a worker is free.

Any number of workers may share a queue. When one dies another takes its jobs over.`,
		Example: examples("grounded worker", "grounded worker --json   # a line of JSON for each thing that happens"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), mayCreate, func(s *services) error { return p.work(cmd.Context(), s) })
		},
	}
}

func (p *program) work(ctx context.Context, s *services) (err error) {
	collectLess()
	queue, err := openQueue(ctx, s.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, queue.Close()) }()
	handler := slog.Handler(slog.NewTextHandler(p.stderr, nil))
	if p.json {
		handler = slog.NewJSONHandler(p.stdout, nil)
	}
	log := slog.New(handler)
	if s.config.Jobs.Kind == config.JobsNATS && s.config.Store != config.StoreQdrant {
		log.Warn("jobs are in NATS and documents in a file: workers on other machines have others; set store: qdrant")
	}
	stopObserving, err := p.observe(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopObserving()) }()
	worker, closeWorker, err := s.worker(ctx, queue, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorker()) }()
	log.Info("worker started", "queue", cmp.Or(s.config.Jobs.Kind, config.JobsSQLite))
	worker.Run(ctx)
	log.Info("worker ended")
	return nil
}

// openQueue opens the configured queue.
func openQueue(ctx context.Context, c config.Config) (jobs.Queue, error) {
	j := c.Jobs
	if j.Kind == config.JobsNATS {
		return nats.Open(ctx, nats.Config{
			URL: cmp.Or(j.URL, "nats://localhost:4222"), Credentials: j.Credentials, User: j.User, Password: string(j.Password), Token: string(j.Token), CAFile: j.CAFile,
			Prefix: j.Prefix, Replicas: j.Replicas, MaxBytes: int64(j.MaxStoredMB) << 20, Lease: time.Duration(j.Lease), Retention: time.Duration(j.Retention),
		})
	}
	return sqlite.Open(ctx, sqlite.Config{
		Path: filepath.Join(c.Data, "jobs.db"), Files: filepath.Join(c.Data, "uploads"), Lease: time.Duration(j.Lease), Retention: time.Duration(j.Retention),
	})
}

// jobLimits are those on what one job may bring.
func jobLimits(c config.Config) jobs.Limits {
	return jobs.Limits{
		Files: c.Jobs.MaxFiles, FileBytes: int64(cmp.Or(c.Jobs.MaxFileMB, c.Ingest.MaxFileMB)) << 20, Bytes: int64(c.Jobs.MaxJobMB) << 20, Names: c.Jobs.Names,
	}
}

// worker prepares what does the jobs of a queue; closeWorker ends the children that parse.
func (s *services) worker(ctx context.Context, queue jobs.Queue, log *slog.Logger) (w *jobs.Worker, closeWorker func() error, err error) {
	base, closeParser, err := s.ingestConfig(ctx, s.passwords())
	if err != nil {
		return nil, nil, err
	}
	pages, err := web.New(web.Config{
		UserAgent: "grounded/" + version, AllowPrivate: s.config.Ingest.Web.AllowPrivate, Timeout: time.Duration(s.config.Ingest.Web.Timeout), MaxBytes: jobLimits(s.config).FileBytes,
	})
	if err != nil {
		return nil, nil, errors.Join(err, closeParser())
	}
	base.Store = s.telemetry.Store(s.store)
	ingestion := jobs.Ingestion{Store: s.store, Web: pages, Observe: s.countDocument, Ingester: func(ctx context.Context, collection string, open func(context.Context, string) (source.Source, error)) (*ingest.Ingester, error) {
		of := *s
		of.config.Collection = collection
		c := base
		c.Open = open
		var err error
		if c.Embedder, err = of.questionEmbedder(ctx); err != nil {
			return nil, err
		}
		return ingest.New(ctx, c)
	}}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	folder := evaluations(s.config)
	w, err = jobs.NewWorker(jobs.WorkerConfig{
		Queue: queue, Name: fmt.Sprintf("%s/%d", host, os.Getpid()), Parallel: s.config.Jobs.Parallel, Attempts: s.config.Jobs.Attempts, Log: log,
		Handlers: map[string]jobs.Handler{
			jobs.KindIngest:     s.observed(ingestion.Do),
			jobs.KindEvaluation: s.observed(jobs.Evaluation{Folder: folder, Prepare: s.evaluation}.Do),
			jobs.KindJudging:    s.observed(jobs.Judging{Folder: folder, Prepare: s.judging}.Do),
			jobs.KindRetrieval:  s.observed(jobs.Retrieval{Folder: folder, Prepare: s.retrieval}.Do),
			jobs.KindTuning:     s.observed(jobs.Tuning{Folder: folder, Prepare: s.tuning, Configuration: tunedText}.Do),
		},
		Sweep: func(ctx context.Context) error {
			return jobs.SweepEvaluations(ctx, queue, folder, cmp.Or(time.Duration(s.config.Jobs.Retention), jobs.DefaultRetention))
		},
		Ended: func(j jobs.Job, status jobs.Status) { s.telemetry.JobEnded(j.Kind, string(status)) },
	})
	if err != nil {
		return nil, nil, errors.Join(err, closeParser())
	}
	return w, closeParser, nil
}
