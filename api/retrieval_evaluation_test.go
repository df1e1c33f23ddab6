package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/jobs"
)

// Bodies of requests about the questions of threeQuestions.
const (
	threeQuestionsAlone = `{"questions":[
	{"id":"q1","question":"How many days of leave a year?","answers":["27"],"evidence":[{"document":"leave.md","page":1,"quote":"27 days of leave"}]},
	{"id":2,"question":"Which form is leave asked for with?","answers":["form 17"],"evidence":[{"document":"leave.md","page":2}]},
	{"id":"q3","question":"What is the salary of level 5?","answers":["70000"],"evidence":[{"document":"hr/salaries.md","page":1}]}]}`
)

var (
	retrievalOfThree = strings.Replace(threeQuestionsAlone, "{", `{"kind":"retrieval","mode":"lexical",`, 1)
	tuningOfThree    = strings.Replace(threeQuestionsAlone, "{", `{"kind":"tuning","modes":["lexical","dense"],"top_ks":[1,5],`, 1)
)

func TestRetrievalIsMeasuredAsItsOwnerSeesIt(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	for key, want := range map[string]struct {
		missing int
		recall  float64
	}{"hr": {0, 1}, "writer": {1, 2. / 3}} { // one may not see the salaries
		asked := c.models.count()
		id := c.evaluate(key, retrievalOfThree)
		path := "/api/evaluations/" + id
		c.send("GET", path+"/report", key, "").want(t, http.StatusConflict)
		c.send("GET", path+"/results", key, "").want(t, http.StatusConflict)
		if j := c.finish(id); j.Status != jobs.Done || j.Kind != jobs.KindRetrieval || j.Progress.Done != 3 || j.Progress.Total != 3 || c.models.count() != asked {
			t.Fatalf("got %+v", j)
		}
		var report struct {
			Scores      []eval.LevelMean
			Findings    []dataset.Finding
			PerQuestion []any `json:"per_question"`
		}
		c.send("GET", path+"/report", key, "").want(t, http.StatusOK).into(t, &report)
		if len(report.Findings) != want.missing || report.PerQuestion != nil || report.Scores[1].Metric != "recall" || report.Scores[1].K != 10 || *report.Scores[1].Mean.Mean != want.recall || report.Scores[1].Interval == nil {
			t.Errorf("%s: got %+v", key, report)
		}
		lines := strings.Split(strings.TrimSpace(c.send("GET", path+"/results", key, "").want(t, http.StatusOK).body), "\n")
		var first eval.QuestionScores
		if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 3 || first.ID != "q1" || *first.Scores["page mrr@5"] != 1 {
			t.Errorf("%s: results %q, %v", key, lines, err)
		}
		for query, want := range map[string]int{"/report?format=html": 400, "/report?metric=f1": 400, "/report?format=json": 200, "/gate?baseline=" + id: 400, "/judgements": 400} {
			if r := c.send("GET", path+query, key, ""); r.status != want {
				t.Errorf("%s: status %d: %s", query, r.status, r.body)
			}
		}
		c.send("GET", path, "tenant", "").want(t, http.StatusNotFound)
		c.send("GET", path+"/report", "tenant", "").want(t, http.StatusNotFound)
		c.send("DELETE", path, key, "").want(t, http.StatusOK)
		c.send("GET", path+"/report", key, "").want(t, http.StatusNotFound)
	}
}

func TestSettingsAreTuned(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	id := c.evaluated("hr", tuningOfThree)
	var report jobs.Tuned
	c.send("GET", "/api/evaluations/"+id+"/report", "hr", "").want(t, http.StatusOK).into(t, &report)
	if report.Chosen != 2 || report.Tested != 1 || len(report.Trials) != 3 || report.Better || report.Configuration != "" || len(report.TopKTries) != 3 {
		t.Errorf("got %+v", report)
	}
	if lines := c.send("GET", "/api/evaluations/"+id+"/results", "hr", "").body; strings.Count(lines, "\n") != 3 || !strings.Contains(lines, `"mode":"lexical"`) {
		t.Errorf("results %s", lines)
	}
}

func TestMeasurementsThatCannotBe(t *testing.T) {
	c := open(t, nil)
	with := func(kind, more string) string {
		return strings.Replace(threeQuestionsAlone, "{", `{"kind":"`+kind+`",`+more, 1)
	}
	for body, want := range map[string]string{
		with("speed", ""): "kind", with("retrieval", `"models":["parrot"],`): "models means nothing", with("retrieval", `"top_ks":[1],`): "top_ks means nothing",
		with("retrieval", `"max_cost_usd":0,`): "max_cost_usd means nothing", with("tuning", `"mode":"dense",`): "mode means nothing", with("evaluation", `"modes":["dense"],`): "modes means nothing",
		with("tuning", `"modes":[],`): "modes", with("tuning", `"modes":["best"],`): "modes", with("tuning", `"weights":[0],`): "weights", with("tuning", `"top_ks":[0],`): "top_ks",
		`{"kind":"retrieval","questions":[{"id":"a","question":"Why?"}]}`:                                                      "no question has evidence",
		`{"kind":"tuning","questions":[{"id":"a","question":"Why?","evidence":[{"document":"a.md"}]}]}`:                        "in 1 documents",
		`{"kind":"retrieval","questions":[{"id":"a","question":"Why?","draft":true,"evidence":[{"document":"a.md"}]}]}`:        "drafts",
		`{"kind":"retrieval","collection":"beta","questions":[{"id":"a","question":"Why?","evidence":[{"document":"a.md"}]}]}`: "beta",
	} {
		if r := c.send("POST", "/api/evaluations", "writer", body); r.status/100 != 4 || !strings.Contains(r.body, want) {
			t.Errorf("%s: status %d: %s", body, r.status, r.body)
		}
	}
}

func TestADatasetIsChecked(t *testing.T) {
	c := open(t, nil)
	body := `{"questions":[
		{"id":"q1","question":"How many days?","answers":["27"],"evidence":[{"document":"leave.md","page":1,"quote":"27 days of  leave"}]},
		{"id":"q2","question":"How many days?","answers":["27"],"evidence":[{"document":"leave.md","page":2,"quote":"27 days of leave"}]},
		{"id":"q3","question":"What is paid?","answers":["70000"],"evidence":[{"document":"salaries.md","page":1}]},
		{"id":"q4","question":"And who?","evidence":[{"document":"leave.md","page":7}]}]}`
	for key, want := range map[string]string{
		"writer": "q2 missing-quote q2 duplicate q3 missing-document q4 missing-page q4 no-answers",
		"hr":     "q2 missing-quote q2 duplicate q4 missing-page q4 no-answers", // may see the salaries
	} {
		var checked struct {
			Questions int
			Findings  []dataset.Finding
		}
		c.send("POST", "/api/datasets/check", key, body).want(t, http.StatusOK).into(t, &checked)
		var got []string
		for _, f := range checked.Findings {
			got = append(got, f.Question+" "+f.Kind)
		}
		if strings.Join(got, " ") != want || checked.Questions != 4 {
			t.Errorf("%s: got %+v", key, checked)
		}
	}
	c.send("POST", "/api/datasets/check", "reader", `{"questions":[{"id":"a","question":"Why?","answers":["so"],"evidence":[{"document":"leave.md"}]}]}`).want(t, http.StatusOK)
	for body, status := range map[string]int{`{"questions":[]}`: 400, `{"questions":[{"id":"a"}]}`: 400, `{"questions":[{"id":"a","question":"Why?","colour":1}]}`: 400, `{"collection":"beta","questions":[{"id":"a","question":"Why?"}]}`: 404} {
		c.send("POST", "/api/datasets/check", "writer", body).want(t, status)
	}
}
