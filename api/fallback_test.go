package api

import (
	"net/http"
	"strings"
	"testing"

	"grounded/corpus"
)

func TestAFallbackAnswersForAModelThatIsDown(t *testing.T) {
	c := open(t, nil)
	for _, test := range []struct {
		name, path, body string
		model            string // as the answer names it
	}{
		{"plain", "/v1/chat/completions", `{"model":"backed",` + leaveQuestion + `}`, "parrot"},
		{"plain, streamed", "/v1/chat/completions", `{"model":"backed","stream":true,` + leaveQuestion + `}`, "parrot"},
		{"silent stream", "/v1/chat/completions", `{"model":"backed-mute","stream":true,` + leaveQuestion + `}`, "parrot"},
		{"grounded", "/v1/chat/completions", `{"model":"backed+rag",` + leaveQuestion + `}`, "parrot+rag"},
		{"grounded, streamed", "/v1/chat/completions", `{"model":"backed-mute+rag","stream":true,` + leaveQuestion + `}`, "parrot+rag"},
		{"completion", "/v1/completions", `{"model":"backed","prompt":"How many days of leave?"}`, "parrot"},
		{"completion, streamed", "/v1/completions", `{"model":"backed+rag","stream":true,"prompt":"How many days of leave a year?"}`, "parrot+rag"},
		{"response", "/v1/responses", `{"model":"backed+rag","input":"How many days of leave a year?"}`, "parrot+rag"},
		{"response, streamed", "/v1/responses", `{"model":"backed","stream":true,"input":"How many days of leave?"}`, "parrot"},
		{"after another protocol", "/v1/chat/completions", `{"model":"backed-twice",` + leaveQuestion + `}`, "parrot"},
		{"native", "/api/answer", `{"model":"backed","question":"How many days of leave a year?"}`, "parrot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.send("POST", test.path, "reader", test.body).want(t, http.StatusOK)
			if !strings.Contains(r.body, `"model":"`+test.model+`"`) || strings.Contains(r.body, "backed") || strings.Contains(r.body, `"error":{`) {
				t.Errorf("got %s", r.body)
			}
			if got := r.header.Get(modelHeader); got != "parrot" {
				t.Errorf("%s is %q", modelHeader, got)
			}
		})
	}
	if log := c.log.text(); !strings.Contains(log, `"msg":"fallback","model":"backed","fallback":"parrot"`) {
		t.Errorf("the log has nothing of it: %s", log)
	}
}

func TestTheModelThatAnsweredIsPaidFor(t *testing.T) {
	c := open(t, nil)
	var a corpus.Answer
	c.send("POST", "/api/answer", "reader", `{"model":"backed","arm":"plain","question":"How many days of leave?"}`).want(t, http.StatusOK).into(t, &a)
	if want := (100*1 + 10*2) / 1e6; a.CostUSD == nil || *a.CostUSD < want*.99 || *a.CostUSD > want*1.01 {
		t.Errorf("cost is %v, want %v", a.CostUSD, want)
	}
}

func TestAFallbackDoesNotAnswerWhereItShouldNot(t *testing.T) {
	c := open(t, nil)
	for _, test := range []struct {
		name, path, body string
		status           int
		want, not        string
	}{
		{"a key that is refused", "/v1/chat/completions", `{"model":"backed-forbidden",` + leaveQuestion + `}`, http.StatusBadGateway, "upstream_forbidden", ""},
		{"after the first token", "/v1/chat/completions", `{"model":"backed-cut","stream":true,` + leaveQuestion + `}`, http.StatusOK, "upstream_unavailable", "parrot"},
		{"after the first token of a grounded answer", "/v1/chat/completions", `{"model":"backed-cut+rag","stream":true,` + leaveQuestion + `}`, http.StatusOK, "upstream_unavailable", "parrot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.send("POST", test.path, "reader", test.body).want(t, test.status)
			if !strings.Contains(r.body, test.want) || test.not != "" && strings.Contains(r.body, test.not) {
				t.Errorf("got %s", r.body)
			}
		})
	}
	// Models that are compared answer for themselves.
	r := c.send("POST", "/api/compare", "reader", `{"models":["backed"],"arms":["plain"],"question":"How many days of leave?"}`).want(t, http.StatusOK)
	if !strings.Contains(r.body, `"model":"backed"`) || strings.Contains(r.body, "parrot") {
		t.Errorf("got %s", r.body)
	}
}

func TestAModelThatIsDownIsNotWaitedForByEachRequest(t *testing.T) {
	c := open(t, nil)
	body := `{"model":"failing",` + leaveQuestion + `}`
	for range 3 { // of two attempts each
		c.send("POST", "/v1/chat/completions", "reader", body).want(t, http.StatusServiceUnavailable)
	}
	asked := c.models.count()
	if asked != 5 {
		t.Errorf("the model was asked %d times, want 5", asked)
	}
	r := c.send("POST", "/v1/chat/completions", "reader", body).want(t, http.StatusServiceUnavailable)
	if r.header.Get("Retry-After") != "15" || c.models.count() != asked {
		t.Errorf("got %v after %d requests", r.header, c.models.count())
	}
	c.send("POST", "/v1/chat/completions", "reader", `{"model":"parrot",`+leaveQuestion+`}`).want(t, http.StatusOK)
}
