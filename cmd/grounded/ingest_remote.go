package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"grounded/client"
	"grounded/corpus"
	"grounded/ingest"
	"grounded/ingest/parse"
	"grounded/ingest/source"
	"grounded/jobs"
)

// onlyHere refuses what an ingest into a server can't do.
func onlyHere(cmd *cobra.Command, paths []string) error {
	for _, flag := range []struct{ name, hint string }{
		{"prune", "delete documents whose file is gone with: grounded docs delete DOCUMENT"},
		{"dry-run", "leave it out: what is unchanged costs no more than its upload"},
		{"password", "put it into the server's configuration (ingest.passwords)"},
		{"watch", "run the ingest again when files have changed, as cron does"},
		{"poll", "run the ingest again when files have changed, as cron does"},
		{"name", "write standard input to a file, and ingest that"},
		{"allow-private", "addresses are read where the server's data is"},
	} {
		if cmd.Flags().Changed(flag.name) {
			return usageError{corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "--%s does not work with a server", flag.name), flag.hint)}
		}
	}
	for _, path := range paths {
		if source.IsAddress(path) {
			return usageError{corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "ingest %s: only files and folders are sent to a server", path),
				"addresses are read where the server's data is, and standard input from a file")}
		}
	}
	return nil
}

// ingestRemotely uploads files to a server, and waits until it has ingested them.
func (p *program) ingestRemotely(ctx context.Context, server *client.Client, request ingest.Request, quiet bool) error {
	observe, done := p.showProgress(quiet)
	f := &forwarder{server: server, collection: request.Collection, moved: request.Moved}
	var report ingest.Report
	known, err := f.sources(ctx, request)
	if err == nil {
		report, err = ingest.Forward(ctx, request, known, f.forward, observe)
	}
	done()
	if ctx.Err() != nil && f.job != "" && !quiet {
		p.notef("the server goes on with job %s; `grounded jobs cancel %s` ends it\n", f.job, f.job)
	}
	return p.closeIngest(ctx, report, err, quiet)
}

// forwarder has files ingested by a server.
type forwarder struct {
	server     *client.Client
	collection string
	moved      bool
	job        string // that is waited for
}

// sources finds those whose documents the paths of a request have been before: of folders above them. A server does not
// know where a source is here, so it is told by its name and the paths of its documents.
func (f *forwarder) sources(ctx context.Context, request ingest.Request) ([]corpus.Source, error) {
	var known []corpus.Source
	if request.Source != "" {
		return nil, nil
	}
	for _, path := range request.Paths {
		disk, err := filepath.Abs(path)
		if err != nil {
			return nil, corpus.Errorf(corpus.ErrInvalid, "ingest %s: %w", path, err)
		}
		for folder := filepath.Dir(disk); filepath.Dir(folder) != folder; folder = filepath.Dir(folder) {
			name, below, err := ingest.PathIn(folder, disk)
			if err != nil {
				return nil, err
			}
			if info, err := os.Stat(disk); err == nil && info.IsDir() {
				below += "/"
			}
			page, err := f.server.Documents(ctx, request.Collection, client.DocumentQuery{Source: name, Prefix: below, Limit: 1})
			if errors.Is(err, corpus.ErrNotFound) {
				return nil, nil // the collection is new, or a wrong one, which the upload tells
			}
			if err != nil {
				return nil, err
			}
			if len(page.Data) > 0 {
				known = append(known, corpus.Source{Collection: request.Collection, Name: name, Root: folder})
				break
			}
		}
	}
	return known, nil
}

// sent is a file with its index.
type sent struct {
	ingest.Forwarded
	index int
}

// forward implements ingest.Forwarder.
func (f *forwarder) forward(ctx context.Context, files []ingest.Forwarded, done func(int, ingest.DocumentDone)) error {
	var batch []sent
	for i, file := range files {
		if err := jobs.CheckPath(file.Path); err != nil {
			done(i, ingest.DocumentDone{Outcome: ingest.OutcomeQuarantined, Code: "name", Reason: err.Error() + "; rename it."})
			continue
		}
		batch = append(batch, sent{file, i})
	}
	return f.send(ctx, batch, done)
}

// send uploads a batch, and less at once where the server takes no more. What it does not take at all is told.
func (f *forwarder) send(ctx context.Context, batch []sent, done func(int, ingest.DocumentDone)) error {
	if len(batch) == 0 {
		return nil
	}
	u := client.Upload{Source: batch[0].Source}
	if root := batch[0].Root; root != "" {
		host, err := os.Hostname()
		if err != nil {
			return corpus.Errorf(corpus.ErrUnavailable, "find the name of this machine: %w", err)
		}
		u.Root, u.Moved = host+":"+root, f.moved
	}
	for _, s := range batch {
		u.Files = append(u.Files, client.File{Path: s.Path, Metadata: s.Metadata, Groups: s.Groups, Open: func() (io.ReadCloser, error) { return os.Open(s.File) }})
	}
	made, err := f.server.Upload(ctx, f.collection, u)
	var gone *client.FileError
	var refused *client.Error
	switch {
	case err == nil:
		return f.wait(ctx, made.JobID, batch, done)
	case errors.As(err, &gone):
		var rest []sent
		for _, s := range batch {
			if s.Path != gone.Path {
				rest = append(rest, s)
				continue
			}
			done(s.index, ingest.DocumentDone{Outcome: ingest.OutcomeQuarantined, Code: string(parse.Unreadable), Reason: err.Error()})
		}
		return f.send(ctx, rest, done)
	case !errors.As(err, &refused) || refused.Status != http.StatusRequestEntityTooLarge && refused.Status != http.StatusUnsupportedMediaType:
		return err
	case len(batch) > 1:
		half := len(batch) / 2
		if err := f.send(ctx, batch[:half], done); err != nil {
			return err
		}
		return f.send(ctx, batch[half:], done)
	case refused.Status == http.StatusRequestEntityTooLarge:
		done(batch[0].index, ingest.DocumentDone{Outcome: ingest.OutcomeQuarantined, Code: string(parse.TooLarge), Reason: err.Error()})
	default:
		done(batch[0].index, ingest.DocumentDone{Outcome: ingest.OutcomeFailed, Code: string(parse.UnsupportedFormat), Reason: err.Error()})
	}
	return nil
}

// wait follows a job, and tells of each file as soon as the server does.
func (f *forwarder) wait(ctx context.Context, id string, batch []sent, done func(int, ingest.DocumentDone)) error {
	f.job = id
	told := make([]bool, len(batch))
	tell := func(j jobs.Job) {
		for i, file := range j.Files[:min(len(j.Files), len(batch))] {
			if told[i] || file.Outcome.Outcome == "" {
				continue
			}
			told[i] = true
			done(batch[i].index, documentDone(file))
			if file.Unread > 0 {
				done(batch[i].index, unreadInside(file))
			}
		}
	}
	seen := 0
	j, err := f.server.Watch(ctx, id, func(j jobs.Job) error {
		if j.Progress.Done == seen || j.Status.Ended() {
			return nil
		}
		seen = j.Progress.Done
		now, err := f.server.Job(ctx, id)
		tell(now)
		return err
	})
	if err != nil {
		return err
	}
	f.job = ""
	tell(j)
	for i := range told {
		switch {
		case told[i]:
		case j.Status == jobs.Cancelled:
			return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "job %s was cancelled before all was in", id), "what is in stays in; the same command goes on from there")
		default:
			return corpus.Errorf(corpus.ErrUnavailable, "job %s failed at the server: %s", id, j.Error)
		}
	}
	return nil
}

// documentDone is what became of a file. Its counts include what is inside of it.
func documentDone(f jobs.File) ingest.DocumentDone {
	return ingest.DocumentDone{
		Outcome: f.Outcome.Outcome, Pages: f.Pages, Code: f.Code, Reason: f.Reason, Warnings: f.Warnings,
		Chunks: ingest.Chunks{Written: f.Chunks, Embedded: f.Embedded, Reused: f.Chunks - f.Embedded},
	}
}

// unreadInside tells of documents inside of a file that could not be read; the file's warnings name them.
func unreadInside(f jobs.File) ingest.DocumentDone {
	reason := count(f.Unread, "document") + " inside of it could not be read."
	for _, warning := range f.Warnings {
		reason += " " + warning
	}
	return ingest.DocumentDone{Document: f.Name + parse.PartSeparator + "…", Outcome: ingest.OutcomeQuarantined, Code: string(parse.Unreadable), Reason: reason}
}
