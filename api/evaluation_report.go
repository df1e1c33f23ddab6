package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"grounded/eval"
	"grounded/eval/report"
	"grounded/eval/stat"
	"grounded/jobs"
)

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
