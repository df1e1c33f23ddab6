package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"grounded/corpus"
)

// call is one request on its way through a handler.
type call struct {
	echo   echo.Context
	ctx    context.Context
	caller caller
	body   []byte // whole, and valid by the contract; nil without one, or when it is read by the handler

	settle func(used int) // the tokens that were reserved; nil for none
	used   *int           // tokens of models and embedders; nil when nothing is known of them
}

// route is one operation of the contract.
type route struct {
	method, path string // as in openapi.yaml
	scope        Scope  // that is needed; empty for none
	costs        bool   // counts against the limits of a key
	handle       func(*call) error
}

// routes is all that the server answers.
func (s *Server) routes() []route {
	return []route{
		{"GET", "/healthz", "", false, s.healthz},
		{"GET", "/readyz", "", false, s.readyz},
		{"GET", "/openapi.json", "", false, s.openapi},
		{"GET", "/docs", "", false, s.showDocs},
		{"GET", "/metrics", ScopeAdmin, false, s.showMetrics},

		{"POST", "/v1/chat/completions", ScopeRead, true, s.chatCompletions},
		{"POST", "/v1/completions", ScopeRead, true, s.completions},
		{"POST", "/v1/responses", ScopeRead, true, s.responses},
		{"GET", "/v1/models", ScopeRead, false, s.listModels},
		{"GET", "/v1/models/{id}", ScopeRead, false, s.getModel},
		{"POST", "/v1/embeddings", ScopeRead, true, s.embeddings},

		{"POST", "/retrieval", ScopeRead, true, s.dify},

		{"POST", "/api/retrieve", ScopeRead, true, s.retrieve},
		{"POST", "/api/answer", ScopeRead, true, s.answerQuestion},
		{"POST", "/api/compare", ScopeRead, true, s.compare},
		{"GET", "/api/models", ScopeRead, false, s.listCatalog},
		{"GET", "/api/models/{id}", ScopeRead, false, s.getCard},
		{"GET", "/api/collections", ScopeRead, false, s.listCollections},
		{"POST", "/api/collections", ScopeAdmin, false, s.createCollection},
		{"GET", "/api/collections/{collection}", ScopeRead, false, s.getCollection},
		{"DELETE", "/api/collections/{collection}", ScopeAdmin, false, s.deleteCollection},
		{"GET", "/api/collections/{collection}/quarantined", ScopeAdmin, false, s.listQuarantined},
		{"GET", "/api/collections/{collection}/documents", ScopeRead, false, s.listDocuments},
		{"POST", "/api/collections/{collection}/documents", ScopeWrite, true, s.uploadDocuments},
		{"POST", "/api/collections/{collection}/documents/delete", ScopeWrite, false, s.deleteByFilter},
		{"GET", "/api/collections/{collection}/documents/{id}", ScopeRead, false, s.getDocument},
		{"DELETE", "/api/collections/{collection}/documents/{id}", ScopeWrite, false, s.deleteDocument},
		{"GET", "/api/collections/{collection}/documents/{id}/pages", ScopeRead, false, s.getPages},
		{"GET", "/api/collections/{collection}/documents/{id}/chunks", ScopeRead, false, s.getChunks},
		{"GET", "/api/collections/{collection}/chunks/{id}", ScopeRead, false, s.getChunk},
		{"GET", "/api/jobs", ScopeRead, false, s.listJobs},
		{"GET", "/api/jobs/{id}", ScopeRead, false, s.getJob},
		{"GET", "/api/jobs/{id}/events", ScopeRead, false, s.jobEvents},
		{"POST", "/api/jobs/{id}/cancel", ScopeWrite, false, s.cancelJob},
		{"GET", "/api/evaluations", ScopeRead, false, s.listEvaluations},
		{"POST", "/api/evaluations", ScopeWrite, true, s.startEvaluation},
		{"GET", "/api/evaluations/{id}", ScopeRead, false, s.getEvaluation},
		{"DELETE", "/api/evaluations/{id}", ScopeWrite, false, s.deleteEvaluation},
		{"GET", "/api/evaluations/{id}/events", ScopeRead, false, s.evaluationEvents},
		{"GET", "/api/evaluations/{id}/results", ScopeRead, false, s.evaluationResults},
		{"POST", "/api/evaluations/{id}/judge", ScopeWrite, true, s.judgeEvaluation},
		{"GET", "/api/evaluations/{id}/judgements", ScopeRead, false, s.evaluationJudgements},
		{"GET", "/api/evaluations/{id}/report", ScopeRead, true, s.evaluationReport},
		{"POST", "/api/evaluations/{id}/report", ScopeRead, true, s.evaluationReportWith},
		{"GET", "/api/evaluations/{id}/gate", ScopeRead, true, s.evaluationGate},
		{"POST", "/api/datasets/check", ScopeRead, true, s.checkDataset},
	}
}

// echoPath is a path of the contract as the router has it. An id of a model may have slashes.
func echoPath(path string) string {
	if strings.HasSuffix(path, "/models/{id}") {
		return strings.TrimSuffix(path, "{id}") + "*"
	}
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// router wires routes and what surrounds them.
func (s *Server) router() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Use(s.surround, s.crossOrigin)
	for _, r := range s.routes() {
		e.Add(r.method, echoPath(r.path), s.handler(r))
		if r.scope == "" { // what load balancers ask
			e.HEAD(echoPath(r.path), s.handler(r))
		}
	}
	return e
}

// handler does for a route what all have in common: who asks, how often, and whether the request is valid.
func (s *Server) handler(r route) echo.HandlerFunc {
	operation := s.spec.operation(r.method, r.path)
	return func(c echo.Context) error {
		ctx, stop := context.WithTimeout(c.Request().Context(), s.config.Timeout)
		defer stop()
		c.Set(routeKey, r.path)
		k := &call{echo: c, ctx: ctx}
		if r.scope != "" {
			if err := s.admit(k, r); err != nil {
				return err
			}
			if r.costs {
				done, err := s.limiter.enter(ctx, k.caller.name, c.Response().Header())
				if err != nil {
					return err
				}
				defer done()
			}
		}
		var err error
		if k.body, err = s.read(c, operation); err != nil {
			return err
		}
		if err := operation.checkParameters(k); err != nil {
			return err
		}
		err = r.handle(k)
		k.settleTokens(err)
		return err
	}
}

// admit finds out who asks and whether they may.
func (s *Server) admit(k *call, r route) error {
	keys, request := *s.keys.Load(), k.echo.Request()
	if len(keys) == 0 && !ownHost(request.Host) {
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "forbidden",
			message: "a server without keys answers only under this machine's own names; call it as 127.0.0.1 or localhost"}
	}
	if len(keys) == 0 && s.foreignPage(request) {
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "origin_not_allowed",
			message: "web pages of this origin may not call a server without keys; add it to serve.cors_origins"}
	}
	var err error
	if k.caller, err = authenticate(keys, request, s.config.Now()); err != nil {
		return err
	}
	k.echo.Set(callerKey, k.caller.name)
	if !k.caller.scope.includes(r.scope) {
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "forbidden",
			message: fmt.Sprintf("this key has the scope %s; this needs %s", k.caller.scope, r.scope)}
	}
	return nil
}

// ownHost keeps web pages of foreign names that lead to this machine from a server that asks for no key.
func ownHost(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	return isLoopback(name)
}

// foreignPage reports whether a web page sent the request that may not call. Browsers keep only the answer from it: an upload
// of a form would have been taken, where there is no key that a page does not know.
func (s *Server) foreignPage(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.config.Origins, "*") || slices.Contains(s.config.Origins, origin) {
		return false
	}
	page, err := url.Parse(origin)
	return err != nil || page.Host != r.Host
}

// read reads the whole body, before anything else is asked, and checks it against the contract.
func (s *Server) read(c echo.Context, o *operation) ([]byte, error) {
	r := c.Request()
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isJSON := err == nil && kind == "application/json"
	if o.body == nil || o.multipart && !isJSON {
		return nil, nil
	}
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(bodyTimeout))
	if r.ContentLength > s.config.MaxBody {
		return nil, tooLarge(s.config.MaxBody)
	}
	buffer := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength+bytes.MinRead, bytes.MinRead)))
	_, err = buffer.ReadFrom(io.LimitReader(r.Body, s.config.MaxBody+1))
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Time{})
	switch {
	case int64(buffer.Len()) > s.config.MaxBody:
		return nil, tooLarge(s.config.MaxBody)
	case err != nil:
		return nil, &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: "invalid", message: "the request's body broke off", cause: err}
	}
	body := bytes.TrimSpace(buffer.Bytes())
	if len(body) == 0 {
		if o.bodyRequired {
			return nil, invalid("", "the request has no body; send a JSON object")
		}
		return nil, nil
	}
	if !isJSON {
		return nil, &fault{status: http.StatusUnsupportedMediaType, kind: "invalid_request_error", code: "unsupported_media_type",
			message: "send the header Content-Type: application/json"}
	}
	if !utf8.Valid(body) {
		return nil, invalid("", "the request is not UTF-8; send JSON in UTF-8")
	}
	return body, o.checkBody(body)
}

// bodyTimeout is how long a client may take to send a body.
const bodyTimeout = time.Minute

func tooLarge(limit int64) error {
	return &fault{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "too_large",
		message: fmt.Sprintf("the request is over %d bytes; send less, or raise serve.max_body_mb", limit)}
}

// decode reads the body, which the contract allows. Names that it does not know are ignored.
func (k *call) decode(into any) error {
	if len(k.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(k.body, into); err != nil {
		var told *fault
		if errors.As(err, &told) || errors.Is(err, corpus.ErrInvalid) {
			return err
		}
		return invalid("", "the request cannot be read: %s", err)
	}
	return nil
}

// param is an element of the path. What was escaped is a path's, so a plus is a plus.
func (k *call) param(name string) string {
	value := k.echo.Param(name)
	if k.echo.Request().URL.RawPath == "" {
		return value
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// json answers 200.
func (k *call) json(v any) error {
	return writeJSON(k.echo.Response(), http.StatusOK, "application/json", v)
}

// writeJSON writes a value without HTML's escapes.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, err := w.Write(buffer.Bytes())
	if err != nil {
		return errGone
	}
	return nil
}

// errGone ends a request whose client has gone. Nobody is told.
var errGone = fmt.Errorf("the client has gone: %w", context.Canceled)

// collection resolves the name of a collection for a caller, empty for its default. One that the caller may not see
// is not there.
func (s *Server) collection(k *call, name string) (corpus.Scope, error) {
	if name == "" {
		name = s.config.Collection
		if !k.caller.sees(name) {
			if len(k.caller.collections) != 1 {
				return corpus.Scope{}, invalid("collection", "name a collection; this key has several")
			}
			name = k.caller.collections[0]
		}
	}
	if !k.caller.sees(name) || corpus.CheckCollectionName(name) != nil {
		return corpus.Scope{}, noCollection(name)
	}
	return corpus.Scope{Collection: name, Access: k.caller.access}, nil
}

func noCollection(name string) error {
	return &fault{status: http.StatusNotFound, kind: "invalid_request_error", code: "not_found", param: "collection",
		message: "there is no collection " + quoted(name)}
}

// quoted is a name that a client sent, short enough to send back.
func quoted(name string) string {
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
