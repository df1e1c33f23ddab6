// Package jobs is durable work: uploads that are to be ingested, and whatever else must outlive the process that was
// asked for it. A Submission brings files into a Queue as a job; a Worker claims jobs and does them. jobs/sqlite is
// the queue of one machine, jobs/nats that of any number of replicas and workers; both pass jobs/jobstest.
package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"grounded/corpus"
)

// Status of a job.
type Status string

// A job is queued or running until it ends, and then stays what it is.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Done      Status = "done"   // all of it was done
	Failed    Status = "failed" // not all of it was done; Error and the outcomes of its files say what was not
	Cancelled Status = "cancelled"
)

// Ended reports whether nothing more will happen.
func (s Status) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Job is one piece of work.
type Job struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Collection string          `json:"collection"`
	Spec       json.RawMessage `json:"spec,omitempty"` // what is to be done, as its kind has it
	Status     Status          `json:"status"`
	// Cancelling says that it is to be cancelled, and whoever works on it has not ended yet.
	Cancelling bool       `json:"cancelling,omitempty"`
	Created    time.Time  `json:"created_at"`
	Started    *time.Time `json:"started_at"` // for the first time; null before
	Ended      *time.Time `json:"ended_at"`   // null before
	Attempts   int        `json:"attempts"`   // that were begun, but for those that were parked
	Progress   Progress   `json:"progress"`
	Error      string     `json:"error,omitempty"`     // why it failed, or why it is to be tried again
	Files      []File     `json:"documents,omitempty"` // by index; lists of jobs leave it out

	Owner          string        `json:"-"` // id of the key that submitted it
	Access         corpus.Access `json:"-"` // of the owner: what the job may replace
	IdempotencyKey string        `json:"-"`
	Digest         string        `json:"-"` // hash of the request
	Storage        string        `json:"-"` // name under which the queue keeps the content of its files
}

// Progress is how far a job is.
type Progress struct {
	Done   int `json:"done"` // files with an outcome; items, judgements, questions or settings of an evaluation
	Total  int `json:"total"`
	Pages  int `json:"pages"`
	Chunks int `json:"chunks"` // written
	// Of models that are asked: items without an answer, and US dollars as far as costs are known.
	Failed   int     `json:"failed,omitempty"`
	SpentUSD float64 `json:"spent_usd,omitempty"`
	// OverLimit says that what is left may cost more than the request allows.
	OverLimit bool `json:"over_limit,omitempty"`
}

// File is one that was given with a job.
type File struct {
	ID       corpus.DocumentID `json:"id,omitempty"`
	Name     string            `json:"document"`      // a name, or a path where one was given; of a page of the web its address
	URL      string            `json:"url,omitempty"` // of a page, which is fetched when the job is done
	Bytes    int64             `json:"bytes"`
	SHA256   string            `json:"sha256"`             // of the content, hex; empty for a page
	Metadata map[string]any    `json:"metadata,omitempty"` // title, groups and others, as in a NAME.meta.yaml
	Outcome
}

// Outcome is what became of a file. The zero value is none yet.
type Outcome struct {
	Outcome  string   `json:"outcome,omitempty"` // an ingest's: new, changed, unchanged, quarantined, failed
	Code     string   `json:"code,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Pages    int      `json:"pages,omitempty"`
	Chunks   int      `json:"chunks,omitempty"`   // written
	Embedded int      `json:"embedded,omitempty"` // of these; the vectors of the rest were there
	Unread   int      `json:"unread,omitempty"`   // documents inside of it that could not be read
	Warnings []string `json:"warnings,omitempty"`
}

// digest is a hash of all that a client asked for.
func (j Job) digest() string {
	h := sha256.New()
	encoder := json.NewEncoder(h)
	parts := []any{j.Kind, j.Collection, j.Spec}
	for _, f := range j.Files {
		parts = append(parts, f.Name, f.SHA256, f.Metadata)
	}
	for _, part := range parts {
		if err := encoder.Encode(part); err != nil { // never: all of it came from JSON or is plain
			panic(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
