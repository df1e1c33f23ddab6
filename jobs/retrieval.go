package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
)

// KindRetrieval is the kind of jobs that measure how well the passages for the questions of a dataset are found.
const KindRetrieval = "retrieval"

// RetrievalSpec says what a job of KindRetrieval does, besides its collection and its dataset.
type RetrievalSpec struct {
	Name string `json:"name"` // of the dataset, for people
	TopK int    `json:"top_k,omitempty"`
	Mode string `json:"mode"`
}

// Measured is what a job of KindRetrieval comes to.
type Measured struct {
	eval.RetrievalReport
	// Findings are of evidence that names no document, or several, that its owner may see. It counts as not found.
	Findings []dataset.Finding `json:"findings"`
}

// SubmitRetrieval makes a job as SubmitEvaluation does.
func SubmitRetrieval(ctx context.Context, q Queue, l Limits, request Job, spec RetrievalSpec, questions []dataset.Question) (Job, error) {
	return submitQuestions(ctx, q, l, KindRetrieval, request, spec, questions)
}

// Retrieval does the jobs of KindRetrieval.
type Retrieval struct {
	Folder string // of Evaluation
	// Prepare connects what searches, and resolves the questions' evidence.
	Prepare func(context.Context, Job, RetrievalSpec, []dataset.Question) (eval.RetrievalConfig, []dataset.Question, []dataset.Finding, error)
}

// Do implements Handler. An attempt begins anew.
func (r Retrieval) Do(ctx context.Context, t *Task) error {
	var spec RetrievalSpec
	questions, err := specifiedQuestions(ctx, t, &spec)
	if err != nil {
		return err
	}
	c, questions, findings, err := r.Prepare(ctx, t.Job, spec, questions)
	if err != nil {
		return err
	}
	c.Done = func(n int) { t.Advance(Progress{Done: n, Total: len(questions)}) }
	measured, err := eval.MeasureRetrieval(ctx, c, questions)
	if err != nil {
		return err
	}
	if err := keepReport(r.Folder, t.Job.ID, Measured{measured, append([]dataset.Finding{}, findings...)}); err != nil {
		return err
	}
	c.Done(len(questions)) // those without evidence too
	return nil
}

// specifiedQuestions reads what a job is to do, and its dataset.
func specifiedQuestions(ctx context.Context, t *Task, spec any) ([]dataset.Question, error) {
	if err := t.specified(spec); err != nil {
		return nil, err
	}
	return placedDataset(ctx, t)
}

// reportFile has what a job of KindRetrieval or KindTuning came to, in its folder.
const reportFile = "report.json"

func keepReport(folder, id string, report any) (err error) {
	path := EvaluationFolder(folder, id)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return corpus.Errorf(corpus.ErrFull, "keep report: %w", err)
	}
	lock, err := eval.LockRun(path)
	if err != nil {
		return whenFree(err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return eval.WriteWhole(filepath.Join(path, reportFile), report)
}

// LoadReport reads what a job of KindRetrieval (Measured) or KindTuning (Tuned) came to. Before, it is corpus.ErrNotFound.
func LoadReport(folder, id string, into any) error {
	text, err := os.ReadFile(filepath.Join(EvaluationFolder(folder, id), reportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return corpus.Errorf(corpus.ErrNotFound, "read report: %w", err)
	}
	if err != nil {
		return corpus.Errorf(corpus.ErrUnavailable, "read report: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return corpus.Errorf(corpus.ErrCorrupt, "read report of job %s: %w", id, err)
	}
	return nil
}
