package api

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"grounded/corpus"
)

// valid are requests of every operation that succeed, by the name of the operation.
func valid(c *company) map[string][]string {
	evaluation := c.evaluated("admin", threeQuestions)
	return map[string][]string{
		"health":   {"/healthz"},
		"ready":    {"/readyz"},
		"contract": {"/openapi.json"},
		"docs":     {"/docs"},
		"metrics":  {"/metrics"},
		"createChatCompletion": {"/v1/chat/completions",
			`{"model":"parrot","messages":[{"role":"user","content":"How many days of leave?"}]}`,
			`{"model":"parrot+rag","messages":[{"role":"user","content":"How many days of leave a year?"}]}`,
			`{"model":"parrot+rag","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"How many days of leave a year?"}]}`,
			`{"model":"parrot","stream":true,"messages":[{"role":"user","content":"How many days of leave a year?"}]}`},
		"createCompletion": {"/v1/completions", `{"model":"parrot+rag","prompt":["How many days of leave a year?"]}`, `{"model":"parrot","prompt":"user: hi\nassistant: "}`,
			`{"model":"parrot+rag","prompt":"How many days of leave a year?","stream":true,"stream_options":{"include_usage":true}}`},
		"createResponse": {"/v1/responses", `{"model":"parrot+rag","input":"How many days of leave a year?"}`, `{"model":"parrot","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]}`,
			`{"model":"parrot+rag","stream":true,"input":"How many days of leave a year?"}`},
		"difyRetrieval": {"/retrieval", `{"query":"days of leave","knowledge_id":"alpha","retrieval_setting":{"top_k":null,"score_threshold":0.0}}`},
		"retrieve":      {"/api/retrieve", `{"question":"days of leave"}`, `{"question":"days of leave","mode":"lexical","top_k":1,"filter":{"department":"hr"},"collection":"beta"}`},
		"answer": {"/api/answer", `{"question":"How many days of leave a year?"}`, `{"question":"How many?","arm":"plain"}`, `{"question":"Who?","arm":"few-shot"}`,
			`{"question":"How many days of leave a year?","stream":true}`},
		"compare":          {"/api/compare", `{"question":"How many days of leave a year?","models":["parrot","failing"]}`, `{"question":"How many days of leave a year?","stream":true}`},
		"catalog":          {"/api/models?task=chat"},
		"card":             {"/api/models/org%2Fm:8b@x"},
		"listCollections":  {"/api/collections"},
		"createCollection": {"/api/collections", `{"name":"gamma"}`},
		"getCollection":    {"/api/collections/alpha"},
		"deleteCollection": {"/api/collections/drop?confirm=drop"},
		"listDocuments":    {"/api/collections/alpha/documents?limit=2&filter=" + url.QueryEscape(`{"department":"hr"}`)},
		"listQuarantined":  {"/api/collections/alpha/quarantined"},
		"uploadDocuments":  {"/api/collections/alpha/documents", form("groups", "hr", "metadata", `{"department":"hr"}`, "leave.md", "27 days", "员工手册.md", "年假"), form("a.pdf", "%PDF"), `{"urls":["https://example.com/leave.pdf"],"groups":["hr"],"metadata":{"department":"hr"}}`},
		"listJobs":         {"/api/jobs?limit=2&status=cancelled&collection=alpha"},
		"getJob":           {"/api/jobs/" + c.job("alpha", "admin")},
		"watchJob":         {"/api/jobs/" + c.cancelled("alpha", "admin") + "/events"},
		"cancelJob":        {"/api/jobs/" + c.job("alpha", "admin") + "/cancel"},
		"startEvaluation":  {"/api/evaluations", threeQuestions, retrievalOfThree, tuningOfThree, strings.Replace(threeQuestions, "{", `{"models":["parrot"],"arms":["plain","oracle","few-shot"],"max_cost_usd":1,`, 1)},
		"listEvaluations":  {"/api/evaluations?limit=2&status=done&collection=alpha"},
		"getEvaluation":    {"/api/evaluations/" + evaluation},
		"watchEvaluation":  {"/api/evaluations/" + evaluation + "/events"},
		"getResults":       {"/api/evaluations/" + evaluation + "/results"},
		"getReport":        {"/api/evaluations/" + evaluation + "/report?effect=0.2"},
		"judgeEvaluation":  {"/api/evaluations/" + evaluation + "/judge", `{"judge":"fair"}`, `{"judge":"fair","pairs":[],"max_cost_usd":1,"retry_errors":true}`},
		"getJudgements":    {"/api/evaluations/" + c.judged("admin", c.evaluated("admin", threeQuestions), "fair") + "/judgements"},
		"getReportWith":    {"/api/evaluations/" + evaluation + "/report", `{"labels":[{"id":"q1","model":"parrot","arm":"grounded","sentence":"A.","supported":false}]}`, `{"format":"markdown","labels":[{"id":"q1","model":"parrot","arm":"grounded","than_arm":"plain","verdict":"better"}]}`},
		"checkDataset":     {"/api/datasets/check", threeQuestionsAlone, `{"collection":"beta","questions":[{"id":"q","question":"Why?","evidence":[{"document":"plans.md","page":7}]}]}`},
		"getGate":          {"/api/evaluations/" + evaluation + "/gate?max_drop=0.1&baseline=" + c.evaluated("admin", threeQuestions)},
		"deleteEvaluation": {"/api/evaluations/" + c.evaluated("admin", threeQuestions)},
		"deleteDocuments":  {"/api/collections/doomed/documents/delete", `{"prefix":"b","confirm":1}`},
		"getDocument":      {"/api/collections/alpha/documents/" + id("alpha", "leave.md")},
		"deleteDocument":   {"/api/collections/doomed/documents/" + id("doomed", "a.md")},
		"getPages":         {"/api/collections/alpha/documents/" + id("alpha", "leave.md") + "/pages?first=2"},
		"getChunks":        {"/api/collections/alpha/documents/" + id("alpha", "leave.md") + "/chunks?first=0&last=0"},
		"getChunk":         {"/api/collections/alpha/chunks/" + c.chunk("alpha", "leave.md")},
		"listModels":       {"/v1/models"},
		"getModel":         {"/v1/models/parrot+rag"},
		"createEmbedding":  {"/v1/embeddings", `{"model":"words","input":"leave"}`, `{"model":"words","input":["leave","form"],"encoding_format":"base64"}`},
	}
}

// TestEveryResponseIsAsTheContractSays drives each operation, well and badly.
func TestEveryResponseIsAsTheContractSays(t *testing.T) {
	c := open(t, func(config *Config) { config.Evaluations = t.TempDir() })
	for _, name := range []string{"drop", "doomed"} {
		if err := c.store.CreateCollection(t.Context(), corpus.Collection{Name: name, Embedding: embeddingOfWords}); err != nil {
			t.Fatal(err)
		}
	}
	c.add("doomed", "a.md", nil, "a")
	c.add("doomed", "b.md", nil, "b")
	requests := valid(c)
	for path, item := range c.server.spec.document.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(operation.OperationID, func(t *testing.T) {
				request, ok := requests[operation.OperationID]
				if !ok {
					t.Fatalf("no test sends %s %s", method, path)
				}
				bodies := request[1:]
				if len(bodies) == 0 {
					bodies = []string{""}
				}
				for _, body := range bodies {
					r := c.send(method, request[0], "admin", body)
					if r.status >= 300 {
						t.Errorf("%s %s %s: status %d: %s", method, request[0], body, r.status, r.body)
					}
					checkResponse(t, c.server.spec.document, operation, r)
				}
				if operation.RequestBody != nil {
					for _, bad := range []string{`{`, `[]`, `{"messages":7,"input":7,"question":7,"name":7,"query":7,"prompt":{},"confirm":7}`, `null`} {
						r := c.send(method, request[0], "admin", bad)
						if r.status/100 != 4 {
							t.Errorf("%s: status %d: %s", bad, r.status, r.body)
						}
						checkResponse(t, c.server.spec.document, operation, r)
					}
				}
				if operation.Security == nil {
					for _, key := range []string{"", "gk-wrong", "old"} {
						r := c.send(method, request[0], key, bodies[0])
						if want := unauthorizedStatus(path); r.status != want {
							t.Errorf("with key %q: status %d, want %d: %s", key, r.status, want, r.body)
						}
						checkResponse(t, c.server.spec.document, operation, r)
					}
				}
			})
		}
	}
}

// unauthorizedStatus is 401, but Dify tells a wrong key to its user only when it is 403.
func unauthorizedStatus(path string) int {
	if path == "/retrieval" {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// TestEveryRouteIsInTheContract fails when either has what the other has not.
func TestEveryRouteIsInTheContract(t *testing.T) {
	c := open(t, nil)
	var routes, operations []string
	for _, r := range c.server.routes() {
		routes = append(routes, r.method+" "+r.path)
	}
	for path, item := range c.server.spec.document.Paths.Map() {
		for method := range item.Operations() {
			operations = append(operations, method+" "+path)
		}
	}
	slices.Sort(routes)
	slices.Sort(operations)
	if !slices.Equal(routes, operations) {
		t.Errorf("routes\n%s\ncontract\n%s", strings.Join(routes, "\n"), strings.Join(operations, "\n"))
	}
	if err := c.server.spec.document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// checkResponse checks a reply against what the contract says of its status and type. Events are checked one by one.
func checkResponse(t *testing.T, document *openapi3.T, operation *openapi3.Operation, r reply) {
	t.Helper()
	response := operation.Responses.Status(r.status)
	if response == nil {
		response = operation.Responses.Default()
	}
	kind, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if r.status == http.StatusNoContent {
		return
	}
	media := response.Value.Content[kind]
	if err != nil || media == nil {
		t.Errorf("status %d has type %q, which the contract does not know", r.status, r.header.Get("Content-Type"))
		return
	}
	if strings.HasSuffix(kind, "json") {
		checkValue(t, media.Schema.Value, r.body)
	}
	if kind != "text/event-stream" {
		return
	}
	chunk := document.Components.Schemas["ChatChunk"].Value
	for _, line := range strings.Split(r.body, "\n") {
		if event, ok := strings.CutPrefix(line, "data: "); ok && event != "[DONE]" && operation.OperationID == "createChatCompletion" {
			checkValue(t, chunk, event)
		}
	}
}

func checkValue(t *testing.T, schema *openapi3.Schema, text string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Errorf("%v: %s", err, text)
		return
	}
	if err := schema.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.MultiErrors()); err != nil {
		t.Errorf("against the contract: %v\n%s", err, text)
	}
}
