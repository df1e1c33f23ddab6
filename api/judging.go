package api

import (
	"encoding/json"

	"grounded/eval"
	"grounded/jobs"
	"grounded/model"
)

// judgingRequest is the body of POST /api/evaluations/{id}/judge.
type judgingRequest struct {
	Judge       string    `json:"judge"`
	Pairs       *[]string `json:"pairs"`     // none: grounded:plain, where there are both
	Sentences   *bool     `json:"sentences"` // none: true
	MaxCostUSD  *float64  `json:"max_cost_usd"`
	RetryErrors bool      `json:"retry_errors"`
}

// judgeEvaluation is POST /api/evaluations/{id}/judge: it becomes a job, which begins when the evaluation has ended.
func (s *Server) judgeEvaluation(k *call) error {
	var r judgingRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	j, err := s.run(k, k.param("id"))
	if err != nil {
		return err
	}
	if j.Status.Ended() {
		if _, err := s.evaluated(k, j.ID); err != nil {
			return err
		}
	}
	if _, err := s.engine.card(r.Judge, model.TaskChat); err != nil {
		return err
	}
	spec, err := judgingSpec(j, r)
	if err != nil {
		return err
	}
	job, err := jobs.SubmitJudging(k.ctx, s.config.Queue, s.config.Uploads, s.jobRequest(k, j.Collection), spec)
	if err != nil {
		return uploadFault(err, nil)
	}
	return s.accepted(k, job, "/api/jobs/")
}

// judgingSpec checks that the evaluation asks what is to be judged.
func judgingSpec(j jobs.Job, r judgingRequest) (spec jobs.JudgingSpec, err error) {
	var of jobs.EvaluationSpec
	if err := json.Unmarshal(j.Spec, &of); err != nil {
		return spec, err
	}
	spec = jobs.JudgingSpec{Evaluation: j.ID, Judge: r.Judge, Pairs: []string{}, Sentences: r.Sentences == nil || *r.Sentences, MaxCostUSD: r.MaxCostUSD, RetryErrors: r.RetryErrors}
	pairs := eval.DefaultPairs(of.Arms)
	if r.Pairs != nil {
		if pairs, err = eval.ParsePairs(*r.Pairs); err != nil {
			return spec, invalid("pairs", "%s", sentence(err))
		}
	}
	if err := eval.CheckJudging(pairs, spec.Sentences, len(of.Models), of.Arms); err != nil {
		return spec, invalid("pairs", "%s", sentence(err))
	}
	for _, p := range pairs {
		spec.Pairs = append(spec.Pairs, p[0]+":"+p[1])
	}
	return spec, nil
}
