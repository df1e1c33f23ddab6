package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/chunk"
	"grounded/ingest/parse"
	"grounded/ingest/parse/ocr"
	"grounded/ingest/source"
	"grounded/model"
)

// ingestMemory is what an ingest should stay below, in bytes; above it memory is collected more often.
const ingestMemory = 256 << 20

func (p *program) ingestCommand() *cobra.Command {
	var request ingest.Request
	var quiet bool
	var passwords []string
	var shard string
	var follow bool
	var poll time.Duration
	open := &opener{program: p}
	command := &cobra.Command{
		Use:   "ingest PATH…",
		Short: "Read documents into a collection: new ones, and what changed of the others",
		Long: `Reads files and folders into a collection, and pages of the web, sitemaps, buckets and
standard input as well. What is unchanged costs nothing; of a changed document only the
chunks with new text are embedded. It may be stopped and started again at any time:
nothing is lost and nothing is double.

In folders, a .groundedignore says what is not read, like a .gitignore.

With --server the files are uploaded there, under the same rules.

Exit codes: 0 all is in; 3 all is in but for files that could not be read, which are listed
with the reason; 1 it failed.`,
		Example: examples("grounded ingest ~/company/documents", "grounded ingest --prune ~/company/documents   # also forget deleted files",
			"grounded ingest --dry-run ~/company/documents", "grounded ingest --collection legal --source contracts /mnt/contracts",
			"grounded ingest --include '*.pdf' --exclude 'drafts/**' ~/company/documents",
			"grounded ingest --prune https://docs.example.com/sitemap.xml", "grounded ingest --allow-private http://wiki.intranet/handbook.html",
			"grounded ingest --prune s3://company-documents/policies", "make-report | grounded ingest --name report.md -",
			"grounded ingest --watch --prune ~/company/documents   # until Ctrl-C",
			"grounded ingest --shard 2/8 /mnt/archive   # the second of eight machines"),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			request.Paths = args
			if request.Shard, err = parseShard(shard); err != nil {
				return usageError{err}
			}
			if open.name != "" && !slices.Contains(args, "-") {
				return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--name is for the document on standard input"), "read it with: grounded ingest --name "+open.name+" -")}
			}
			var watch *ingest.Watch
			if follow || poll > 0 {
				watch = &ingest.Watch{Poll: poll}
			}
			c, err := p.config()
			if err != nil {
				return err
			}
			request.Collection = c.Collection
			if request.Globs, err = chosenGlobs(c.Ingest, request.Globs); err != nil {
				return err
			}
			server, err := p.connect(c)
			if err != nil {
				return err
			}
			if server != nil {
				if err := onlyHere(cmd, args); err != nil {
					return err
				}
				return p.ingestRemotely(cmd.Context(), server, request, quiet)
			}
			return p.with(cmd.Context(), mayCreate, func(s *services) error {
				open.config = s.config.Ingest
				return p.ingest(cmd.Context(), s, request, open, watch, append(passwords, s.passwords()...), quiet)
			})
		},
	}
	remote(command)
	flags := command.Flags()
	flags.StringVar(&request.Source, "source", "", "`name` of the source (default: the name of the folder, host or bucket)")
	flags.BoolVar(&request.Moved, "moved", false, "the source's folder has moved here")
	flags.BoolVar(&request.Prune, "prune", false, "remove documents whose file or page is gone")
	flags.BoolVar(&request.DryRun, "dry-run", false, "say what would happen, and do nothing")
	flags.StringArrayVar(&passwords, "password", nil, "a `password` to try on files that need one; may be given again (others on the machine can see it: ingest.passwords in the configuration is safer)")
	flags.StringArrayVar(&request.Globs.Include, "include", nil, "read only files that match a `pattern`, as '*.pdf' or 'hr/**'; may be given again")
	flags.StringArrayVar(&request.Globs.Exclude, "exclude", nil, "leave out files and folders that match a `pattern`; may be given again")
	flags.StringVar(&shard, "shard", "", "read only `part` 2/8 of each source, of eight that are alike")
	flags.BoolVar(&follow, "watch", false, "go on until interrupted, and read what changes in the folders as it does")
	flags.DurationVar(&poll, "poll", 0, "with --watch: look for changes that often, as `10s`, where the system does not tell of them by itself")
	flags.StringVar(&open.name, "name", "", "what the document on standard input is called, as `report.md`")
	flags.BoolVar(&open.allowPrivate, "allow-private", false, "read pages of private networks and of this machine")
	flags.BoolVar(&quiet, "quiet", false, "print nothing but errors")
	return command
}

// collectLess is for a process that does nothing but ingest: little is alive at a time and much is made, and collecting
// less often takes a tenth off the time.
func collectLess() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(ingestMemory)
}

func (p *program) ingest(ctx context.Context, s *services, request ingest.Request, open *opener, watch *ingest.Watch, passwords []string, quiet bool) error {
	collectLess()
	embedder, err := s.embedder(ctx)
	if err != nil {
		return err
	}
	pipeline, closeParser, err := s.ingester(ctx, embedder, open, passwords)
	if err != nil {
		return err
	}
	defer closeParser()
	if watch != nil {
		return p.follow(ctx, pipeline, request, *watch, quiet)
	}
	observe, done := p.showProgress(quiet)
	report, err := pipeline.Run(ctx, request, observe)
	done()
	return p.closeIngest(ctx, report, err, quiet)
}

// closeIngest prints the report of a run, and says how the run ends.
func (p *program) closeIngest(ctx context.Context, report ingest.Report, err error, quiet bool) error {
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

// ingester prepares what ingests; closeParser ends its children.
func (s *services) ingester(ctx context.Context, embedder model.Embedder, open *opener, passwords []string) (in *ingest.Ingester, closeParser func() error, err error) {
	c, closeParser, err := s.ingestConfig(ctx, passwords)
	if err != nil {
		return nil, nil, err
	}
	c.Embedder, c.Open = embedder, open.open
	in, err = ingest.New(ctx, c)
	if err != nil {
		return nil, nil, errors.Join(err, closeParser())
	}
	return in, closeParser, nil
}

// ingestConfig is the configuration of what ingests, without an embedder.
func (s *services) ingestConfig(ctx context.Context, passwords []string) (config ingest.Config, closeParser func() error, err error) {
	c := s.config.Ingest
	scans, err := findOCR(ctx, c)
	if err != nil {
		return config, nil, err
	}
	vision, err := s.vision(ctx)
	if err != nil {
		return config, nil, err
	}
	transcriber, err := s.transcriber(ctx)
	if err != nil {
		return config, nil, err
	}
	pool, err := parse.New(parse.Config{
		OCR:         scans,
		Pictures:    vision != nil,
		Workers:     c.Workers,
		Timeout:     time.Duration(c.ParseTimeout),
		MemoryBytes: int64(c.ParseMemoryMB) << 20,
		FileBytes:   int64(c.MaxFileMB) << 20,
	})
	if err != nil {
		return config, nil, err
	}
	return ingest.Config{
		Store: s.store, Parser: pool, Passwords: passwords, OCR: scans.String(), Vision: vision, Transcriber: transcriber, Workers: c.Workers, BatchTexts: s.config.Models.EmbeddingBatch,
		Scratch: filepath.Join(s.config.Data, "scratch"),
		Limits:  ingest.Limits{Limits: parse.Limits{Parts: c.MaxParts, Bytes: int64(c.MaxUnpackedMB) << 20}, Depth: c.MaxDepth},
		Chunk:   chunk.Config{TargetTokens: c.ChunkTokens, OverlapTokens: c.OverlapTokens},
	}, pool.Close, nil
}

// chosenGlobs are those of flags with the configured ones.
func chosenGlobs(c config.Ingest, given source.Globs) (source.Globs, error) {
	if err := given.Check(); err != nil {
		return given, usageError{err}
	}
	if len(given.Include) == 0 {
		given.Include = c.Include
	}
	given.Exclude = append(given.Exclude, c.Exclude...)
	return given, given.Check()
}

// passwords are the configured ones.
func (s *services) passwords() []string {
	var list []string
	for _, password := range s.config.Ingest.Passwords {
		list = append(list, string(password))
	}
	return list
}

// findOCR returns what reads scans, if anything is to and does.
func findOCR(ctx context.Context, c config.Ingest) (ocr.Engine, error) {
	if c.OCR == "off" {
		return ocr.Engine{}, nil
	}
	return ocr.Find(ctx, c.OCRLanguages)
}

// parseShard reads "2/8"; empty is no shard.
func parseShard(text string) (s ingest.Shard, err error) {
	if text == "" {
		return s, nil
	}
	number, of, ok := strings.Cut(text, "/")
	if ok {
		if s.Number, err = strconv.Atoi(number); err == nil {
			s.Of, err = strconv.Atoi(of)
		}
	}
	if !ok || err != nil || s == (ingest.Shard{}) {
		return s, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q is no shard", text), "shards of eight machines are 1/8, 2/8 and so on to 8/8")
	}
	return s, s.Check()
}

// listedFiles is how many files of a kind the closing report names.
const listedFiles = 20

// listedQuarantined is how many files that could not be read it names: more, since each is one to look after.
const listedQuarantined = 200

// printReport is the closing table.
func (p *program) printReport(r ingest.Report) {
	d := r.Documents
	if r.DryRun {
		p.printf("nothing was written; an ingest would do this:\n")
	}
	t := newTable("new", "changed", "unchanged", "pruned", "quarantined", "skipped", "pages", "chunks written", "reused", "embedded", "seconds")
	t.add(fmt.Sprint(d.New), fmt.Sprint(d.Changed), fmt.Sprint(d.Unchanged), fmt.Sprint(d.Pruned), fmt.Sprint(d.Quarantined), fmt.Sprint(d.Skipped),
		fmt.Sprint(r.Pages), fmt.Sprint(r.Chunks.Written), fmt.Sprint(r.Chunks.Reused), fmt.Sprint(r.Chunks.Embedded), fmt.Sprintf("%.1f", r.Seconds))
	t.write(p.stdout, 0)
	if n := r.Recordings; n.Transcribed > 0 {
		cost := "a price that is not known"
		if n.CostUSD != nil {
			cost = fmt.Sprintf("$%.4f", *n.CostUSD)
		}
		p.printf("%s of %s in all transcribed for %s\n", count(n.Transcribed, "recording"), (time.Duration(n.Seconds) * time.Second).String(), cost)
	}
	for _, warning := range r.Warnings {
		p.printf("%s\n", warning)
	}
	if d.Ignored > 0 {
		p.printf("left out by rules and patterns: %d\n", d.Ignored)
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
	// Where all are as slow, it is the embedder that they waited for.
	if n := len(r.Slowest); n > 0 && r.Slowest[0].Seconds >= max(slowSeconds, 2*r.Slowest[n-1].Seconds) {
		p.printf("\nslowest:\n")
		for _, f := range r.Slowest {
			p.printf("  %s: %.1f seconds, %s, %s\n", f.Document, f.Seconds, count(f.Pages, "page"), count(f.Chunks.Written, "chunk"))
		}
	}
	p.printQuarantined(r.Quarantined)
}

// slowSeconds is how long a document has to take for the slowest to be named.
const slowSeconds = 5

// printQuarantined names the files that could not be read, and why.
func (p *program) printQuarantined(files []ingest.DocumentDone) {
	if len(files) == 0 {
		return
	}
	p.printf("\n%s could not be read; another ingest tries again when they, or what reads them, have changed:\n", count(len(files), "file"))
	for _, f := range files[:min(listedQuarantined, len(files))] {
		stale := ""
		if f.Stale {
			stale = " (an older version is still in)"
		}
		p.printf("  %s: %s%s\n", f.Document, f.Reason, stale)
	}
	if more := len(files) - listedQuarantined; more > 0 {
		p.printf("  … and %d more; --json names them all\n", more)
	}
}
