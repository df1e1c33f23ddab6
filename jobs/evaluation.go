package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/prompts"
)

// KindEvaluation is the kind of jobs that ask models the questions of a dataset.
const KindEvaluation = "evaluation"

// datasetFile is the one file of a job of KindEvaluation: JSONL, a question a line.
const datasetFile = "questions.jsonl"

// EvaluationSpec says what a job of KindEvaluation does, besides its collection and its dataset.
type EvaluationSpec struct {
	Name        string            `json:"name"` // of the dataset, for people
	Models      []string          `json:"models"`
	Arms        []string          `json:"arms"`
	TopK        int               `json:"top_k"`
	Mode        string            `json:"mode"`
	MaxTokens   int               `json:"max_tokens,omitempty"`
	Temperature *float64          `json:"temperature,omitempty"`
	Seed        *int              `json:"seed,omitempty"`
	MaxCostUSD  *float64          `json:"max_cost_usd,omitempty"`
	Examples    []prompts.Example `json:"examples,omitempty"` // of the few-shot arm
}

// SubmitEvaluation makes a job that asks the questions as its owner may: Collection, Owner, Access and IdempotencyKey
// of the request are used.
func SubmitEvaluation(ctx context.Context, q Queue, l Limits, request Job, spec EvaluationSpec, questions []dataset.Question) (Job, error) {
	return submitQuestions(ctx, q, l, KindEvaluation, request, spec, questions)
}

// submitQuestions makes a job of a kind whose one file is a dataset.
func submitQuestions(ctx context.Context, q Queue, l Limits, kind string, request Job, spec any, questions []dataset.Question) (Job, error) {
	var text bytes.Buffer
	if err := dataset.Write(&text, questions); err != nil {
		return Job{}, err
	}
	l.Files, l.Names = 1, nil
	s, err := newSubmission(q, l, kind, request, spec)
	if err != nil {
		return Job{}, err
	}
	if _, err := s.Add(ctx, datasetFile, nil, &text); err != nil {
		return Job{}, errors.Join(err, s.Discard(ctx))
	}
	return s.Submit(ctx)
}

// EvaluationFolder is the folder of a job's run, below the one that all are kept in.
func EvaluationFolder(folder, id string) string { return filepath.Join(folder, id) }

// Prepared is what a run needs.
type Prepared struct {
	Config   eval.Config
	Settings eval.Settings
	Cards    []model.Card
}

// Evaluation does the jobs of KindEvaluation.
type Evaluation struct {
	// Folder keeps the runs, each under its job's id. Workers on several machines must share it.
	Folder string
	// Prepare connects what a run needs.
	Prepare func(context.Context, Job, EvaluationSpec, []dataset.Question) (Prepared, error)
}

// Do implements Handler. Items that an earlier attempt made are not asked again.
func (e Evaluation) Do(ctx context.Context, t *Task) (err error) {
	var spec EvaluationSpec
	if err := t.specified(&spec); err != nil {
		return err
	}
	questions, err := placedDataset(ctx, t)
	if err != nil {
		return err
	}
	p, err := e.Prepare(ctx, t.Job, spec, questions)
	if err != nil {
		return err
	}
	run, err := eval.OpenFolder(EvaluationFolder(e.Folder, t.Job.ID), p.Settings, p.Cards, spec.Arms)
	if err != nil {
		return whenFree(err)
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	p.Config.Observe = t.advance
	state, err := eval.Run(ctx, run, p.Config)
	if err := t.limited(err, state, p.Config.MaxCost != nil); err != nil {
		return err
	}
	t.advance(state)
	if state.Failed > 0 {
		return corpus.Errorf(corpus.ErrInvalid, "%d of %d items failed; their scores are missing, not 0", state.Failed, state.Total)
	}
	return nil
}

// advance tells how far models were asked.
func (t *Task) advance(s eval.Progress) {
	t.Advance(Progress{Done: s.Done, Total: s.Total, Failed: s.Failed, SpentUSD: s.SpentUSD})
}

// limited tells the error of asking models. One of the limit of costs is final: a later attempt costs the same.
func (t *Task) limited(err error, s eval.Progress, limit bool) error {
	if !errors.Is(err, corpus.ErrLimit) || !limit {
		return err
	}
	t.Advance(Progress{Done: s.Done, Total: s.Total, Failed: s.Failed, SpentUSD: s.SpentUSD, OverLimit: true})
	return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s", err), corpus.HintOf(err))
}

// whenFree has a job tried again whose run another process writes to: a worker that lost it and has not noticed yet.
func whenFree(err error) error {
	if errors.Is(err, eval.ErrBusy) {
		return corpus.Errorf(corpus.ErrUnavailable, "%w", err)
	}
	return err
}

// specified reads what the job is to do.
func (t *Task) specified(spec any) error {
	if err := json.Unmarshal(t.Job.Spec, spec); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "read what job %s is to do: %w", t.Job.ID, err)
	}
	return nil
}

// placedDataset reads the dataset of a job.
func placedDataset(ctx context.Context, t *Task) ([]dataset.Question, error) {
	if len(t.Job.Files) != 1 {
		return nil, corpus.Errorf(corpus.ErrCorrupt, "job %s has %d files, not one dataset", t.Job.ID, len(t.Job.Files))
	}
	folder, err := os.MkdirTemp("", "grounded-evaluation-")
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrFull, "keep the dataset: %w", err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, datasetFile)
	if err := t.Place(ctx, 0, path); err != nil {
		return nil, fmt.Errorf("keep the dataset: %w", err)
	}
	return dataset.Load(path)
}
