package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/report"
	"grounded/eval/stat"
	"grounded/jobs"
)

// evaluationResults sends what there is so far, a line of JSON each: items as they were written, or of what was measured
// each question, or each setting.
func (s *Server) evaluationResults(k *call) error {
	j, err := s.evaluation(k)
	if err != nil {
		return err
	}
	var list []any
	switch j.Kind {
	case jobs.KindRetrieval:
		var m jobs.Measured
		err = s.kept(j, &m)
		for _, q := range m.PerQuestion {
			list = append(list, q)
		}
	case jobs.KindTuning:
		var t jobs.Tuned
		err = s.kept(j, &t)
		for _, trial := range t.Trials {
			list = append(list, trial)
		}
	default:
		return sendLines(k, j, func(use func([]byte) error) error {
			return eval.Lines(jobs.EvaluationFolder(s.config.Evaluations, j.ID), told(k.caller, toldItem, use))
		})
	}
	if err != nil {
		return err
	}
	return sendLines(k, j, func(use func([]byte) error) error {
		for _, v := range list {
			line, err := json.Marshal(v)
			if err != nil {
				return err
			}
			if err := use(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// evaluationJudgements sends the calls of judges that there are so far, a line of JSON each.
func (s *Server) evaluationJudgements(k *call) error {
	j, err := s.run(k, k.param("id"))
	if err != nil {
		return err
	}
	err = sendLines(k, j, func(use func([]byte) error) error {
		return eval.JudgementLines(jobs.EvaluationFolder(s.config.Evaluations, j.ID), told(k.caller, toldJudgement, use))
	})
	if errors.Is(err, corpus.ErrNotFound) {
		return notFound("the evaluation %s was not judged; POST /api/evaluations/ID/judge begins it", quoted(j.ID))
	}
	return err
}

// sendLines sends lines of JSON.
func sendLines(k *call, j jobs.Job, each func(use func([]byte) error) error) error {
	w := k.echo.Response()
	w.Header().Set("Content-Type", "application/jsonl")
	err := each(func(line []byte) error {
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

// kept reads what a measurement of retrieval, or a search for settings, came to.
func (s *Server) kept(j jobs.Job, into any) error {
	if err := jobs.LoadReport(s.config.Evaluations, j.ID, into); err != nil {
		return noResults(j, err)
	}
	return nil
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

// run is the job with an id, if it is an evaluation that has asked models, and the caller may see it.
func (s *Server) run(k *call, id string) (jobs.Job, error) {
	j, err := s.evaluationOf(k, id)
	if err == nil && j.Kind != jobs.KindEvaluation {
		err = invalid("id", "%s is of the kind %s: it has no answers of models to judge or to compare", quoted(j.ID), j.Kind)
	}
	return j, err
}

// evaluated loads the items that an evaluation has so far, of which there must be one.
func (s *Server) evaluated(k *call, id string) (eval.Stored, error) {
	j, err := s.run(k, id)
	if err != nil {
		return eval.Stored{}, err
	}
	stored, err := eval.LoadStored(j.ID, jobs.EvaluationFolder(s.config.Evaluations, j.ID))
	if err != nil {
		return stored, noResults(j, err)
	}
	for i, card := range stored.Header.Models {
		stored.Header.Models[i] = published(card)
	}
	if !k.caller.access.Unrestricted {
		for i := range stored.Items {
			toldItem(&stored.Items[i])
		}
	}
	return stored, nil
}

// inside stands for errors of models and stores, which name what is inside.
const inside = "it failed; whoever runs this server sees why"

func toldItem(i *eval.Item) {
	if i.Error != "" {
		i.Error = inside
	}
	for n := range i.Calls {
		toldCall(&i.Calls[n])
	}
}

func toldJudgement(j *eval.Judgement) {
	if j.Error != "" {
		j.Error = inside
	}
	toldCall(&j.Call)
}

func toldCall(c *eval.Call) {
	if c.Error != "" {
		c.Error = inside
	}
}

// told changes lines to what a caller may see of them.
func told[T any](c caller, change func(*T), use func([]byte) error) func([]byte) error {
	if c.access.Unrestricted {
		return use
	}
	return func(line []byte) error {
		var record T
		if err := json.Unmarshal(line, &record); err != nil {
			return corpus.Errorf(corpus.ErrCorrupt, "read results: %w", err)
		}
		change(&record)
		line, err := json.Marshal(record)
		if err != nil {
			return err
		}
		return use(append(line, '\n'))
	}
}

// baseline loads the evaluation that the one of the path is compared with.
func (s *Server) baseline(k *call, id string) (eval.Stored, error) {
	if id == k.param("id") {
		return eval.Stored{}, invalid("baseline", "an evaluation is not compared with itself")
	}
	return s.evaluated(k, id)
}

// reportRequest is the body of POST /api/evaluations/{id}/report, and what the queries of reports and gates have of it.
type reportRequest struct {
	Format   string            `json:"format"`
	Metric   string            `json:"metric"`
	Effect   float64           `json:"effect"`
	Baseline string            `json:"baseline"`
	Labels   []json.RawMessage `json:"labels"` // lines of a file of labels
}

// queried reads the query, whose numbers the contract has checked.
func queried(k *call) reportRequest {
	q := k.echo.QueryParam
	effect, _ := strconv.ParseFloat(q("effect"), 64)
	return reportRequest{Format: q("format"), Metric: q("metric"), Effect: effect, Baseline: q("baseline")}
}

func (r reportRequest) config() (c eval.ReportConfig, err error) {
	if r.Metric != "" && !slices.Contains(eval.ScoreNames(), r.Metric) {
		return c, invalid("metric", "there is no score %s", quoted(r.Metric))
	}
	if len(r.Labels) > 0 {
		if r.Baseline != "" {
			return c, invalid("labels", "labels are of one evaluation: leave baseline out")
		}
		if c.Labels, err = eval.ReadLabels(bytes.NewReader(bytes.Join(compacted(r.Labels), []byte("\n"))), "of the request"); err != nil {
			return c, invalid("labels", "%s", sentence(err))
		}
	}
	c.Metric, c.Rule = r.Metric, stat.Rule{Effect: r.Effect}
	return c, nil
}

// evaluationGate tells which models and arms of a baseline got worse.
func (s *Server) evaluationGate(k *call) error {
	r := queried(k)
	c, err := r.config()
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
	now, err := s.evaluated(k, k.param("id"))
	if err != nil {
		return err
	}
	before, err := s.baseline(k, r.Baseline)
	if err != nil {
		return err
	}
	lines, err := eval.Gate(before.Header, before.Items, now.Header, now.Items, c, limits)
	if err != nil {
		return err
	}
	return k.json(map[string]any{
		"failed":  slices.ContainsFunc(lines, func(l eval.GateLine) bool { return l.Failed }),
		"columns": lines,
	})
}

// evaluationReport is GET /api/evaluations/{id}/report.
func (s *Server) evaluationReport(k *call) error { return s.sendReport(k, queried(k)) }

// evaluationReportWith is POST /api/evaluations/{id}/report.
func (s *Server) evaluationReportWith(k *call) error {
	var r reportRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	return s.sendReport(k, r)
}

// sendReport reports on what there is so far.
func (s *Server) sendReport(k *call, r reportRequest) error {
	j, err := s.evaluation(k)
	if err != nil {
		return err
	}
	if j.Kind != jobs.KindEvaluation {
		return s.sendKept(k, j, r)
	}
	now, err := s.evaluated(k, j.ID)
	if err != nil {
		return err
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	runs := []eval.Stored{now}
	if r.Baseline != "" {
		before, err := s.baseline(k, r.Baseline)
		if err != nil {
			return err
		}
		runs = []eval.Stored{before, now}
	}
	made, err := eval.ReportOn(runs, c)
	if err != nil {
		return err
	}
	form := reportForms[cmp.Or(r.Format, "json")]
	var text bytes.Buffer
	if err := form.write(&text, made); err != nil {
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

// sendKept reports on what was measured without asking models, which has one form.
func (s *Server) sendKept(k *call, j jobs.Job, r reportRequest) error {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"format", r.Format != "" && r.Format != "json"}, {"metric", r.Metric != ""}, {"effect", r.Effect != 0}, {"baseline", r.Baseline != ""}, {"labels", r.Labels != nil},
	} {
		if f.set {
			return unsupported(f.name, "the report of an evaluation of kind %s is JSON, of all its metrics; leave %s out", j.Kind, f.name)
		}
	}
	if j.Kind == jobs.KindTuning {
		var t jobs.Tuned
		if err := s.kept(j, &t); err != nil {
			return err
		}
		return k.json(t)
	}
	var m jobs.Measured
	if err := s.kept(j, &m); err != nil {
		return err
	}
	m.PerQuestion = nil // they are the results
	return k.json(m)
}
