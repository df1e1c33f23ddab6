package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequests sends anything as the body, the path's name and the query of every route: the answer is in the contract
// and is never a fault of the server.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"model":"parrot+rag","messages":[{"role":"user","content":"x"}],"stream":true}`,
		`{"model":"parrot","prompt":"x","n":2}`, `{"model":"parrot+rag","input":[{"type":"function_call","role":"user","content":null}]}`,
		`{"query":"x","metadata_condition":{"conditions":[{"name":"a","comparison_operator":"is","value":null}]}}`,
		`{"question":"x","filter":{"a":{"gte":[1]}},"mode":"dense","history":[{"role":"tool"}]}`, `{"input":[[1,99999999999]],"model":"words"}`,
		`{"name":"../x","embedding_model":"words"}`, `{"messages":[{"role":"user","content":[{"type":"text","text":null}]}],"seed":1e400}`, "\x00\xff", `{"question":"\ud800"}`,
	} {
		f.Add([]byte(seed), "alpha", "limit=-1&filter=%7B&cursor=x&first=0")
	}
	f.Add([]byte("{}"), "..%2F..", "confirm=%00&task=\xff")
	c := open(f, nil)
	f.Fuzz(func(t *testing.T, body []byte, name, query string) {
		for _, r := range c.server.routes() {
			path := strings.NewReplacer("{collection}", url.PathEscape(name), "{id}", url.PathEscape(name)).Replace(r.path)
			request, err := http.NewRequestWithContext(t.Context(), r.method, "http://127.0.0.1"+path+"?"+query, bytes.NewReader(body))
			if err != nil {
				continue
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+c.secret["tenant"])
			recorder := httptest.NewRecorder()
			c.server.ServeHTTP(recorder, request)
			if recorder.Code >= 500 {
				t.Errorf("%s %s %q: status %d: %s", r.method, path, body, recorder.Code, recorder.Body)
			}
			kind := recorder.Header().Get("Content-Type")
			if kind != "text/event-stream; charset=utf-8" && !(r.path == "/docs" && kind == "text/html; charset=utf-8") && !json.Valid(recorder.Body.Bytes()) {
				t.Errorf("%s %s %q: no JSON: %s", r.method, path, body, recorder.Body)
			}
		}
	})
}
