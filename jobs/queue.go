package jobs

import (
	"context"
	"io"
	"time"

	"grounded/corpus"
)

// Queue keeps jobs with their files, and hands each to one worker at a time. It is safe for concurrent use, also by
// other processes. Errors are corpus.ErrNotFound for a job that is not there, corpus.ErrFull when there is no space,
// and corpus.ErrUnavailable when the server does not answer.
type Queue interface {
	// Put keeps the content of a file, by index, under a storage that no job has yet. It is nowhere whole in memory,
	// and on disk when Put returns. An error of the reader is returned, and nothing kept.
	Put(ctx context.Context, storage string, index int, r io.Reader) error
	// Discard forgets a storage that has not become a job.
	Discard(ctx context.Context, storage string) error
	// Submit makes a job of its fields up to Progress. A job with the same id that has the same digest is returned
	// instead; one with another digest is corpus.ErrConflict. The caller then discards its storage.
	Submit(ctx context.Context, j Job) (Job, error)

	// Job returns a job with its files and their outcomes so far.
	Job(ctx context.Context, id string) (Job, error)
	// Jobs lists jobs without their files, the newest first. next is the cursor of the next page, or empty.
	Jobs(ctx context.Context, q Query) (page []Job, next string, err error)
	// Watch calls observe with the job as it is, without its files, and again when it has changed, though not for
	// every change, until it has ended, observe fails, or ctx ends.
	Watch(ctx context.Context, id string, observe func(Job) error) error
	// Cancel ends a job that is queued, and tells whoever works on one that is running to end it. A job that has ended
	// is corpus.ErrConflict.
	Cancel(ctx context.Context, id string) (Job, error)

	// Claim waits for a job and gives it to the claimant: the oldest that is queued and due, or whose worker was not
	// heard of for the length of a lease. A job waits for all older ones that have a document in common with it, so
	// that the newest upload of a document is what stays.
	Claim(ctx context.Context, c Claimant) (Lease, error)
	// Extend tells that the holder of the lease lives, and keeps how far it is and the outcomes of files, by index. It,
	// Release and End are corpus.ErrConflict when the lease is lost: then another works on the job, or it has ended.
	Extend(ctx context.Context, l Lease, p Progress, outcomes map[int]Outcome) error
	// Place makes the content of a job's file a new file at path.
	Place(ctx context.Context, j Job, index int, path string) error
	// Release gives the job back.
	Release(ctx context.Context, l Lease, r Release) error
	// End ends the job as done, failed with a reason, or cancelled, and forgets the content of its files.
	End(ctx context.Context, l Lease, s Status, reason string) error

	// Sweep forgets jobs that ended longer than the retention ago, and what was put and never submitted. Anybody calls
	// it from time to time.
	Sweep(ctx context.Context) error
	Close() error
}

// DefaultRetention is how long jobs that have ended are kept where nothing else is said.
const DefaultRetention = 7 * 24 * time.Hour

// Query chooses jobs. Empty fields are all.
type Query struct {
	Kinds      []string // any of them
	Owner      string
	Collection string
	Status     Status
	Limit      int // default 100, at most 1000
	Cursor     string
}

// Check sets the default, and fails with corpus.ErrInvalid for a limit that there can't be.
func (q Query) Check() (Query, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Limit < 1 || q.Limit > 1000 {
		return q, corpus.Errorf(corpus.ErrInvalid, "list jobs: the limit is %d; it must be from 1 to 1000", q.Limit)
	}
	return q, nil
}

// Claimant is who claims jobs.
type Claimant struct {
	Worker string   // a name for people
	Kinds  []string // of jobs that it can do
}

// Check fails with corpus.ErrInvalid for a claimant that can do nothing.
func (c Claimant) Check() error {
	if len(c.Kinds) == 0 {
		return corpus.Errorf(corpus.ErrInvalid, "claim a job: no kind of job is named")
	}
	return nil
}

// Lease is the right to work on a job, for a time that Extend makes longer.
type Lease struct {
	Job   Job
	Token string        // tells leases of one job apart
	Time  time.Duration // the lease lasts that long without Extend
}

// Release says why a job is given back.
type Release struct {
	Parked bool          // the worker ends: the attempt does not count
	After  time.Duration // it is not tried again before
	Reason string        // what went wrong
}

// NotFound is the error for a job that is not there.
func NotFound(id string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "there is no job %q", id), "jobs that have ended are forgotten after some time (jobs.retention)")
}

// Lost is the error for a lease that has ended.
func Lost(id string) error {
	return corpus.Errorf(corpus.ErrConflict, "work on job %s: the lease was lost", id)
}

// HasEnded is the error for a job that can't be cancelled any more.
func HasEnded(j Job) error {
	return corpus.Errorf(corpus.ErrConflict, "cancel job %s: it is %s already", j.ID, j.Status)
}

// OtherRequest is the error for an idempotency key that was used for another request.
func OtherRequest() error {
	return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the same idempotency key was used for another request"), "use a new key for a new request")
}
