package main

import (
	"context"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/ingest/move"
)

func (p *program) reindexCommand() *cobra.Command {
	var embedding string
	var drop, quiet bool
	command := &cobra.Command{
		Use:   "reindex",
		Short: "Embed a collection with another model, while questions are answered",
		Long: `Embeds all chunks of a collection with the model of --embedding, else the configured one, into a
new form beside the old, and puts it in the old one's place when it is complete and has been
checked. Files are not read again. Until then questions are answered from the old form, with
its model. It may be stopped and started again at any time.

The old form stays, and running it again with the old model goes back to it; --drop deletes it.`,
		Example: examples("grounded reindex --embedding text-embedding-3-large", "grounded reindex --drop"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(s *services) error { return p.reindex(cmd.Context(), s, embedding, drop, quiet) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&embedding, "embedding", "", "`id` of the embedding model (default: the configured one)")
	flags.BoolVar(&drop, "drop", false, "delete the old form, now or, if the new one is not ready, when it is")
	flags.BoolVar(&quiet, "quiet", false, "print nothing but errors")
	return command
}

func (p *program) reindex(ctx context.Context, s *services, embedding string, drop, quiet bool) error {
	if embedding != "" {
		s.config.Models.Embedding = embedding
	}
	embedder, err := s.embedder(ctx)
	if err != nil {
		return err
	}
	observe, done := p.watchMove("embedding", quiet)
	report, err := move.Reindex(ctx, move.ReindexConfig{
		Store: s.store, Collection: s.config.Collection, Embedder: embedder, BatchTexts: s.config.Models.EmbeddingBatch, Drop: drop, Observe: observe,
	})
	done()
	if err != nil {
		if ctx.Err() != nil && !quiet {
			p.notef("what is embedded stays; the same command goes on from there, and questions are answered from the old form\n")
		}
		return err
	}
	if !quiet && !p.json {
		p.printReindexed(report)
	}
	if !quiet && embedding != "" {
		return p.adviseEmbedding(embedding)
	}
	return nil
}

func (p *program) printReindexed(r move.Report) {
	if r.Swapped {
		p.printf("collection %s has embeddings of %s (%d dimensions) now: %s, %s, %d embedded, %.1f seconds\n", r.Collection, r.Embedding.Model,
			r.Embedding.Dimensions, count(r.Documents.Copied+r.Documents.Unchanged, "document"), count(r.Chunks.Written, "chunk")+" written", r.Chunks.Embedded, r.Seconds)
	} else {
		p.printf("collection %s has embeddings of %s (%d dimensions) already; name another model with --embedding\n", r.Collection, r.Embedding.Model, r.Embedding.Dimensions)
	}
	if k := r.Kept; k != nil {
		p.printf("another form of it, by %s with %s, is kept: `grounded reindex --drop` deletes it\n", k.Embedding.Model, count(k.Documents, "document"))
	}
	if d := r.Dropped; d != nil {
		p.printf("deleted its other form, by %s with %s\n", d.Embedding.Model, count(d.Documents, "document"))
	}
}

// adviseEmbedding tells that the next ingest needs the model in the configuration, if another one is there.
func (p *program) adviseEmbedding(embedding string) error {
	c, err := p.config()
	if err == nil && c.Models.Embedding != "" && c.Models.Embedding != embedding {
		p.notef("set models.embedding to %s in the configuration before the next ingest; it is %s\n", embedding, c.Models.Embedding)
	}
	return err
}

// watchMove returns what is told of each event: a line of JSON, a bar on a terminal, or nothing. done ends it.
func (p *program) watchMove(doing string, quiet bool) (observe func(move.Event), done func()) {
	switch {
	case p.json:
		return func(e move.Event) { _ = p.printJSON(e) }, func() {}
	case quiet || !isTerminal(p.stderr):
		return nil, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription(doing),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("documents"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	chunks := 0
	return func(e move.Event) {
		switch e := e.(type) {
		case move.Started:
			bar.ChangeMax(e.Documents)
		case move.DocumentDone:
			chunks += e.Chunks.Written
			bar.Describe(doing + ", " + count(chunks, "chunk"))
			_ = bar.Add(1)
		}
	}, func() { _ = bar.Finish() }
}

// userCollections are the names of the collections that people made.
func userCollections(list []corpus.Collection) []string {
	var names []string
	for _, c := range list {
		if !corpus.IsShadow(c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}
