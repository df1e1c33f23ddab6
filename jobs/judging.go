package jobs

import (
	"context"
	"errors"
	"strings"

	"grounded/corpus"
	"grounded/eval"
)

// KindJudging is the kind of jobs that have a model judge the answers of an evaluation.
const KindJudging = "judging"

// JudgingSpec says what a job of KindJudging does.
type JudgingSpec struct {
	Evaluation  string   `json:"evaluation"` // id of its job, of the same collection
	Judge       string   `json:"judge"`      // a chat model
	Pairs       []string `json:"pairs"`      // as eval.ParsePairs has them
	Sentences   bool     `json:"sentences"`
	MaxCostUSD  *float64 `json:"max_cost_usd,omitempty"`
	RetryErrors bool     `json:"retry_errors,omitempty"`
}

// SubmitJudging makes a job that judges an evaluation, when that has ended, and after others that judge it: Collection,
// Owner, Access and IdempotencyKey of the request are used.
func SubmitJudging(ctx context.Context, q Queue, l Limits, request Job, spec JudgingSpec) (Job, error) {
	s, err := newSubmission(q, l, KindJudging, request, spec)
	if err != nil {
		return Job{}, err
	}
	// It has the evaluation's dataset for a document: jobs that have one in common go one after the other.
	if err := q.Put(ctx, s.job.Storage, 0, strings.NewReader(spec.Evaluation)); err != nil {
		return Job{}, errors.Join(err, s.Discard(ctx))
	}
	s.job.Files = []File{{ID: Job{ID: spec.Evaluation, Kind: KindEvaluation}.fileID(datasetFile), Name: datasetFile}}
	return s.Submit(ctx)
}

// Judging does the jobs of KindJudging.
type Judging struct {
	Folder string // of Evaluation
	// Prepare connects the judge.
	Prepare func(context.Context, Job, JudgingSpec) (eval.JudgeConfig, error)
}

// Do implements Handler. What the judge said in an earlier attempt is not asked again.
func (e Judging) Do(ctx context.Context, t *Task) error {
	var spec JudgingSpec
	err := t.specified(&spec)
	if err != nil {
		return err
	}
	c, err := e.Prepare(ctx, t.Job, spec)
	if err != nil {
		return err
	}
	pairs, err := eval.ParsePairs(spec.Pairs)
	if err != nil {
		return err
	}
	c.Pairs, c.Support, c.MaxCost, c.RetryErrors = append([][2]string{}, pairs...), spec.Sentences, spec.MaxCostUSD, spec.RetryErrors
	c.Observe = t.advance
	state, err := eval.Judge(ctx, EvaluationFolder(e.Folder, spec.Evaluation), c)
	if err := t.limited(whenFree(err), state, c.MaxCost != nil); err != nil {
		return err
	}
	t.advance(state)
	if state.Failed > 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%d of %d judgements failed or can't be read", state.Failed, state.Total), "they are left out; ask again with retry_errors, or another judge")
	}
	return nil
}
