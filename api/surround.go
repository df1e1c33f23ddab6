package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"grounded/telemetry"
)

const (
	requestIDHeader = "X-Request-Id"
	callerKey       = "caller"
	routeKey        = "route"
)

var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// surround gives each request an id and a line in the log, which has no text of questions or documents, and turns a
// panic into an error.
func (s *Server) surround(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		began := time.Now()
		r, observed := s.config.Telemetry.StartRequest(c.Request())
		c.SetRequest(r)
		response := c.Response()
		id := r.Header.Get(requestIDHeader)
		if !requestID.MatchString(id) {
			id = newID("req_")
		}
		h := response.Header()
		h.Set(requestIDHeader, id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		var cause error
		func() {
			defer func() {
				if p := recover(); p != nil {
					cause = fmt.Errorf("panic: %v", p)
					s.config.Log.Error("panic", "request_id", id, "error", cause, "stack", string(debug.Stack()))
				}
			}()
			cause = next(c)
		}()
		var framework *echo.HTTPError
		if errors.As(cause, &framework) {
			cause = s.noRoute(framework, c)
		}
		if cause != nil {
			c.Error(cause)
		}
		result := resultOf(c, id, cause)
		s.log(c, result, observed.Trace(), time.Since(began), cause)
		observed.End(result)
		return nil
	}
}

// resultOf is how a request was answered.
func resultOf(c echo.Context, id string, cause error) telemetry.HTTPResult {
	route, _ := c.Get(routeKey).(string)
	r := telemetry.HTTPResult{Route: route, Status: c.Response().Status, ID: id}
	if cause != nil && !errors.Is(cause, errGone) {
		r.Code = faultOf(cause).code
	}
	return r
}

func (s *Server) log(c echo.Context, r telemetry.HTTPResult, trace string, took time.Duration, cause error) {
	level := slog.LevelInfo
	attributes := []any{
		"request_id", r.ID, "method", c.Request().Method, "route", c.Path(), "status", r.Status,
		"bytes", c.Response().Size, "ms", float64(took.Microseconds()) / 1000, "caller", c.Get(callerKey),
	}
	if trace != "" {
		attributes = append(attributes, "trace_id", trace)
	}
	if cause != nil && !errors.Is(cause, errGone) {
		f := faultOf(cause)
		attributes = append(attributes, "code", f.code)
		if f.status >= http.StatusInternalServerError {
			level = slog.LevelError
			attributes = append(attributes, "error", cause.Error())
		}
	}
	s.config.Log.Log(c.Request().Context(), level, "request", attributes...)
}

// fail tells an error in the form of the route: OpenAI's under /v1, RFC 9457's elsewhere, Dify's where Dify asks. On a
// stream that has begun its writer has told it.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if errors.Is(err, errGone) {
		// It may have closed its half of the connection only; without this it would be told 200.
		c.Response().Header().Set("Connection", "close")
		c.Response().WriteHeader(telemetry.StatusClientGone)
		return
	}
	f := faultOf(err)
	if f.cause != nil && len(*s.keys.Load()) == 0 && !strings.Contains(f.message, f.cause.Error()) { // whoever asks owns the server
		shown := *f
		shown.message += ": " + sentence(f.cause)
		f = &shown
	}
	h := c.Response().Header()
	if f.after > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int((f.after+time.Second-1)/time.Second))))
	}
	if f.status >= http.StatusInternalServerError || f.status == http.StatusConflict || f.status == http.StatusTooManyRequests {
		h.Set("X-Should-Retry", strconv.FormatBool(f.again)) // else the SDKs ask twice more
	}
	path := c.Request().URL.Path
	switch {
	case path == "/retrieval":
		status, body := f.dify()
		_ = writeJSON(c.Response(), status, "application/json", body)
	case strings.HasPrefix(path, "/v1/"):
		if f.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", "Bearer")
		}
		_ = writeJSON(c.Response(), f.status, "application/json", f.openAI())
	default:
		if f.status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", "Bearer")
		}
		_ = writeJSON(c.Response(), f.status, "application/problem+json", f.problem(h.Get(requestIDHeader)))
	}
}

// noRoute says which setting of a client helps.
func (s *Server) noRoute(e *echo.HTTPError, c echo.Context) *fault {
	r := c.Request()
	f := &fault{status: e.Code, kind: "invalid_request_error", code: "not_found"}
	switch {
	case e.Code == http.StatusMethodNotAllowed:
		f.code, f.message = "method_not_allowed", r.Method+" is not for this path; it takes "+c.Response().Header().Get("Allow")
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		f.message = "there is no " + quoted(r.Method+" "+r.URL.Path) + "; a client of OpenAI's chat completions uses this server with the base URL http://HOST/v1"
	case r.URL.Path == "/chat/completions" || r.URL.Path == "/embeddings" || r.URL.Path == "/models" || r.URL.Path == "/responses":
		f.message = "there is no " + quoted(r.URL.Path) + "; add /v1 to the base URL of the client"
	default:
		f.message = "there is no " + quoted(r.Method+" "+r.URL.Path) + "; GET /docs shows what there is"
	}
	return f
}

// allowedHeaders are what the SDKs send; a star would not cover authorization.
var allowedHeaders = strings.Join([]string{
	"authorization", "api-key", "content-type", "accept", "idempotency-key", "grounded-groups", "x-request-id", "openai-organization", "openai-project", "openai-beta",
	"x-stainless-lang", "x-stainless-package-version", "x-stainless-os", "x-stainless-arch", "x-stainless-runtime", "x-stainless-runtime-version",
	"x-stainless-async", "x-stainless-raw-response", "x-stainless-helper-method", "x-stainless-retry-count", "x-stainless-read-timeout", "x-stainless-timeout",
	"x-stainless-poll-helper", "x-stainless-custom-poll-interval",
}, ", ")

// crossOrigin lets web pages of the configured origins call.
func (s *Server) crossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, h := c.Request(), c.Response().Header()
		origin := r.Header.Get("Origin")
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		if origin == "" || !(slices.Contains(s.config.Origins, "*") || slices.Contains(s.config.Origins, origin)) {
			if preflight {
				return &fault{status: http.StatusForbidden, kind: "permission_error", code: "origin_not_allowed",
					message: "web pages of this origin may not call; add it to serve.cors_origins"}
			}
			return next(c)
		}
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", strings.Join(append([]string{requestIDHeader, modelHeader, "Retry-After"}, rateHeaders...), ", "))
		if preflight {
			h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			h.Set("Access-Control-Allow-Headers", allowedHeaders)
			h.Set("Access-Control-Max-Age", "600")
			return c.NoContent(http.StatusNoContent)
		}
		return next(c)
	}
}
