package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"grounded/corpus"
	"grounded/eval"
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
