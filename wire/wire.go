// Package wire is the JSON of the service's own routes, under /api: the bodies of requests and replies, as both the
// server and its clients have them. api/openapi.yaml describes them for others.
package wire

import (
	"time"

	"grounded/corpus"
)

// Question is the body of the routes that ask one. Fields that are left out are the server's defaults.
type Question struct {
	Collection  string        `json:"collection,omitempty"`
	Question    string        `json:"question"`
	History     []Message     `json:"history,omitempty"` // turns before the question, oldest first
	Model       string        `json:"model,omitempty"`
	Arm         string        `json:"arm,omitempty"`
	Models      []string      `json:"models,omitempty"` // of a comparison
	Arms        []string      `json:"arms,omitempty"`   // of a comparison
	TopK        *int          `json:"top_k,omitempty"`
	Mode        string        `json:"mode,omitempty"`
	Filter      corpus.Filter `json:"filter,omitempty"`
	InScope     *bool         `json:"in_scope,omitempty"` // false: the answer may come from outside of the documents
	MaxTokens   int           `json:"max_tokens,omitempty"`
	Temperature *float64      `json:"temperature,omitempty"`
	Seed        *int          `json:"seed,omitempty"`
	Stream      bool          `json:"stream,omitempty"`
}

// Message is a turn of a conversation, by the user or the assistant.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Retrieved are the passages that were found for a question, best first.
type Retrieved struct {
	Question string           `json:"question"`
	Passages []corpus.Passage `json:"passages"`
}

// Names of the events of an answer, a comparison and a job.
const (
	EventRetrieved = "retrieved" // Passages, before the first text
	EventDelta     = "delta"     // Delta
	EventCitation  = "citation"  // corpus.Citation
	EventAnswer    = "answer"    // ComparedAnswer
	EventJob       = "job"       // a job, without its files
	EventDone      = "done"      // the whole
	EventError     = "error"     // Problem
)

// Passages are those that an answer is made from.
type Passages struct {
	Passages []corpus.Passage `json:"passages"`
}

// Delta is text of an answer as the model writes it.
type Delta struct {
	Text string `json:"text"`
}

// ComparedAnswer is an answer of a comparison, or why there is none.
type ComparedAnswer struct {
	corpus.Answer
	Error *string `json:"error"`
}

// Comparison has an answer for each model and arm, model by model in the order asked.
type Comparison struct {
	Question string           `json:"question"`
	Answers  []ComparedAnswer `json:"answers"`
}

// Page is a part of a list. Next is the cursor of the part that follows; empty at the end.
type Page[T any] struct {
	Data []T         `json:"data"`
	Next corpus.Text `json:"next"`
}

// Collection is one as a caller sees it: counted are only the documents that it may see. What can't be told without
// those it may not is null.
type Collection struct {
	Name        string           `json:"name"`
	Embedding   corpus.Embedding `json:"embedding"`
	CreatedAt   time.Time        `json:"created_at"`
	Documents   int              `json:"documents"`
	Chunks      int              `json:"chunks"`
	Quarantined *int             `json:"quarantined"`
	Languages   map[string]int   `json:"languages"`
}

// NewCollection is one to be made; with the server's embedding model if none is named.
type NewCollection struct {
	Name      string `json:"name"`
	Embedding string `json:"embedding_model,omitempty"`
}

// DeletedCollection is the name of one that was deleted.
type DeletedCollection struct {
	Deleted string `json:"deleted"`
}

// DeleteDocuments chooses documents by a filter, a source or a prefix of their path, which must not be all empty.
// Confirm is their number.
type DeleteDocuments struct {
	Filter  corpus.Filter `json:"filter,omitempty"`
	Source  string        `json:"source,omitempty"`
	Prefix  string        `json:"prefix,omitempty"`
	Confirm int           `json:"confirm"`
}

// Deleted are the ids of documents that were deleted.
type Deleted struct {
	Deleted []corpus.DocumentID `json:"deleted"`
}

// Names of an upload's parts.
const (
	PartFile     = "file"
	PartGroups   = "groups"   // access groups of all files; before them
	PartMetadata = "metadata" // of all files, a JSON object; before them
	PartSource   = "source"   // that the documents belong to; before them
	PartRoot     = "root"     // where the source is, for whoever sends it; before the files
	PartMoved    = "moved"    // "true": the source has moved to that root
	PartDocument = "document" // a Described of the file that follows
)

// Described says of one file of an upload what its name does not.
type Described struct {
	Path     string         `json:"path,omitempty"`     // of the document in its source; its file's name if empty
	Metadata map[string]any `json:"metadata,omitempty"` // over that of all files
	Groups   []string       `json:"groups,omitempty"`   // instead of those of all files
}

// Upload is the job that an upload has become.
type Upload struct {
	JobID     string     `json:"job_id"`
	Documents []Uploaded `json:"documents"`
}

// Uploaded is a file that was taken.
type Uploaded struct {
	ID     corpus.DocumentID `json:"id"`
	Name   string            `json:"document"`
	Bytes  *int64            `json:"bytes"` // null for a page of the web, which is fetched later, as is the next
	SHA256 corpus.Text       `json:"sha256"`
}

// Problem is why a request has no answer (RFC 9457).
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"` // stable word for programs
	Param     string `json:"param,omitempty"`
	RequestID string `json:"request_id"`
}

// Status is how the server is.
type Status struct {
	Status string `json:"status"`
}
