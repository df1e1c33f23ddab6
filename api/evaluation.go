package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/jobs"
	"grounded/model"
	"grounded/prompts"
)

// evaluationRequest is the body of POST /api/evaluations.
type evaluationRequest struct {
	Kind        string            `json:"kind"` // of the job
	Collection  string            `json:"collection"`
	Name        string            `json:"name"`
	Questions   []json.RawMessage `json:"questions"` // lines of a dataset
	Models      []string          `json:"models"`
	Arms        []string          `json:"arms"`
	TopK        *int              `json:"top_k"`
	Mode        string            `json:"mode"`
	MaxTokens   int               `json:"max_tokens"`
	Temperature *float64          `json:"temperature"`
	Seed        *int              `json:"seed"`
	MaxCostUSD  *float64          `json:"max_cost_usd"`
	Examples    []prompts.Example `json:"examples"`
	Modes       []string          `json:"modes"`
	Weights     []float64         `json:"weights"`
	TopKs       []int             `json:"top_ks"`
}

// evaluationKinds are the kinds of jobs under /api/evaluations.
var evaluationKinds = []string{jobs.KindEvaluation, jobs.KindRetrieval, jobs.KindTuning}

// applies refuses a field that means nothing to the kind: what is asked for would not be done.
func (r evaluationRequest) applies() error {
	for _, f := range []struct {
		name  string
		set   bool
		kinds []string
	}{
		{"models", r.Models != nil, []string{jobs.KindEvaluation}}, {"arms", r.Arms != nil, []string{jobs.KindEvaluation}},
		{"max_tokens", r.MaxTokens != 0, []string{jobs.KindEvaluation}}, {"temperature", r.Temperature != nil, []string{jobs.KindEvaluation}},
		{"seed", r.Seed != nil, []string{jobs.KindEvaluation}}, {"max_cost_usd", r.MaxCostUSD != nil, []string{jobs.KindEvaluation}},
		{"examples", r.Examples != nil, []string{jobs.KindEvaluation}},
		{"top_k", r.TopK != nil, []string{jobs.KindEvaluation, jobs.KindRetrieval}}, {"mode", r.Mode != "", []string{jobs.KindEvaluation, jobs.KindRetrieval}},
		{"modes", r.Modes != nil, []string{jobs.KindTuning}}, {"weights", r.Weights != nil, []string{jobs.KindTuning}}, {"top_ks", r.TopKs != nil, []string{jobs.KindTuning}},
	} {
		if f.set && !slices.Contains(f.kinds, r.Kind) {
			return invalid(f.name, "%s means nothing to an evaluation of kind %s; it is for %s", f.name, r.Kind, strings.Join(f.kinds, " and "))
		}
	}
	return nil
}

// startEvaluation is POST /api/evaluations: it becomes a job.
func (s *Server) startEvaluation(k *call) error {
	var r evaluationRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	r.Kind, r.Name = cmp.Or(r.Kind, jobs.KindEvaluation), cmp.Or(r.Name, "questions")
	if err := r.applies(); err != nil {
		return err
	}
	ask, err := s.question(k, asked{collection: r.Collection, topK: r.TopK, mode: r.Mode})
	if err != nil {
		return err
	}
	if _, err := s.engine.Store.Collection(k.ctx, ask.Scope.Collection); err != nil {
		return missing(err, ask.Scope.Collection)
	}
	questions, err := readQuestions(r.Questions)
	if err != nil {
		return err
	}
	if n := dataset.Drafts(questions); n > 0 {
		return invalid("questions", "%d of %d questions are drafts of a model that nobody has reviewed; review them with `grounded eval dataset review`", n, len(questions))
	}
	job, err := s.submitEvaluation(k, r, ask, questions)
	if err != nil {
		return err
	}
	return s.accepted(k, job, "/api/evaluations/")
}

// submitEvaluation makes the job of a kind.
func (s *Server) submitEvaluation(k *call, r evaluationRequest, ask answer.Request, questions []dataset.Question) (j jobs.Job, err error) {
	request := s.jobRequest(k, ask.Scope.Collection)
	switch r.Kind {
	case jobs.KindRetrieval:
		if err := eval.CheckMeasurable(questions); err != nil {
			return j, invalid("questions", "%s", sentence(err))
		}
		spec := jobs.RetrievalSpec{Name: r.Name, Mode: ask.Mode}
		if r.TopK != nil { // the configured number is for answers
			spec.TopK = *r.TopK
		}
		j, err = jobs.SubmitRetrieval(k.ctx, s.config.Queue, s.config.Uploads, request, spec, questions)
	case jobs.KindTuning:
		if err := eval.CheckTunable(questions); err != nil {
			return j, invalid("questions", "%s", sentence(err))
		}
		spec := jobs.TuningSpec{Name: r.Name, Modes: orDefault(r.Modes, eval.DefaultModes()), Weights: orDefault(r.Weights, eval.DefaultWeights()), TopKs: orDefault(r.TopKs, eval.DefaultTopKs())}
		j, err = jobs.SubmitTuning(k.ctx, s.config.Queue, s.config.Uploads, request, spec, questions)
	default:
		var spec jobs.EvaluationSpec
		if spec, err = s.evaluationSpec(r); err != nil {
			return j, err
		}
		spec.TopK, spec.Mode = ask.TopK, ask.Mode
		j, err = jobs.SubmitEvaluation(k.ctx, s.config.Queue, s.config.Uploads, request, spec, questions)
	}
	return j, uploadFault(err, nil)
}

func orDefault[T any](list, instead []T) []T {
	if list == nil {
		return instead
	}
	return list
}

// jobRequest is a job as the caller may have it.
func (s *Server) jobRequest(k *call, collection string) jobs.Job {
	return jobs.Job{Collection: collection, Owner: k.caller.name, Access: k.caller.access, IdempotencyKey: k.echo.Request().Header.Get("Idempotency-Key")}
}

// accepted answers 202 with the job, which is found under a path.
func (s *Server) accepted(k *call, j jobs.Job, path string) error {
	if !visible(k.caller, j) { // of the same key for another user
		return jobs.OtherRequest()
	}
	k.echo.Response().Header().Set("Location", path+url.PathEscape(j.ID))
	return writeJSON(k.echo.Response(), http.StatusAccepted, "application/json", struct {
		JobID string `json:"job_id"`
	}{j.ID})
}

// readQuestions reads the lines of a dataset.
func readQuestions(lines []json.RawMessage) ([]dataset.Question, error) {
	questions, err := dataset.Read(bytes.NewReader(bytes.Join(compacted(lines), []byte("\n"))), "questions")
	if err != nil {
		return nil, invalid("questions", "%s", err)
	}
	return questions, nil
}

// checkDataset is POST /api/datasets/check.
func (s *Server) checkDataset(k *call) error {
	var r struct {
		Collection string            `json:"collection"`
		Questions  []json.RawMessage `json:"questions"`
	}
	if err := k.decode(&r); err != nil {
		return err
	}
	scope, err := s.collection(k, r.Collection)
	if err != nil {
		return err
	}
	if _, err := s.engine.Store.Collection(k.ctx, scope.Collection); err != nil {
		return missing(err, scope.Collection)
	}
	questions, err := readQuestions(r.Questions)
	if err != nil {
		return err
	}
	findings, err := dataset.Check(k.ctx, s.engine.Store, scope, questions)
	if err != nil {
		return s.failed(k, err, scope.Collection)
	}
	return k.json(struct {
		Questions int               `json:"questions"`
		Findings  []dataset.Finding `json:"findings"`
	}{len(questions), append([]dataset.Finding{}, findings...)})
}

// compacted puts each on a line of its own.
func compacted(lines []json.RawMessage) [][]byte {
	list := make([][]byte, len(lines))
	for i, text := range lines {
		var line bytes.Buffer
		_ = json.Compact(&line, text) // it has been decoded
		list[i] = line.Bytes()
	}
	return list
}

// evaluationSpec checks whom an evaluation asks, and how.
func (s *Server) evaluationSpec(r evaluationRequest) (jobs.EvaluationSpec, error) {
	spec := jobs.EvaluationSpec{
		Name: r.Name, Models: r.Models, Arms: r.Arms, MaxTokens: cmp.Or(r.MaxTokens, s.config.MaxTokens), Temperature: r.Temperature,
		Seed: r.Seed, MaxCostUSD: r.MaxCostUSD, Examples: r.Examples,
	}
	if spec.Temperature == nil {
		spec.Temperature = s.config.Temperature
	}
	if len(spec.Models) == 0 && s.config.Chat != "" {
		spec.Models = []string{s.config.Chat}
	}
	if len(spec.Models) == 0 {
		return spec, invalid("models", "name the models; this server has no chat model of its own")
	}
	for i, id := range spec.Models {
		if _, err := s.engine.card(id, model.TaskChat); err != nil {
			return spec, err
		}
		if slices.Contains(spec.Models[:i], id) {
			return spec, invalid("models", "the model %s is named twice", quoted(id))
		}
	}
	if len(spec.Arms) == 0 {
		spec.Arms = []string{answer.ArmPlain, answer.ArmGrounded}
	}
	if len(spec.Examples) == 0 {
		spec.Examples = s.config.Examples
	}
	switch {
	case !slices.Contains(spec.Arms, answer.ArmFewShot):
		spec.Examples = nil
	case len(spec.Examples) == 0:
		return spec, invalid("examples", "the few-shot arm needs examples; this server has none of its own")
	}
	return spec, nil
}

// evaluation is the job of the path, if it is an evaluation that the caller may see.
func (s *Server) evaluation(k *call) (jobs.Job, error) {
	return s.evaluationOf(k, k.param("id"))
}

func (s *Server) evaluationOf(k *call, id string) (jobs.Job, error) {
	j, err := s.jobOf(k, id)
	if err == nil && !slices.Contains(evaluationKinds, j.Kind) {
		err = notFound("the job %s is no evaluation", quoted(j.ID))
	}
	return j, err
}

func (s *Server) getEvaluation(k *call) error {
	j, err := s.evaluation(k)
	if err != nil {
		return err
	}
	return k.json(shown(k.caller, j))
}

func (s *Server) listEvaluations(k *call) error {
	if kind := k.echo.QueryParam("kind"); kind != "" {
		return s.listKinds(k, kind)
	}
	return s.listKinds(k, evaluationKinds...)
}

func (s *Server) evaluationEvents(k *call) error {
	if _, err := s.evaluation(k); err != nil {
		return err
	}
	return s.jobEvents(k)
}

// deleteEvaluation forgets the results of an evaluation that has ended.
func (s *Server) deleteEvaluation(k *call) error {
	j, err := s.evaluation(k)
	if err != nil {
		return err
	}
	if !j.Status.Ended() {
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the evaluation has not ended"), "cancel it first: POST /api/jobs/"+j.ID+"/cancel")
	}
	err = eval.Remove(jobs.EvaluationFolder(s.config.Evaluations, j.ID))
	if errors.Is(err, eval.ErrBusy) {
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "the evaluation is being judged"), "cancel that job first, which GET /api/jobs?kind="+jobs.KindJudging+" lists")
	}
	if err != nil {
		return err
	}
	return k.json(struct {
		Deleted []string `json:"deleted"`
	}{[]string{j.ID}})
}
