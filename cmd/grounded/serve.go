package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/api"
	"grounded/config"
	"grounded/corpus"
	"grounded/jobs"
	"grounded/prompts"
	"grounded/store"
)

const defaultAddress = "127.0.0.1:8080"

func (p *program) serveCommand() *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Answer over HTTP: OpenAI's routes under /v1, grounded's own under /api",
		Long: `Serves any client of OpenAI's API: its base URL is http://ADDRESS/v1, the model NAME answers alone
and NAME+rag from the documents. Without keys it listens on this machine only.

Uploads are ingested beside it, or by ` + "`grounded worker`" + ` where jobs are in NATS (jobs.kind).

SIGHUP reads the keys of the configuration again; Ctrl-C lets running answers finish.`,
		Example: examples("grounded serve", "grounded serve --address :8080   # needs keys: grounded keys new"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), mayCreate, func(s *services) error {
				if address != "" {
					s.config.Serve.Address = address
				}
				return p.serve(cmd.Context(), s)
			})
		},
	}
	command.Flags().StringVar(&address, "address", "", "`host:port` to listen on (default "+defaultAddress+")")
	return command
}

func (p *program) serve(ctx context.Context, s *services) (err error) {
	settings, err := s.serverConfig(ctx)
	if err != nil {
		return err
	}
	settings.Log = slog.New(slog.NewJSONHandler(p.stderr, nil))
	stopObserving, err := p.observe(ctx, s, settings.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopObserving()) }()
	settings.Telemetry = s.telemetry
	queue, err := openQueue(ctx, s.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, queue.Close()) }()
	settings.Queue, settings.Uploads, settings.Evaluations = queue, jobLimits(s.config), evaluations(s.config)
	server, err := api.New(settings)
	if err != nil {
		return err
	}
	address := cmp.Or(s.config.Serve.Address, defaultAddress)
	if err := api.CheckAddress(address, settings.Keys); err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "listen on %s: %w", address, err), "choose another with --address, or stop what listens there")
	}
	if len(settings.Keys) == 0 {
		p.notef("no keys are configured: whoever is on this machine may do everything, and nobody else reaches it\n")
	}
	stopWorker, err := s.workBeside(ctx, queue, settings.Log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, stopWorker()) }()
	p.notef("listening on http://%s (base URL of OpenAI clients: http://%s/v1)\n", listener.Addr(), listener.Addr())
	reloads := make(chan os.Signal, 1)
	signal.Notify(reloads, syscall.SIGHUP)
	defer signal.Stop(reloads)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-reloads:
				p.reload(server)
			case <-done:
				return
			}
		}
	}()
	return server.Serve(ctx, listener)
}

// workBeside does the jobs of a queue that is this machine's own, so that one command is enough. stop parks those in
// hand; it is called when the server has ended.
func (s *services) workBeside(ctx context.Context, queue jobs.Queue, log *slog.Logger) (stop func() error, err error) {
	if s.config.Jobs.Kind == config.JobsNATS {
		return func() error { return nil }, nil
	}
	worker, closeWorker, err := s.worker(ctx, queue, log)
	if err != nil {
		return nil, err
	}
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Run(work)
	}()
	return func() error {
		end()
		<-ended
		return closeWorker()
	}, nil
}

// reload reads the keys again. When they can't be read, the server goes on with those that it has.
func (p *program) reload(server *api.Server) {
	c, err := p.config()
	if err == nil {
		var keys []api.Key
		if keys, err = serverKeys(c.Serve.Keys); err == nil {
			err = server.SetKeys(keys)
		}
	}
	if err != nil {
		p.notef("the keys stay as they were: %s\n", err)
		return
	}
	p.notef("the keys were read again\n")
}

func (s *services) serverConfig(ctx context.Context) (api.Config, error) {
	c := s.config
	keys, err := serverKeys(c.Serve.Keys)
	if err != nil {
		return api.Config{}, err
	}
	set, err := prompts.Load(c.Answer.Prompts)
	if err != nil {
		return api.Config{}, err
	}
	b := api.Backend{
		Store: s.store, Catalog: s.catalog, Model: s.model, Chat: c.Models.Chat, Embedding: c.Models.Embedding, Rerank: c.Models.Rerank,
		Collection: c.Collection, TopK: c.Retrieve.TopK, Mode: c.Retrieve.Mode,
		Fusion:    store.Fusion{Method: c.Retrieve.Fusion, DenseWeight: c.Retrieve.DenseWeight},
		MaxTokens: c.Answer.MaxTokens, Temperature: c.Answer.Temperature, Prompts: set,
	}
	if below := c.Answer.AbstainBelow; below != nil {
		b.Abstention = &answer.Abstention{Below: below}
	}
	if c.Answer.Examples != "" {
		if b.Examples, err = prompts.LoadExamples(c.Answer.Examples); err != nil {
			return api.Config{}, err
		}
	}
	if b.Chat == "" || b.Embedding == "" {
		found := s.detect(ctx)
		b.Chat, b.Embedding = cmp.Or(b.Chat, found.Chat), cmp.Or(b.Embedding, found.Embedding)
	}
	return api.Config{
		Backend: b, Keys: keys, PublicURL: c.Serve.PublicURL, Origins: c.Serve.CORSOrigins, MaxBody: int64(c.Serve.MaxBodyMB) << 20,
		Timeout: time.Duration(c.Serve.Timeout), Heartbeat: time.Duration(c.Serve.Heartbeat), Drain: time.Duration(c.Serve.Drain), Grace: time.Duration(c.Serve.Grace),
		Limits: api.Limits{
			Concurrent: c.Serve.Concurrent, Queue: c.Serve.Queue,
			RequestsPerMinute: c.Serve.RequestsPerMinute, TokensPerMinute: c.Serve.TokensPerMinute, ConcurrentPerKey: c.Serve.ConcurrentRequests,
		},
	}, nil
}

func serverKeys(configured []config.Key) ([]api.Key, error) {
	var keys []api.Key
	for _, k := range configured {
		key := api.Key{Name: k.Name, Hash: k.Hash, Scope: api.Scope(k.Scope), Collections: k.Collections, Groups: k.Groups}
		if k.Expires != "" {
			day, err := time.Parse(time.DateOnly, k.Expires)
			if err != nil {
				return nil, corpus.Errorf(corpus.ErrInvalid, "key %q expires on %q, which is no day such as 2027-12-31", k.Name, k.Expires)
			}
			key.Expires = day.AddDate(0, 0, 1)
		}
		keys = append(keys, key)
	}
	return keys, api.CheckKeys(keys)
}
