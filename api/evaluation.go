package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/report"
	"grounded/jobs"
	"grounded/model"
	"grounded/prompts"
)

// evaluationRequest is the body of POST /api/evaluations.
type evaluationRequest struct {
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
}

// startEvaluation is POST /api/evaluations: it becomes a job.
func (s *Server) startEvaluation(k *call) error {
	var r evaluationRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	ask, err := s.question(k, asked{collection: r.Collection, topK: r.TopK, mode: r.Mode})
	if err != nil {
		return err
	}
	if _, err := s.engine.Store.Collection(k.ctx, ask.Scope.Collection); err != nil {
		return missing(err, ask.Scope.Collection)
	}
	spec, err := s.evaluationSpec(r)
	if err != nil {
		return err
	}
	spec.TopK, spec.Mode = ask.TopK, ask.Mode
	questions, err := dataset.Read(bytes.NewReader(bytes.Join(compacted(r.Questions), []byte("\n"))), "questions")
	if err != nil {
		return invalid("questions", "%s", err)
	}
	if n := dataset.Drafts(questions); n > 0 {
		return invalid("questions", "%d of %d questions are drafts of a model that nobody has reviewed; review them with `grounded eval dataset review`", n, len(questions))
	}
	job, err := jobs.SubmitEvaluation(k.ctx, s.config.Queue, s.config.Uploads, jobs.Job{
		Collection: ask.Scope.Collection, Owner: k.caller.name, Access: k.caller.access, IdempotencyKey: k.echo.Request().Header.Get("Idempotency-Key"),
	}, spec, questions)
	if err != nil {
		return uploadFault(err, nil)
	}
	if !visible(k.caller, job) { // of the same key for another user
		return jobs.OtherRequest()
	}
	k.echo.Response().Header().Set("Location", "/api/evaluations/"+url.PathEscape(job.ID))
	return writeJSON(k.echo.Response(), http.StatusAccepted, "application/json", struct {
		JobID string `json:"job_id"`
	}{job.ID})
}

// compacted puts each question on a line of its own.
func compacted(questions []json.RawMessage) [][]byte {
	lines := make([][]byte, len(questions))
	for i, q := range questions {
		var line bytes.Buffer
		_ = json.Compact(&line, q) // it has been decoded
		lines[i] = line.Bytes()
	}
	return lines
}

// evaluationSpec checks whom an evaluation asks, and how.
func (s *Server) evaluationSpec(r evaluationRequest) (jobs.EvaluationSpec, error) {
	spec := jobs.EvaluationSpec{
		Name: cmp.Or(r.Name, "questions"), Models: r.Models, Arms: r.Arms, MaxTokens: cmp.Or(r.MaxTokens, s.config.MaxTokens), Temperature: r.Temperature,
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
	if err == nil && j.Kind != jobs.KindEvaluation {
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

func (s *Server) listEvaluations(k *call) error { return s.listKind(k, jobs.KindEvaluation) }

func (s *Server) evaluationEvents(k *call) error {
	if _, err := s.evaluation(k); err != nil {
		return err
	}
	return s.jobEvents(k)
}

// evaluationResults sends the items that there are so far, a line of JSON each, as they were written.
func (s *Server) evaluationResults(k *call) error {
	j, err := s.evaluation(k)
	if err != nil {
		return err
	}
	w := k.echo.Response()
	w.Header().Set("Content-Type", "application/jsonl")
	err = eval.Lines(jobs.EvaluationFolder(s.config.Evaluations, j.ID), func(line []byte) error {
		if _, err := w.Write(line); err != nil {
			return errGone
		}
		return nil
	})
	if err != nil && !w.Committed {
		w.Header().Del("Content-Type")
		return noResults(j, err)
	}
	return err
}

// noResults is why there is nothing to show of an evaluation.
func noResults(j jobs.Job, err error) error {
	if !errors.Is(err, corpus.ErrNotFound) {
		return err
	}
	f := &fault{status: http.StatusConflict, kind: "invalid_request_error", code: "conflict", message: "the evaluation has no results yet", cause: err}
	if j.Status.Ended() {
		f.status, f.code, f.message = http.StatusNotFound, "not_found", "there are no results: it ended before the first, or they were kept on another machine (jobs.evaluations)"
	}
	return f
}

// reportForms are the forms of a report.
var reportForms = map[string]struct {
	contentType string
	write       func(io.Writer, eval.Report) error
}{
	"json":     {"application/json", report.JSON},
	"html":     {"text/html; charset=utf-8", report.HTML},
	"markdown": {"text/markdown; charset=utf-8", report.Markdown},
	"csv":      {"text/csv; charset=utf-8", report.CSV},
}

// reportPolicy lets the page have the style and the script that are in it, and nothing from elsewhere.
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// evaluated loads the items that an evaluation has so far, of which there must be one.
func (s *Server) evaluated(k *call, id string) (eval.Header, []eval.Item, error) {
	j, err := s.evaluationOf(k, id)
	if err != nil {
		return eval.Header{}, nil, err
	}
	header, items, err := eval.Load(jobs.EvaluationFolder(s.config.Evaluations, j.ID))
	if err == nil && len(items) == 0 {
		err = corpus.Errorf(corpus.ErrNotFound, "there are no items")
	}
	if err != nil {
		return header, nil, noResults(j, err)
	}
	return header, items, nil
}

// baseline loads the evaluation that the one of the path is compared with.
func (s *Server) baseline(k *call, id string) (eval.Header, []eval.Item, error) {
	if id == k.param("id") {
		return eval.Header{}, nil, invalid("baseline", "an evaluation is not compared with itself")
	}
	return s.evaluated(k, id)
}

func reportConfig(k *call) (eval.ReportConfig, error) {
	metric := k.echo.QueryParam("metric")
	if metric != "" && !slices.Contains(eval.ScoreNames(), metric) {
		return eval.ReportConfig{}, invalid("metric", "there is no score %s", quoted(metric))
	}
	return eval.ReportConfig{Metric: metric}, nil
}

// evaluationGate tells which models and arms of a baseline got worse.
func (s *Server) evaluationGate(k *call) error {
	c, err := reportConfig(k)
	if err != nil {
		return err
	}
	var limits eval.GateLimits
	for name, limit := range map[string]*float64{"max_drop": &limits.MaxDrop, "max_failed": &limits.MaxFailed} {
		if text := k.echo.QueryParam(name); text != "" {
			if *limit, err = strconv.ParseFloat(text, 64); err != nil || !(*limit >= 0 && *limit <= 1) {
				return invalid(name, "%s is a number from 0 to 1, not %s", name, quoted(text))
			}
		}
	}
	after, items, err := s.evaluated(k, k.param("id"))
	if err != nil {
		return err
	}
	before, old, err := s.baseline(k, k.echo.QueryParam("baseline"))
	if err != nil {
		return err
	}
	lines, err := eval.Gate(before, old, after, items, c, limits)
	if err != nil {
		return err
	}
	return k.json(map[string]any{
		"failed":  slices.ContainsFunc(lines, func(l eval.GateLine) bool { return l.Failed }),
		"columns": lines,
	})
}

// evaluationReport reports on the items that there are so far.
func (s *Server) evaluationReport(k *call) error {
	header, items, err := s.evaluated(k, k.param("id"))
	if err != nil {
		return err
	}
	c, err := reportConfig(k)
	if err != nil {
		return err
	}
	if id := k.echo.QueryParam("baseline"); id != "" {
		before, old, err := s.baseline(k, id)
		if err != nil {
			return err
		}
		header, items, c.Baseline, err = eval.Merge([]string{id, k.param("id")}, []eval.Header{before, header}, [][]eval.Item{old, items})
		if err != nil {
			return err
		}
	}
	r, err := eval.NewReport(header, items, c)
	if err != nil {
		return err
	}
	form := reportForms[cmp.Or(k.echo.QueryParam("format"), "json")]
	var text bytes.Buffer
	if err := form.write(&text, r); err != nil {
		return err
	}
	w := k.echo.Response()
	w.Header().Set("Content-Type", form.contentType)
	if form.contentType == "text/html; charset=utf-8" {
		w.Header().Set("Content-Security-Policy", reportPolicy)
	}
	if _, err := text.WriteTo(w); err != nil {
		return errGone
	}
	return nil
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
	if err := os.RemoveAll(jobs.EvaluationFolder(s.config.Evaluations, j.ID)); err != nil {
		return err
	}
	return k.json(struct {
		Deleted []string `json:"deleted"`
	}{[]string{j.ID}})
}
