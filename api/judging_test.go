package api

import (
	"net/http"
	"strings"
	"testing"

	"grounded/eval"
	"grounded/jobs"
	"grounded/wire"
)

// judge is what a judge says: "fair" prefers the answer with a reference to nothing unknown, "first" what it sees first.
// All sentences are supported.
func judge(name, text string) string {
	_, answers, pair := strings.Cut(text, "<answer A ")
	switch {
	case !pair:
		return "1: yes"
	case name == "first":
		return "Verdict: A"
	}
	a, b, _ := strings.Cut(answers, "<answer B ")
	ignorant := func(text string) bool { return strings.Contains(text, "never heard of it") }
	switch {
	case ignorant(a) == ignorant(b):
		return "Verdict: tie"
	case ignorant(a):
		return "Verdict: B"
	}
	return "Verdict: A"
}

// judge starts a job that judges, and gives its id.
func (c *company) judge(key, evaluation, body string) string {
	c.Helper()
	r := c.send("POST", "/api/evaluations/"+evaluation+"/judge", key, body)
	if r.status != http.StatusAccepted {
		c.Fatalf("judge: %d %s", r.status, r.body)
	}
	return strings.TrimPrefix(r.header.Get("Location"), "/api/jobs/")
}

// judged has an evaluation judged, and gives its id.
func (c *company) judged(key, evaluation, judge string) string {
	c.Helper()
	if j := c.finish(c.judge(key, evaluation, `{"judge":"`+judge+`"}`)); j.Status != jobs.Done {
		c.Fatalf("the judging is %s: %s", j.Status, j.Error)
	}
	return evaluation
}

func TestAnEvaluationIsJudged(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	id := c.evaluate("hr", threeQuestions)
	path := "/api/evaluations/" + id
	// It waits for the evaluation.
	judging := c.judge("hr", id, `{"judge":"fair","max_cost_usd":1}`)
	c.send("GET", path+"/judgements", "hr", "").want(t, http.StatusNotFound)
	j := c.finish(judging)
	// Three pairs in both orders, and the sentences of three grounded answers.
	if j.Status != jobs.Done || j.Kind != jobs.KindJudging || j.Progress.Done != 9 || j.Progress.Total != 9 || j.Progress.SpentUSD == 0 {
		t.Fatalf("got %+v", j)
	}
	if text := c.send("GET", path+"/judgements", "hr", "").want(t, http.StatusOK).body; strings.Count(text, "\n") != 9 || !strings.Contains(text, `"judge":"fair"`) {
		t.Errorf("judgements %s", text)
	}
	var report struct {
		Judging   []eval.Judging
		Agreement []eval.Agreement
	}
	c.send("GET", path+"/report", "hr", "").into(t, &report)
	if len(report.Judging) != 1 || report.Judging[0].Pairs[0].Wins != 3 || !report.Judging[0].Pairs[0].Used || len(report.Judging[0].Faithful) != 1 || report.Agreement != nil {
		t.Errorf("got %+v", report)
	}
	c.send("POST", path+"/report", "hr", `{"labels":[{"id":"q1","model":"parrot","arm":"grounded","than_arm":"plain","verdict":"better"},
		{"id":"2","model":"parrot","arm":"plain","than_arm":"grounded","verdict":"better"}]}`).into(t, &report)
	if len(report.Agreement) != 1 || report.Agreement[0].By != "fair" || report.Agreement[0].Labels != 2 || report.Agreement[0].Same != 1 {
		t.Errorf("got %+v", report.Agreement)
	}
	// The same again asks nothing.
	asked := c.models.count()
	if j := c.finish(c.judge("hr", id, `{"judge":"fair"}`)); j.Status != jobs.Done || c.models.count() != asked {
		t.Errorf("asked %d times more for %+v", c.models.count()-asked, j)
	}
	for _, key := range []string{"writer", "tenant"} {
		c.send("POST", path+"/judge", key, `{"judge":"fair"}`).want(t, http.StatusNotFound)
		c.send("POST", path+"/report", key, `{"labels":[{"id":"q1","model":"parrot","arm":"grounded","sentence":"A.","supported":true}]}`).want(t, http.StatusNotFound)
		c.send("GET", path+"/judgements", key, "").want(t, http.StatusNotFound)
		c.send("GET", "/api/jobs/"+judging, key, "").want(t, http.StatusNotFound)
	}
	var list wire.Page[jobs.Job]
	c.send("GET", "/api/evaluations", "hr", "").into(t, &list)
	if len(list.Data) != 1 || list.Data[0].ID != id {
		t.Errorf("listed are %+v", list)
	}
	c.send("GET", "/api/jobs?kind=judging", "hr", "").into(t, &list)
	if len(list.Data) != 2 || list.Data[1].ID != judging {
		t.Errorf("listed are %+v", list)
	}
	// An administrator sees it, and another judge who prefers what it sees first is named and not used.
	c.judged("admin", id, "first")
	c.send("GET", path+"/report", "hr", "").into(t, &report)
	if g := report.Judging; len(g) != 2 || g[1].Judge != "first" || g[1].Pairs[0].Used || g[1].Pairs[0].Ties != 3 || *g[1].Pairs[0].FirstRate != 1 {
		t.Errorf("got %+v", report.Judging)
	}
	for _, format := range []string{"html", "markdown"} {
		if text := c.send("GET", path+"/report?format="+format, "hr", "").body; !strings.Contains(text, "fair") {
			t.Errorf("as %s the judge is not named", format)
		}
	}
}

func TestJudgingsThatCannotBe(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	id := c.evaluated("writer", threeQuestions)
	path := "/api/evaluations/" + id
	plain := c.evaluated("writer", strings.Replace(threeQuestions, "{", `{"arms":["plain"],`, 1))
	retrieval := c.evaluated("writer", retrievalOfThree)
	for _, r := range []struct {
		path, body string
		status     int
		want       string
	}{
		{path, `{}`, 400, "judge"}, {path, `{"judge":""}`, 400, "judge"}, {path, `{"judge":"nobody"}`, 404, "nobody"}, {path, `{"judge":"words"}`, 404, "words"},
		{path, `{"judge":"fair","pairs":["grounded"]}`, 400, "colon"}, {path, `{"judge":"fair","pairs":["grounded:best"]}`, 400, "best"},
		{path, `{"judge":"fair","pairs":["oracle:plain"]}`, 400, "no answers of the arm oracle"}, {path, `{"judge":"fair","pairs":["plain:plain"]}`, 400, "the run has one"},
		{path, `{"judge":"fair","pairs":[],"sentences":false}`, 400, "nothing to judge"}, {path, `{"judge":"fair","max_cost_usd":-1}`, 400, "max_cost_usd"},
		{"/api/evaluations/" + plain, `{"judge":"fair"}`, 400, "nothing to judge"}, {"/api/evaluations/none", `{"judge":"fair"}`, 404, "none"},
		{"/api/evaluations/" + c.job("alpha", "writer"), `{"judge":"fair"}`, 404, "no evaluation"}, {"/api/evaluations/" + retrieval, `{"judge":"fair"}`, 400, "retrieval"},
	} {
		if got := c.send("POST", r.path+"/judge", "writer", r.body); got.status != r.status || !strings.Contains(got.body, r.want) {
			t.Errorf("%s: status %d: %s", r.body, got.status, got.body)
		}
	}
	c.send("POST", path+"/judge", "reader", `{"judge":"fair"}`).want(t, http.StatusForbidden)
	for body, want := range map[string]string{
		`{"labels":[{"id":"q1","model":"parrot","arm":"grounded"}]}`: "of the request, line 1", `{"labels":[{"id":"q1"}]}`: "labels",
		`{"labels":[{"id":"q1","model":"parrot","arm":"grounded","sentence":"A.","supported":true}],"baseline":"` + plain + `"}`: "baseline",
		`{}`: "labels", `{"labels":[]}`: "labels", `{"metric":"beauty","labels":[{"id":"q1","model":"parrot","arm":"grounded","sentence":"A.","supported":true}]}`: "beauty",
	} {
		if r := c.send("POST", path+"/report", "writer", body); r.status != http.StatusBadRequest || !strings.Contains(r.body, want) {
			t.Errorf("%s: status %d: %s", body, r.status, r.body)
		}
	}
	asked := c.models.count()
	dear := c.finish(c.judge("writer", id, `{"judge":"fair","max_cost_usd":0.000001}`))
	if dear.Status != jobs.Failed || !dear.Progress.OverLimit || c.models.count() != asked {
		t.Errorf("got %+v after %d calls", dear, c.models.count()-asked)
	}
	if text := c.send("GET", "/api/jobs/"+dear.ID, "writer", "").body; !strings.Contains(text, "more than max_cost_usd allows; 0 of 9 are there") {
		t.Errorf("told is %s", text)
	}
	// What can't be read is told, and asked again when that is wanted.
	mute := c.finish(c.judge("writer", id, `{"judge":"parrot","sentences":false}`))
	if mute.Status != jobs.Failed || mute.Progress.Failed != 6 {
		t.Errorf("got %+v", mute)
	}
	if text := c.send("GET", "/api/jobs/"+mute.ID, "writer", "").body; !strings.Contains(text, "6 of 6 judgements failed or can't be read") {
		t.Errorf("told is %s", text)
	}
	asked = c.models.count()
	c.finish(c.judge("writer", id, `{"judge":"parrot","sentences":false,"retry_errors":true}`))
	if n := c.models.count() - asked; n != 6 {
		t.Errorf("%d were asked again", n)
	}
	once := c.send("POST", path+"/judge", "writer", `{"judge":"fair"}`, "Idempotency-Key", "once").want(t, http.StatusAccepted)
	if again := c.send("POST", path+"/judge", "writer", `{"judge":"fair"}`, "Idempotency-Key", "once").want(t, http.StatusAccepted); again.body != once.body {
		t.Errorf("%s, then %s", once.body, again.body)
	}
	c.send("POST", path+"/judge", "writer", `{"judge":"first"}`, "Idempotency-Key", "once").want(t, http.StatusConflict)
	// What is deleted can't be judged.
	c.send("DELETE", path, "writer", "").want(t, http.StatusOK)
	c.send("POST", path+"/judge", "writer", `{"judge":"fair"}`).want(t, http.StatusNotFound)
}

func TestAJudgingIsCancelled(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	id := c.evaluated("writer", threeQuestions)
	judging := c.judge("writer", id, `{"judge":"waiting"}`)
	c.work()
	before := c.models.count()
	eventually(t, "the judge is asked", func() bool { return c.models.count() > before })
	// Its run is not deleted under it.
	if r := c.send("DELETE", "/api/evaluations/"+id, "writer", "").want(t, http.StatusConflict); !strings.Contains(r.body, "being judged") {
		t.Errorf("got %s", r.body)
	}
	c.send("POST", "/api/jobs/"+judging+"/cancel", "writer", "").want(t, http.StatusOK)
	eventually(t, "it is cancelled", func() bool {
		j, err := c.queue.Job(t.Context(), judging)
		return err == nil && j.Status == jobs.Cancelled
	})
	c.send("GET", "/api/evaluations/"+id+"/report", "writer", "").want(t, http.StatusOK)
	c.send("DELETE", "/api/evaluations/"+id, "writer", "").want(t, http.StatusOK)
}
