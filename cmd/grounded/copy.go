package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/ingest/move"
)

func (p *program) copyCommand() *cobra.Command {
	var from, to string
	var all, overwrite, quiet bool
	command := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy a collection to another store, without embedding it again",
		Long: `Copies documents with their metadata and access, pages, chunks, vectors, sources and quarantine,
and compares both at the end. It may be stopped and started again at any time; a later run copies
what has changed since.

A store is sqlite (the embedded one in the folder of --data), sqlite:FILE, or qdrant (the server in
the configuration).`,
		Example: examples("grounded copy --from sqlite --to qdrant", "grounded copy --from sqlite --to sqlite:/backup/grounded.db --all"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.copy(cmd.Context(), copyRequest{from, to, all, overwrite, quiet})
		},
	}
	flags := command.Flags()
	flags.StringVar(&from, "from", "", "`store` to copy from")
	flags.StringVar(&to, "to", "", "`store` to copy to")
	flags.BoolVar(&all, "all", false, "all collections")
	flags.BoolVar(&overwrite, "overwrite", false, "make the target the same where it has other or newer documents")
	flags.BoolVar(&quiet, "quiet", false, "print nothing but errors")
	for _, flag := range []string{"from", "to"} {
		if err := command.MarkFlagRequired(flag); err != nil {
			panic(err) // the flag is made above
		}
	}
	return command
}

type copyRequest struct {
	from, to              string
	all, overwrite, quiet bool
}

func (p *program) copy(ctx context.Context, r copyRequest) (err error) {
	c, err := p.config()
	if err != nil {
		return err
	}
	source, err := openStore(ctx, r.from, mustExist, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if sameStore(r.from, r.to, c) {
		return usageError{corpus.Errorf(corpus.ErrInvalid, "copy: %s and %s are the same store", r.from, r.to)}
	}
	target, err := openStore(ctx, r.to, mayCreate, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	names := []string{c.Collection}
	if r.all {
		list, err := source.Collections(ctx)
		if err != nil {
			return err
		}
		names = userCollections(list)
	}
	for _, name := range names {
		observe, done := p.watchMove("copying "+name, r.quiet)
		report, err := move.Copy(ctx, move.CopyConfig{From: source, To: target, Collection: name, Overwrite: r.overwrite, Observe: observe})
		done()
		if err != nil {
			if ctx.Err() != nil && !r.quiet {
				p.notef("what is copied stays; the same command goes on from there\n")
			}
			return err
		}
		if !p.json && !r.quiet {
			d := report.Documents
			p.printf("copied collection %s: %s (%d new or changed, %d deleted), %s written, %.1f seconds\n", name,
				count(d.Copied+d.Unchanged, "document"), d.Copied, d.Deleted, count(report.Chunks.Written, "chunk"), report.Seconds)
		}
	}
	return nil
}
