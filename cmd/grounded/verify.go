package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/ingest/source"
	"grounded/ingest/verify"
)

func (p *program) verifyCommand() *cobra.Command {
	var repair bool
	var globs source.Globs
	command := &cobra.Command{
		Use:   "verify [PATH…]",
		Short: "Compare a collection with its sources, and its documents with what is stored of them",
		Long: `Looks for files that are lost (neither stored nor quarantined), stale, gone or stored twice, for
text, chunks and vectors that are missing, double or belong to nothing, and for an index that
disagrees. Without PATH every source is compared whose folder is there. Nothing is changed.

With --repair what belongs to nothing is removed, what can be completed is, and files that are
lost, stale or damaged are ingested again. Documents whose file is gone stay: only
` + "`grounded ingest --prune`" + ` removes them.

Exit codes: 0 all is well, 1 there are faults (left).`,
		Example: examples("grounded verify", "grounded verify --repair ~/company/documents", "grounded verify --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(s *services) error { return p.verify(cmd.Context(), s, args, globs, repair) })
		},
	}
	command.Flags().StringArrayVar(&globs.Include, "include", nil, "the `pattern` that the documents were ingested with, if any; may be given again")
	command.Flags().StringArrayVar(&globs.Exclude, "exclude", nil, "the `pattern` that files were left out by, if any; may be given again")
	command.Flags().BoolVar(&repair, "repair", false, "mend what can be mended")
	return command
}

func (p *program) verify(ctx context.Context, s *services, paths []string, globs source.Globs, repair bool) error {
	globs, err := chosenGlobs(s.config.Ingest, globs)
	if err != nil {
		return err
	}
	embedder, err := s.questionEmbedder(ctx)
	if err != nil {
		return err
	}
	ingester, closeParser, err := s.ingester(ctx, embedder, &opener{program: p, config: s.config.Ingest}, s.passwords())
	if err != nil {
		return err
	}
	defer closeParser()
	observe, done := p.watchVerify()
	report, err := verify.Run(ctx, verify.Config{Ingester: ingester, Collection: s.config.Collection, Paths: paths, Globs: globs, Repair: repair, Observe: observe})
	done()
	if err != nil {
		return err
	}
	if p.json {
		err = p.printJSON(report)
	} else {
		p.printVerified(report, repair)
	}
	if err == nil && !report.Healthy {
		left := 0
		for _, n := range report.Counts {
			left += n
		}
		err = corpus.Errorf(corpus.ErrCorrupt, "collection %s has %s", report.Collection, count(left, "fault"))
		if !repair {
			err = corpus.Hint(err, "`grounded verify --repair` mends what can be mended")
		}
	}
	return err
}

// watchVerify shows a bar on a terminal.
func (p *program) watchVerify() (observe func(done, of int), done func()) {
	if p.json || !isTerminal(p.stderr) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription("verifying"),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("documents"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func(done, of int) {
		bar.ChangeMax(of)
		_ = bar.Set(done)
	}, func() { _ = bar.Finish() }
}

// printVerified prints the sources, a line a kind of fault, and the first faults of each.
func (p *program) printVerified(r verify.Report, repair bool) {
	p.printf("collection %s: %s, %s, %d quarantined\n", r.Collection, count(r.Documents, "document"), count(r.Chunks, "chunk"), r.Quarantined)
	for _, s := range r.Sources {
		if s.Compared {
			p.printf("source %s: compared with %s\n", s.Name, s.Root)
		} else {
			p.printf("source %s: not compared with %s. %s\n", s.Name, s.Root, s.Reason)
		}
	}
	if len(r.Faults) == 0 {
		p.printf("all is well\n")
		return
	}
	t := newTable("fault", "document", "source", "problem", "repaired")
	shown := map[string]int{}
	for _, f := range r.Faults {
		if shown[f.Kind]++; shown[f.Kind] > listedFiles {
			continue
		}
		t.add(f.Kind, f.Path, f.Source, f.Problem, map[bool]string{true: "yes", false: "no"}[f.Repaired])
	}
	t.write(p.stdout, 0)
	var kinds []string
	for kind := range shown {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		if more := shown[kind] - listedFiles; more > 0 {
			p.printf("… and %d more that are %s; --json names them all\n", more, kind)
		}
	}
	if repair && r.Healthy {
		p.printf("all of it is repaired\n")
	}
	if !r.Healthy && r.Counts[verify.Outdated]+r.Counts[verify.Lost]+r.Counts[verify.Stale] > 0 {
		p.printf("to mend it, ingest again: %s\n", fmt.Sprint("grounded ingest --collection ", r.Collection, " FOLDER"))
	}
}
