package jobs

import (
	"context"

	"grounded/eval"
	"grounded/eval/dataset"
)

// KindTuning is the kind of jobs that search for better retrieval settings.
const KindTuning = "tuning"

// TuningSpec says what a job of KindTuning tries, besides its collection and its dataset.
type TuningSpec struct {
	Name    string    `json:"name"` // of the dataset, for people
	Modes   []string  `json:"modes"`
	Weights []float64 `json:"weights"` // of the dense score
	TopKs   []int     `json:"top_ks"`
}

// Tuned is what a job of KindTuning comes to.
type Tuned struct {
	eval.Tuned
	// Configuration is YAML with the better settings; empty when nothing is better.
	Configuration string `json:"configuration"`
	// Findings are as those of Measured.
	Findings []dataset.Finding `json:"findings"`
}

// SubmitTuning makes a job as SubmitEvaluation does.
func SubmitTuning(ctx context.Context, q Queue, l Limits, request Job, spec TuningSpec, questions []dataset.Question) (Job, error) {
	return submitQuestions(ctx, q, l, KindTuning, request, spec, questions)
}

// Tuning does the jobs of KindTuning.
type Tuning struct {
	Folder string // of Evaluation
	// Prepare connects what searches, and resolves the questions' evidence.
	Prepare func(context.Context, Job, TuningSpec, []dataset.Question) (eval.TuneConfig, []dataset.Question, []dataset.Finding, error)
	// Configuration writes the better settings, if there are any.
	Configuration func(eval.Tuned) (string, error)
}

// Do implements Handler. An attempt begins anew.
func (r Tuning) Do(ctx context.Context, t *Task) error {
	var spec TuningSpec
	questions, err := specifiedQuestions(ctx, t, &spec)
	if err != nil {
		return err
	}
	c, questions, findings, err := r.Prepare(ctx, t.Job, spec, questions)
	if err != nil {
		return err
	}
	c.Observe = func(done, of int) { t.Advance(Progress{Done: done, Total: of}) }
	tuned, err := eval.Tune(ctx, c, questions)
	if err != nil {
		return err
	}
	configuration, err := r.Configuration(tuned)
	if err != nil {
		return err
	}
	return keepReport(r.Folder, t.Job.ID, Tuned{tuned, configuration, append([]dataset.Finding{}, findings...)})
}
