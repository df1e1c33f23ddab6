package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/jobs"
	"grounded/prompts"
	"grounded/retrieve"
	"grounded/wire"
)

const threeQuestions = `{"questions":[
	{"id":"q1","question":"How many days of leave a year?","answers":["27"],"evidence":[{"document":"leave.md","page":1}]},
	{"id":2,"question":"Which form is leave asked for with?","answers":["form 17"],"tags":["forms"]},
	{"id":"q3","question":"Who bought Gamma?","answerable":false}]}`

// evaluate starts an evaluation.
func (c *company) evaluate(key, body string) string {
	c.Helper()
	r := c.send("POST", "/api/evaluations", key, body)
	if r.status != http.StatusAccepted {
		c.Fatalf("start: %d %s", r.status, r.body)
	}
	return strings.TrimPrefix(r.header.Get("Location"), "/api/evaluations/")
}

// finish does the jobs of the queue until one has ended.
func (c *company) finish(id string) jobs.Job {
	c.Helper()
	worker, err := jobs.NewWorker(jobs.WorkerConfig{Queue: c.queue, Name: "test", Handlers: c.evaluators()})
	if err != nil {
		c.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	if err := c.queue.Watch(ctx, id, func(jobs.Job) error { return nil }); err != nil {
		c.Fatal(err)
	}
	j, err := c.queue.Job(ctx, id)
	if err != nil {
		c.Fatal(err)
	}
	return j
}

// evaluators do the jobs of evaluations.
func (c *company) evaluators() map[string]jobs.Handler {
	folder := c.server.config.Evaluations
	return map[string]jobs.Handler{
		jobs.KindEvaluation: jobs.Evaluation{Folder: folder, Prepare: c.prepare}.Do,
		jobs.KindJudging: jobs.Judging{Folder: folder, Prepare: func(ctx context.Context, _ jobs.Job, spec jobs.JudgingSpec) (j eval.JudgeConfig, err error) {
			if j.Chat, err = c.server.engine.chat(ctx, spec.Judge); err == nil {
				j.Prompts, err = prompts.Load("")
			}
			return j, err
		}}.Do,
		jobs.KindRetrieval: jobs.Retrieval{Folder: folder, Prepare: func(ctx context.Context, j jobs.Job, spec jobs.RetrievalSpec, questions []dataset.Question) (r eval.RetrievalConfig, _ []dataset.Question, _ []dataset.Finding, err error) {
			resolver, err := dataset.NewResolver(ctx, c.store, corpus.Scope{Collection: j.Collection, Access: j.Access})
			if err != nil {
				return r, nil, nil, err
			}
			questions, findings := resolver.Resolve(questions)
			r.Retriever, r.Request = searcher{c.server.engine}, retrieve.Request{Scope: corpus.Scope{Collection: j.Collection, Access: j.Access}, TopK: spec.TopK, Mode: spec.Mode}
			return r, questions, findings, nil
		}}.Do,
		jobs.KindTuning: jobs.Tuning{Folder: folder, Prepare: func(_ context.Context, j jobs.Job, spec jobs.TuningSpec, questions []dataset.Question) (t eval.TuneConfig, _ []dataset.Question, _ []dataset.Finding, err error) {
			t.Request.Scope = corpus.Scope{Collection: j.Collection, Access: j.Access}
			t.Open = func(context.Context, eval.Setting) (eval.BatchRetriever, error) {
				return searcher{c.server.engine}, nil
			}
			t.Current, t.Others, t.TopKs = eval.Setting{Mode: retrieve.ModeHybrid}, eval.Space{Modes: spec.Modes, Weights: spec.Weights}.Settings("blend"), spec.TopKs
			return t, questions, nil, nil
		}, Configuration: func(eval.Tuned) (string, error) { return "", nil }}.Do,
	}
}

// searcher searches by one question after the other.
type searcher struct{ *engine }

func (s searcher) RetrieveAll(ctx context.Context, requests []retrieve.Request) (results []retrieve.Result, err error) {
	for _, r := range requests {
		found, err := s.Retrieve(ctx, r)
		if err != nil {
			return nil, err
		}
		results = append(results, found)
	}
	return results, nil
}

func (c *company) prepare(ctx context.Context, j jobs.Job, spec jobs.EvaluationSpec, questions []dataset.Question) (jobs.Prepared, error) {
	scope := corpus.Scope{Collection: j.Collection, Access: j.Access}
	embedder, err := c.server.engine.embedder(ctx, "words")
	if err != nil {
		return jobs.Prepared{}, err
	}
	service, err := answer.New(ctx, answer.Config{Retriever: c.server.engine, Pages: c.store, Embedder: embedder, Arms: eval.Arms()})
	if err != nil {
		return jobs.Prepared{}, err
	}
	p := jobs.Prepared{Settings: eval.Settings{Dataset: spec.Name, DatasetHash: dataset.Hash(questions), Questions: len(questions), Collection: j.Collection}}
	for _, id := range spec.Models {
		chat, err := c.server.engine.chat(ctx, id)
		if err != nil {
			return p, err
		}
		p.Config.Chats, p.Cards = append(p.Config.Chats, chat), append(p.Cards, chat.Card())
	}
	p.Config.Answerer, p.Config.Retriever = service, c.server.engine
	p.Config.Request = answer.Request{Scope: scope, TopK: spec.TopK, Mode: spec.Mode, Temperature: spec.Temperature}
	p.Config.Arms, p.Config.Questions, p.Config.MaxCost = spec.Arms, questions, spec.MaxCostUSD
	return p, nil
}

// evaluated is an evaluation that has ended.
func (c *company) evaluated(key, body string) string {
	c.Helper()
	id := c.evaluate(key, body)
	if j := c.finish(id); j.Status != jobs.Done {
		c.Fatalf("the evaluation is %s: %s", j.Status, j.Error)
	}
	return id
}

func TestAnEvaluationIsAskedByItsOwnerAlone(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	id := c.evaluate("hr", threeQuestions)
	for _, path := range []string{"/results", "/report"} {
		c.send("GET", "/api/evaluations/"+id+path, "hr", "").want(t, http.StatusConflict)
	}
	if j := c.finish(id); j.Status != jobs.Done || j.Progress.Done != 6 || j.Progress.Total != 6 || j.Progress.SpentUSD == 0 {
		t.Fatalf("got %+v", j)
	}
	results := c.send("GET", "/api/evaluations/"+id+"/results", "hr", "").want(t, http.StatusOK).body
	lines := strings.Split(strings.TrimSuffix(results, "\n"), "\n")
	for _, line := range lines {
		var item eval.Item
		if err := json.Unmarshal([]byte(line), &item); err != nil || item.Answer == nil {
			t.Errorf("%v: %s", err, line)
		}
	}
	if len(lines) != 6 || !strings.Contains(results, canaryHR) || strings.Contains(results, canaryBoard) {
		t.Errorf("%d items, and what a key of hr may see is not what was found: %s", len(lines), results)
	}
	var report struct{ Columns []eval.Column }
	c.send("GET", "/api/evaluations/"+id+"/report", "hr", "").into(t, &report)
	if len(report.Columns) != 2 || report.Columns[0].Items != 3 || report.Columns[1].Arm != "grounded" {
		t.Errorf("got %+v", report)
	}
	for format, want := range map[string]string{"html": "<!doctype html>", "markdown": "| parrot", "csv": "parrot,plain"} {
		r := c.send("GET", "/api/evaluations/"+id+"/report?metric=right&format="+format, "hr", "").want(t, http.StatusOK)
		if !strings.Contains(strings.ToLower(r.body), want) {
			t.Errorf("as %s: %s", format, r.body)
		}
	}
	if events := c.send("GET", "/api/evaluations/"+id+"/events", "hr", "").body; !strings.Contains(events, "event: done\n") || !strings.Contains(events, `"total":6`) {
		t.Errorf("events %s", events)
	}
	var list wire.Page[jobs.Job]
	c.send("GET", "/api/evaluations", "hr", "").into(t, &list)
	if len(list.Data) != 1 || list.Data[0].ID != id {
		t.Errorf("listed are %+v", list)
	}
	for _, key := range []string{"writer", "tenant", "reader"} {
		for _, path := range []string{"", "/results", "/report", "/events"} {
			c.send("GET", "/api/evaluations/"+id+path, key, "").want(t, http.StatusNotFound)
		}
		c.send("GET", "/api/evaluations", key, "").into(t, &list)
		if len(list.Data) > 0 {
			t.Errorf("%s sees %+v", key, list)
		}
	}
	c.send("DELETE", "/api/evaluations/"+id, "tenant", "").want(t, http.StatusNotFound)
	c.send("DELETE", "/api/evaluations/"+id, "hr", "").want(t, http.StatusOK)
	c.send("GET", "/api/evaluations/"+id+"/results", "hr", "").want(t, http.StatusNotFound)
	if left, err := filepath.Glob(filepath.Join(c.server.config.Evaluations, "*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestEvaluationsThatCannotBe(t *testing.T) {
	c := open(t, nil)
	with := func(more string) string { return strings.TrimSuffix(threeQuestions, "}") + "," + more + "}" }
	for body, want := range map[string]string{
		`{"questions":[{"id":"a","question":"Why?","draft":true}]}`: "drafts",
		`{"questions":[]}`:                   "questions",
		`{}`:                                 "questions",
		with(`"models":["nobody"]`):          "nobody",
		with(`"models":["words"]`):           "words",
		with(`"models":["parrot","parrot"]`): "twice",
		with(`"arms":["best"]`):              "arms",
		with(`"collection":"beta"`):          "beta",
		with(`"max_cost_usd":-1`):            "max_cost_usd",
		`{"questions":[{"id":"a","question":"Why?"},{"id":"a","question":"How?"}]}`:                            "line 2",
		`{"questions":[{"id":"a","question":"Why?","evidence":[{"document":"a.md","grade":-1}]}]}`:             "grade",
		`{"questions":[{"id":"a","question":"Why?","answerable":false,"answers":["because"],"colour":"red"}]}`: "colour",
	} {
		if r := c.send("POST", "/api/evaluations", "writer", body); r.status/100 != 4 || !strings.Contains(r.body, want) {
			t.Errorf("%s: status %d: %s", body, r.status, r.body)
		}
	}
	c.send("POST", "/api/evaluations", "reader", threeQuestions).want(t, http.StatusForbidden)
	c.send("GET", "/api/evaluations/"+c.job("alpha", "writer"), "writer", "").want(t, http.StatusNotFound)
	id := c.evaluate("writer", threeQuestions)
	c.send("DELETE", "/api/evaluations/"+id, "writer", "").want(t, http.StatusConflict)
	c.send("GET", "/api/evaluations/"+id+"/report?metric=beauty", "writer", "").want(t, http.StatusConflict)
	c.send("GET", "/api/evaluations/"+id+"/report?format=docx", "writer", "").want(t, http.StatusBadRequest)
}

func TestAnEvaluationThatIsNotWhole(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	failing := c.finish(c.evaluate("writer", strings.Replace(threeQuestions, "{", `{"models":["failing","parrot"],"arms":["plain"],`, 1)))
	if failing.Status != jobs.Failed || failing.Progress.Failed != 3 || failing.Progress.Done != 6 || !strings.Contains(failing.Error, "3 of 6 items failed") {
		t.Errorf("got %+v", failing)
	}
	for _, key := range []string{"writer", "admin"} {
		if text := c.send("GET", "/api/evaluations/"+failing.ID, key, "").want(t, http.StatusOK).body; !strings.Contains(text, "3 of 6 items") || strings.Contains(text, "the documents have the reasons") {
			t.Errorf("%s is told %s", key, text)
		}
	}
	// Errors of models name what is inside, and so do cards.
	for _, path := range []string{"/results", "/report", "/report?format=html", "/report?format=csv"} {
		text := c.send("GET", "/api/evaluations/"+failing.ID+path, "writer", "").want(t, http.StatusOK).body
		if strings.Contains(text, "/opt/secret") || strings.Contains(text, c.models.URL) || path == "/results" && strings.Count(text, inside) < 3 {
			t.Errorf("%s tells %s", path, text)
		}
	}
	if text := c.send("GET", "/api/evaluations/"+failing.ID+"/results", "admin", "").body; !strings.Contains(text, "/opt/secret") {
		t.Errorf("whoever runs the server is told %s", text)
	}
	asked := c.models.count()
	dear := c.finish(c.evaluate("writer", strings.Replace(threeQuestions, "{", `{"max_cost_usd":0.000001,`, 1)))
	if dear.Status != jobs.Failed || !strings.Contains(dear.Error, "limit") || c.models.count() != asked {
		t.Errorf("got %+v after %d calls", dear, c.models.count()-asked)
	}
}

func TestTheSameEvaluationIsStartedOnce(t *testing.T) {
	c := open(t, nil)
	send := func(key, body string) reply {
		return c.send("POST", "/api/evaluations", key, body, "Idempotency-Key", "once")
	}
	first := send("writer", threeQuestions).want(t, http.StatusAccepted)
	if again := send("writer", threeQuestions).want(t, http.StatusAccepted); again.body != first.body {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	send("writer", strings.Replace(threeQuestions, "27", "28", 1)).want(t, http.StatusConflict)
}

func TestAnEvaluationIsComparedWithAnother(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	before, after := c.evaluated("writer", threeQuestions), c.evaluated("writer", threeQuestions)
	path := "/api/evaluations/" + after
	var report struct{ Comparisons []eval.Comparison }
	c.send("GET", path+"/report?baseline="+before, "writer", "").into(t, &report)
	found := false
	for _, r := range report.Comparisons {
		found = found || r.Model == "parrot @ "+after && r.Than == "parrot @ "+before && r.Difference != nil && *r.Difference == 0
	}
	if !found {
		t.Errorf("not compared: %+v", report)
	}
	var gate struct {
		Failed  bool
		Columns []eval.GateLine
	}
	c.send("GET", path+"/gate?max_drop=.1&baseline="+before, "writer", "").into(t, &gate)
	if gate.Failed || len(gate.Columns) != 2 {
		t.Errorf("got %+v", gate)
	}
	plain := c.evaluated("writer", strings.Replace(threeQuestions, "{", `{"arms":["plain"],`, 1))
	c.send("GET", "/api/evaluations/"+plain+"/gate?baseline="+before, "writer", "").into(t, &gate)
	if !gate.Failed {
		t.Errorf("an arm is gone, and got %+v", gate)
	}
	others := c.evaluated("hr", threeQuestions)
	changed := c.evaluated("writer", strings.Replace(threeQuestions, "Who bought Gamma", "Who sold Gamma", 1))
	for query, want := range map[string]int{
		"/gate": 400, "/gate?baseline=": 400, "/gate?max_drop=NaN&baseline=" + before: 400, "/gate?max_failed=-1&baseline=" + before: 400,
		"/gate?metric=beauty&baseline=" + before: 400, "/gate?baseline=" + after: 400, "/report?baseline=" + after: 400, "/gate?baseline=" + changed: 400,
		"/report?baseline=" + changed: 400, "/gate?baseline=" + others: 404, "/report?baseline=" + others: 404, "/gate?baseline=none": 404,
	} {
		if r := c.send("GET", path+query, "writer", ""); r.status != want {
			t.Errorf("%s: status %d, want %d: %s", query, r.status, want, r.body)
		}
	}
}
