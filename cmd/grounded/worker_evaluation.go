package main

import (
	"cmp"
	"context"
	"path/filepath"

	"grounded/answer"
	"grounded/config"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/jobs"
	"grounded/prompts"
	"grounded/retrieve"
)

// evaluations is the folder of what was asked for under /api/evaluations.
func evaluations(c config.Config) string {
	return cmp.Or(c.Jobs.Evaluations, filepath.Join(c.Data, "evaluations"))
}

// forJob are the services for the collection of a job.
func (s *services) forJob(j jobs.Job) *services {
	of := *s
	of.config.Collection = j.Collection
	return &of
}

// jobScope is what the owner of a job may see.
func jobScope(j jobs.Job) corpus.Scope {
	return corpus.Scope{Collection: j.Collection, Access: j.Access}
}

// evaluation prepares the run of a job: what its owner may see is asked.
func (s *services) evaluation(ctx context.Context, j jobs.Job, spec jobs.EvaluationSpec, questions []dataset.Question) (p jobs.Prepared, err error) {
	of := s.forJob(j)
	request := answer.Request{
		Scope: jobScope(j), TopK: spec.TopK, Mode: spec.Mode,
		MaxTokens: spec.MaxTokens, Temperature: spec.Temperature, Seed: spec.Seed, Examples: spec.Examples,
	}
	if p.Settings, err = of.settings(ctx, spec.Name, questions, request); err != nil {
		return p, err
	}
	p.Config = eval.Config{Request: request, Arms: spec.Arms, MaxCost: spec.MaxCostUSD, RetryErrors: j.Attempts > 1, Cache: s.cache(false)}
	if p.Config.Questions, _, err = s.resolved(ctx, j, questions); err != nil { // what is not found counts so
		return p, err
	}
	p.Cards, err = of.connect(ctx, &p.Config, spec.Models)
	return p, err
}

// resolved gives evidence the paths of the documents that the owner of a job may see.
func (s *services) resolved(ctx context.Context, j jobs.Job, questions []dataset.Question) ([]dataset.Question, []dataset.Finding, error) {
	resolver, err := dataset.NewResolver(ctx, s.store, jobScope(j))
	if err != nil {
		return nil, nil, err
	}
	questions, findings := resolver.Resolve(questions)
	return questions, findings, nil
}

// judging connects the judge of a job.
func (s *services) judging(ctx context.Context, _ jobs.Job, spec jobs.JudgingSpec) (c eval.JudgeConfig, err error) {
	c.Cache = s.cache(false)
	if c.Chat, err = s.chat(ctx, spec.Judge); err != nil {
		return c, err
	}
	c.Prompts, err = prompts.Load(s.config.Answer.Prompts)
	return c, err
}

// retrieval connects what a job measures.
func (s *services) retrieval(ctx context.Context, j jobs.Job, spec jobs.RetrievalSpec, questions []dataset.Question) (c eval.RetrievalConfig, resolved []dataset.Question, findings []dataset.Finding, err error) {
	if resolved, findings, err = s.resolved(ctx, j, questions); err != nil {
		return c, nil, nil, err
	}
	c.Request = retrieve.Request{Scope: jobScope(j), TopK: spec.TopK, Mode: spec.Mode}
	c.Retriever, err = s.forJob(j).retriever(ctx)
	return c, resolved, findings, err
}

// tuning prepares the search for better settings than the configured ones.
func (s *services) tuning(ctx context.Context, j jobs.Job, spec jobs.TuningSpec, questions []dataset.Question) (c eval.TuneConfig, resolved []dataset.Question, findings []dataset.Finding, err error) {
	if resolved, findings, err = s.resolved(ctx, j, questions); err != nil {
		return c, nil, nil, err
	}
	of := s.forJob(j)
	embedder, err := newEmbedOnce(ctx, of)
	if err != nil {
		return c, nil, nil, err
	}
	c = of.tuneConfig(eval.Space{Modes: spec.Modes, Weights: spec.Weights}, spec.TopKs)
	c.Request.Scope = jobScope(j)
	c.Open = func(ctx context.Context, setting eval.Setting) (eval.BatchRetriever, error) {
		return of.retrieverOf(ctx, embedder, setting)
	}
	return c, resolved, findings, nil
}

// tunedText is a configuration of the better settings alone: the server's own is nobody else's affair.
func tunedText(t eval.Tuned) (string, error) { return config.Set("", tunedValues(t)) }
