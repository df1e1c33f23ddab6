package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/parse/ocr"
)

// ingestMemory is what an ingest should stay below, in bytes; above it memory is collected more often.
const ingestMemory = 256 << 20

func (p *program) ingestCommand() *cobra.Command {
	var request ingest.Request
	var quiet bool
	var passwords []string
	command := &cobra.Command{
		Use:   "ingest PATH…",
		Short: "Read documents into a collection: new ones, and what changed of the others",
		Long: `Reads files and folders into a collection. What is unchanged costs nothing; of a changed
document only the chunks with new text are embedded. It may be stopped and started again
at any time: nothing is lost and nothing is double.

Exit codes: 0 all is in; 3 all is in but for files that could not be read, which are listed
with the reason; 1 it failed.`,
		Example: examples("grounded ingest ~/company/documents", "grounded ingest --prune ~/company/documents   # also forget deleted files",
			"grounded ingest --dry-run ~/company/documents", "grounded ingest --collection legal --source contracts /mnt/contracts"),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Paths = args
			return p.with(cmd.Context(), mayCreate, func(s *services) error {
				request.Collection = s.config.Collection
				for _, password := range s.config.Ingest.Passwords {
					passwords = append(passwords, string(password))
				}
				return p.ingest(cmd.Context(), s, request, passwords, quiet)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&request.Source, "source", "", "`name` of the source (default: the folder's name)")
	flags.BoolVar(&request.Moved, "moved", false, "the source's folder has moved here")
	flags.BoolVar(&request.Prune, "prune", false, "remove documents whose file is gone")
	flags.BoolVar(&request.DryRun, "dry-run", false, "say what would happen, and do nothing")
	flags.StringArrayVar(&passwords, "password", nil, "a `password` to try on files that need one; may be given again (others on the machine can see it: ingest.passwords in the configuration is safer)")
	flags.BoolVar(&quiet, "quiet", false, "print nothing but errors")
	return command
}

func (p *program) ingest(ctx context.Context, s *services, request ingest.Request, passwords []string, quiet bool) error {
	// Little is alive at a time and much is made: collecting less often takes a tenth off the time.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(ingestMemory)
	embedder, err := s.embedder(ctx)
	if err != nil {
		return err
	}
	c := s.config.Ingest
	scans, err := findOCR(ctx, c)
	if err != nil {
		return err
	}
	pool, err := parse.New(parse.Config{
		OCR:         scans,
		Workers:     c.Workers,
		Timeout:     time.Duration(c.ParseTimeout),
		MemoryBytes: int64(c.ParseMemoryMB) << 20,
		FileBytes:   int64(c.MaxFileMB) << 20,
	})
	if err != nil {
		return err
	}
	defer pool.Close()
	pipeline, err := ingest.New(ctx, ingest.Config{
		Store: s.store, Embedder: embedder, Parser: pool, Passwords: passwords, OCR: scans.String(), Workers: c.Workers, BatchTexts: s.config.Models.EmbeddingBatch,
		Chunk: chunk.Config{TargetTokens: c.ChunkTokens, OverlapTokens: c.OverlapTokens},
	})
	if err != nil {
		return err
	}
	observe, done := p.watchIngest(quiet)
	report, err := pipeline.Run(ctx, request, observe)
	done()
	if !quiet && !p.json && (err == nil || report.Documents.New+report.Documents.Changed > 0) {
		p.printReport(report)
	}
	if err != nil {
		if ctx.Err() != nil && !quiet {
			p.notef("what is in stays in; the same command goes on from there\n")
		}
		return err
	}
	if report.Documents.Quarantined > 0 {
		return errQuarantined
	}
	return nil
}

// findOCR returns what reads scans, if anything is to and does.
func findOCR(ctx context.Context, c config.Ingest) (ocr.Engine, error) {
	if c.OCR == "off" {
		return ocr.Engine{}, nil
	}
	return ocr.Find(ctx, c.OCRLanguages)
}

// watchIngest returns what is told of each event: a line of JSON, a bar on a terminal, or nothing. done ends it.
func (p *program) watchIngest(quiet bool) (observe func(ingest.Event), done func()) {
	switch {
	case p.json:
		return func(e ingest.Event) { _ = p.printJSON(e) }, func() {}
	case quiet || !isTerminal(p.stderr):
		return nil, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription("ingesting"),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("files"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	chunks := 0
	return func(e ingest.Event) {
		switch e := e.(type) {
		case ingest.Discovered:
			bar.ChangeMax(e.Files)
		case ingest.DocumentDone:
			if e.Outcome == ingest.OutcomePruned {
				return
			}
			chunks += e.Chunks.Written
			bar.Describe("ingesting, " + count(chunks, "chunk"))
			_ = bar.Add(1)
		}
	}, func() { _ = bar.Finish() }
}

// listedFiles is how many files of a kind the closing report names.
const listedFiles = 20

// printReport is the closing table.
func (p *program) printReport(r ingest.Report) {
	d := r.Documents
	if r.DryRun {
		p.printf("nothing was written; an ingest would do this:\n")
	}
	t := newTable("new", "changed", "unchanged", "pruned", "quarantined", "skipped", "chunks written", "reused", "embedded", "seconds")
	t.add(fmt.Sprint(d.New), fmt.Sprint(d.Changed), fmt.Sprint(d.Unchanged), fmt.Sprint(d.Pruned), fmt.Sprint(d.Quarantined), fmt.Sprint(d.Skipped),
		fmt.Sprint(r.Chunks.Written), fmt.Sprint(r.Chunks.Reused), fmt.Sprint(r.Chunks.Embedded), fmt.Sprintf("%.1f", r.Seconds))
	t.write(p.stdout, 0)
	for _, warning := range r.Warnings {
		p.printf("%s\n", warning)
	}
	if d.Skipped > 0 {
		p.printf("\n%s skipped:\n", count(d.Skipped, "file"))
		for _, f := range r.Skipped[:min(listedFiles, len(r.Skipped))] {
			p.printf("  %s: %s\n", f.Document, f.Reason)
		}
		if more := d.Skipped - listedFiles; more > 0 {
			p.printf("  … and %d more; --json names them all\n", more)
		}
	}
	if len(r.Quarantined) > 0 {
		p.printf("\n%s could not be read:\n", count(len(r.Quarantined), "file"))
		for _, f := range r.Quarantined {
			stale := ""
			if f.Stale {
				stale = " (an older version is still in)"
			}
			p.printf("  %s: %s%s\n", f.Document, f.Reason, stale)
		}
	}
}
