package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"grounded/client"
	"grounded/corpus"
	"grounded/jobs"
)

func (p *program) jobsCommand() *cobra.Command {
	var status string
	command := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs of the queue, such as uploads; show, add and cancel them",
		Example: examples("grounded jobs", "grounded jobs --status failed", "grounded jobs add report.pdf minutes.docx",
			"grounded jobs show ID", "grounded jobs cancel ID"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withJobs(cmd.Context(), func(q jobList, _ string) error {
				return p.listJobs(cmd.Context(), q, jobs.Query{Status: jobs.Status(status)})
			})
		},
	}
	command.Flags().StringVar(&status, "status", "", "only those that are `queued`, running, done, failed or cancelled")
	command.AddCommand(&cobra.Command{
		Use:   "add FILE…",
		Short: "Upload files to the collection; a worker ingests them",
		Long: `Hands files over to the queue, and prints the job's id. A worker brings them into the
collection: a file is the document of its name in the source "uploads", and replaces it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(cmd.Context(), func(q jobList, collection string) error { return p.addJob(cmd.Context(), q, collection, args) })
		},
	}, &cobra.Command{
		Use:   "show ID",
		Short: "Show a job with its files",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(cmd.Context(), func(q jobList, _ string) error {
				j, err := q.Job(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return p.printJob(j)
			})
		},
	}, &cobra.Command{
		Use:   "cancel ID",
		Short: "Cancel a job; what is in stays in",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withJobs(cmd.Context(), func(q jobList, _ string) error {
				j, err := q.Cancel(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return p.printJob(j)
			})
		},
	})
	remote(command)
	remote(command.Commands()...)
	return command
}

// jobList is where jobs are: a queue, or a server.
type jobList interface {
	Jobs(ctx context.Context, q jobs.Query) (page []jobs.Job, next string, err error)
	Job(ctx context.Context, id string) (jobs.Job, error)
	Cancel(ctx context.Context, id string) (jobs.Job, error)
	// add makes a job of files.
	add(ctx context.Context, collection string, files []string) (jobs.Job, error)
}

// withJobs opens the queue that is meant, uses it, and closes it.
func (p *program) withJobs(ctx context.Context, use func(q jobList, collection string) error) (err error) {
	c, err := p.config()
	if err != nil {
		return err
	}
	server, err := p.connect(c)
	if err != nil {
		return err
	}
	if server != nil {
		return use(remoteJobs{server}, c.Collection)
	}
	q, err := openQueue(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	return use(localJobs{q, jobLimits(c)}, c.Collection)
}

func (p *program) listJobs(ctx context.Context, q jobList, query jobs.Query) error {
	switch s := query.Status; s {
	case "", jobs.Queued, jobs.Running, jobs.Done, jobs.Failed, jobs.Cancelled:
	default:
		return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there is no status %q", s), "a job is queued, running, done, failed or cancelled")}
	}
	page, next, err := q.Jobs(ctx, query)
	if err != nil {
		return err
	}
	if p.json {
		var cursor any
		if next != "" {
			cursor = next
		}
		return p.printJSON(map[string]any{"data": append([]jobs.Job{}, page...), "next": cursor})
	}
	t := newTable("job", "collection", "status", "files", "created", "error")
	for _, j := range page {
		t.add(j.ID, j.Collection, string(j.Status), fmt.Sprintf("%d/%d", j.Progress.Done, j.Progress.Total), j.Created.Local().Format("2006-01-02 15:04:05"), j.Error)
	}
	t.write(p.stdout, p.width())
	if next != "" {
		p.printf("… and older ones\n")
	}
	return nil
}

func (p *program) addJob(ctx context.Context, q jobList, collection string, files []string) error {
	j, err := q.add(ctx, collection, files)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(j)
	}
	p.printf("%s\n", j.ID)
	return nil
}

// localJobs are those of a queue.
type localJobs struct {
	jobs.Queue
	limits jobs.Limits
}

// add submits files as the owner of the store.
func (l localJobs) add(ctx context.Context, collection string, files []string) (jobs.Job, error) {
	s, err := jobs.NewIngest(l.Queue, l.limits, jobs.Job{Collection: collection, Access: corpus.Access{Unrestricted: true}}, jobs.IngestSpec{})
	if err != nil {
		return jobs.Job{}, err
	}
	for _, file := range files {
		if err := addFile(ctx, s, file); err != nil {
			return jobs.Job{}, errors.Join(err, s.Discard(ctx))
		}
	}
	return s.Submit(ctx)
}

// remoteJobs are a server's.
type remoteJobs struct{ *client.Client }

func (r remoteJobs) add(ctx context.Context, collection string, files []string) (jobs.Job, error) {
	var u client.Upload
	for _, file := range files {
		f, err := openFile(file)
		if err != nil {
			return jobs.Job{}, err
		}
		_ = f.Close() // it was opened to say at once what is wrong with it
		u.Files = append(u.Files, client.LocalFile(file))
	}
	made, err := r.Upload(ctx, collection, u)
	if err != nil {
		return jobs.Job{}, err
	}
	return r.Job(ctx, made.JobID)
}

func addFile(ctx context.Context, s *jobs.Submission, file string) error {
	f, err := openFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = s.Add(ctx, filepath.Base(file), nil, f)
	return err
}

// openFile opens a regular file.
func openFile(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrNotFound, "upload: %w", err)
	}
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "upload %s: it is no file", file), "folders are read by: grounded ingest FOLDER")
	}
	return f, nil
}

func (p *program) printJob(j jobs.Job) error {
	if p.json {
		return p.printJSON(j)
	}
	status := string(j.Status)
	if j.Cancelling {
		status += ", to be cancelled"
	}
	p.printf("%s  %s  %s  attempt %d  %s\n", j.ID, j.Collection, status, j.Attempts, count(j.Progress.Chunks, "chunk"))
	if j.Error != "" {
		p.printf("%s\n", j.Error)
	}
	t := newTable("document", "outcome", "bytes", "chunks", "reason")
	for _, f := range j.Files {
		t.add(f.Name, f.Outcome.Outcome, fmt.Sprint(f.Bytes), fmt.Sprint(f.Chunks), strings.Join(append([]string{f.Reason}, f.Warnings...), " "))
	}
	t.write(p.stdout, p.width())
	return nil
}
