package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/corpus"
	"grounded/ingest/parse/ocr"
	"grounded/jobs"
	"grounded/model"
	"grounded/store/qdrant"
)

// check is one thing that doctor looked at.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warning or failed
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"` // what to do
}

const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusFailed  = "failed"
)

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "Check configuration, disk, store and models, and say what to do",
		Example: examples("grounded doctor", "grounded doctor --json"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := p.examine(cmd.Context())
			failed := 0
			for _, c := range checks {
				if c.Status == statusFailed {
					failed++
				}
			}
			if p.json {
				if err := p.printJSON(map[string]any{"checks": checks, "healthy": failed == 0}); err != nil {
					return err
				}
			} else {
				for _, c := range checks {
					p.printf("%-8s %-14s %s\n", c.Status, c.Name, c.Detail)
					if c.Hint != "" {
						p.printf("%-8s %-14s → %s\n", "", "", c.Hint)
					}
				}
			}
			if failed > 0 {
				return corpus.Errorf(corpus.ErrUnavailable, "%s failed", count(failed, "check"))
			}
			return nil
		},
	}
}

// outcome is the check of something that went well with a detail, or failed with an error.
func outcome(name, detail string, err error) check {
	if err != nil {
		return check{name, statusFailed, err.Error(), corpus.HintOf(err)}
	}
	return check{Name: name, Status: statusOK, Detail: detail}
}

func (p *program) examine(ctx context.Context) []check {
	c, err := p.config()
	if err != nil {
		return []check{outcome("configuration", "", err)}
	}
	checks := []check{outcome("configuration", fmt.Sprintf("data in %s, collection %s", c.Data, c.Collection), nil), checkDisk(c.Data)}
	s, err := p.services(c)
	if err != nil {
		return append(checks, outcome("models", "", err))
	}
	defer s.supervisor.Close()
	if _, err := os.Stat(storeFile(c)); c.Store != config.StoreQdrant && errors.Is(err, fs.ErrNotExist) {
		checks = append(checks, check{"store", statusWarning, "there is none yet", "begin with: grounded ingest FOLDER"})
	} else {
		checks = append(checks, s.checkStore(ctx)...)
	}
	if c.Jobs.Kind == config.JobsNATS {
		checks = append(checks, checkJobs(ctx, c))
	}
	checks = append(checks, checkOCR(ctx, c.Ingest), s.checkModels(ctx))
	if s.store != nil {
		defer s.store.Close()
		checks = append(checks, s.checkEmbedder(ctx))
	}
	return append(checks, s.checkChat(ctx))
}

// checkDisk warns below a gigabyte of free space.
func checkDisk(folder string) check {
	for {
		if _, err := os.Stat(folder); err == nil || filepath.Dir(folder) == folder {
			break
		}
		folder = filepath.Dir(folder)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return outcome("disk", "", corpus.Errorf(corpus.ErrUnavailable, "look at %s: %w", folder, err))
	}
	free := fs.Bavail * uint64(fs.Bsize)
	c := check{Name: "disk", Status: statusOK, Detail: fmt.Sprintf("%.1f GB free", float64(free)/1e9)}
	if free < 1e9 {
		c.Status, c.Hint = statusWarning, "free some space: a full disk stops an ingest (it loses nothing)"
	}
	return c
}

// checkOCR tells what reads scans.
func checkOCR(ctx context.Context, c config.Ingest) check {
	engine, err := findOCR(ctx, c)
	switch {
	case err != nil:
		return outcome("scans", "", err)
	case engine.Reads():
		return outcome("scans", "read by "+engine.String(), nil)
	case c.OCR == "off":
		return outcome("scans", "not read: ingest.ocr is off", nil)
	}
	return check{"scans", statusWarning, "nothing reads them", ocr.Hint}
}

// checkJobs reaches the server that has the jobs.
func checkJobs(ctx context.Context, c config.Config) check {
	q, err := openQueue(ctx, c)
	if err != nil {
		return outcome("jobs", "", err)
	}
	defer q.Close()
	queued, next, err := q.Jobs(ctx, jobs.Query{Status: jobs.Queued, Limit: 1000})
	detail := fmt.Sprintf("%d queued", len(queued))
	if next != "" {
		detail = "more than " + detail
	}
	return outcome("jobs", detail, err)
}

// largeCollection is the number of chunks above which one machine's memory and time are better not relied on.
const largeCollection = 300_000

func (s *services) checkStore(ctx context.Context) []check {
	opened, err := openStore(ctx, "", mustExist, s.config)
	if err != nil {
		return []check{outcome("store", "", err)}
	}
	s.store = opened
	if err := s.store.Check(ctx); err != nil {
		return []check{outcome("store", "", err)}
	}
	list, err := s.store.Collections(ctx)
	if err != nil {
		return []check{outcome("store", "", err)}
	}
	where := storeFile(s.config)
	server, isServer := s.store.(*qdrant.Store)
	if isServer {
		where = server.String()
	}
	checks := []check{outcome("store", fmt.Sprintf("%s, %s", where, count(len(list), "collection")), nil)}
	for _, c := range list {
		line := check{Name: "collection", Status: statusOK, Detail: fmt.Sprintf("%s: %s, %s", c.Name, count(c.Documents, "document"), count(c.Chunks, "chunk"))}
		switch {
		case corpus.IsShadow(c.Name):
			line.Status, line.Hint = statusWarning, "another form of the collection, by "+c.Embedding.Model+": `grounded reindex` goes on with it or, with --drop, deletes it"
		case c.Chunks > largeCollection && !isServer:
			line.Status, line.Hint = statusWarning, "the embedded store is right up to a few hundred thousand chunks; move it to a server with: grounded copy --from sqlite --to qdrant --all"
		case c.Quarantined > 0:
			line.Status, line.Hint = statusWarning, count(c.Quarantined, "file")+" could not be read: `grounded docs` says why"
		}
		checks = append(checks, line)
	}
	if isServer {
		checks = append(checks, checkServer(ctx, server)...)
	}
	return checks
}

// checkServer says what a Qdrant server has, and what of it does not fit.
func checkServer(ctx context.Context, server *qdrant.Store) []check {
	report, err := server.Report(ctx)
	if err != nil {
		return []check{outcome("qdrant", "", err)}
	}
	checks := []check{outcome("qdrant", "version "+report.Version, nil)}
	for _, c := range report.Collections {
		quantisation := "no quantisation"
		if c.Quantisation != "" {
			quantisation = c.Quantisation + " quantisation"
		}
		checks = append(checks, outcome("qdrant", fmt.Sprintf("%s: %s of %d dimensions, %s on %s, %s, %s, %s", c.Name, count(c.Points, "chunk"), c.Dimensions,
			count(c.Shards, "shard"), count(c.Nodes, "node"), count(c.Replicas, "replica"), quantisation, c.State), nil))
	}
	for _, w := range report.Warnings {
		checks = append(checks, check{"qdrant", statusWarning, w.Text, w.Hint})
	}
	return checks
}

func (s *services) checkModels(ctx context.Context) check {
	found := s.detect(ctx)
	c := check{Name: "models", Status: statusOK, Detail: found.Line}
	if found.Chat == "" || found.Embedding == "" {
		c.Status = statusWarning
	}
	return c
}

func (s *services) checkEmbedder(ctx context.Context) check {
	embedder, err := s.embedder(ctx)
	if err != nil {
		return outcome("embedding", "", err)
	}
	e, err := embedder.Embedding(ctx)
	if err != nil {
		return outcome("embedding", "", err)
	}
	if _, err := embedder.Embed(ctx, model.Query, []string{"ready?"}); err != nil {
		return outcome("embedding", "", err)
	}
	c, err := s.store.Collection(ctx, s.config.Collection)
	if err == nil && c.Embedding.Fingerprint() != e.Fingerprint() {
		return check{"embedding", statusFailed, fmt.Sprintf("%s answers, but collection %s was embedded with %s", e.Model, c.Name, c.Embedding.Model),
			"bring the collection to it with `grounded reindex`, set models.embedding to " + c.Embedding.Model + ", or ingest into another --collection"}
	}
	return outcome("embedding", fmt.Sprintf("%s answers, %d dimensions", e.Model, e.Dimensions), nil)
}

func (s *services) checkChat(ctx context.Context) check {
	chat, err := s.chat(ctx, "")
	if err != nil {
		return outcome("chat", "", err)
	}
	_, err = chat.Complete(ctx, model.Request{Messages: []model.Message{{Role: "user", Content: "Say yes."}}, MaxTokens: 4}, nil)
	return outcome("chat", chat.Card().ID+" answers", err)
}
