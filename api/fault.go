package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"grounded/corpus"
	"grounded/model"
	"grounded/wire"
)

// fault is an error as it is told to a client.
type fault struct {
	status  int
	kind    string // OpenAI's type
	code    string // stable word for programs
	message string // a sentence, with what to do
	param   string // field that is wrong, if it is one
	after   time.Duration
	again   bool // whether the same request may succeed when it is sent again
	cause   error
}

func (f *fault) Error() string {
	if f.cause != nil {
		return f.cause.Error()
	}
	return f.message
}

func (f *fault) Unwrap() error { return f.cause }

// upstreamError is an error that a model's server made, not the client.
type upstreamError struct{ error }

func (e upstreamError) Unwrap() error { return e.error }

// upstream marks an error of a model's server.
func upstream(err error) error {
	if err == nil {
		return nil
	}
	return upstreamError{err}
}

// statuses is the table from the kinds of error to what a client is told. A kind that is not open keeps its text in
// the log: it names what is inside.
var statuses = []struct {
	kind   error
	status int
	typ    string
	code   string
	open   bool
	again  bool
	text   string // told when not open
}{
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "server_error", "timeout", false, false, "this took longer than the server allows"},
	{corpus.ErrNotFound, http.StatusNotFound, "invalid_request_error", "not_found", true, false, ""},
	{corpus.ErrInvalid, http.StatusBadRequest, "invalid_request_error", "invalid", true, false, ""},
	{corpus.ErrConflict, http.StatusConflict, "invalid_request_error", "conflict", true, false, ""},
	{corpus.ErrForbidden, http.StatusForbidden, "permission_error", "forbidden", true, false, ""},
	{corpus.ErrUnsupported, http.StatusBadRequest, "invalid_request_error", "unsupported", true, false, ""},
	{corpus.ErrLimit, http.StatusBadRequest, "invalid_request_error", "context_length_exceeded", true, false, ""},
	{corpus.ErrUnavailable, http.StatusServiceUnavailable, "server_error", "unavailable", false, true, "the store or a model does not answer; try again later"},
	{corpus.ErrCorrupt, http.StatusInternalServerError, "server_error", "corrupt", false, false, "stored data is damaged; whoever runs this server should run `grounded verify`"},
	{corpus.ErrFull, http.StatusInsufficientStorage, "server_error", "full", false, false, "the server has no space left"},
}

// upstreamStatuses is the same for errors of a model's server. It was asked several times already, so the client
// need not ask again; a key that it refuses is the server's, not the client's.
var upstreamStatuses = []struct {
	kind   error
	status int
	typ    string
	code   string
	open   bool
	text   string
}{
	{corpus.ErrInvalid, http.StatusBadRequest, "invalid_request_error", "invalid", true, ""},
	{corpus.ErrUnsupported, http.StatusBadRequest, "invalid_request_error", "unsupported", true, ""},
	{corpus.ErrForbidden, http.StatusBadGateway, "server_error", "upstream_forbidden", false, "the model's server refuses this server's key"},
	{corpus.ErrNotFound, http.StatusBadGateway, "server_error", "upstream_not_found", false, "the model's server does not know the model"},
	{corpus.ErrLimit, http.StatusServiceUnavailable, "server_error", "upstream_quota", false, "the account at the model's provider has no quota left"},
	{corpus.ErrUnavailable, http.StatusServiceUnavailable, "server_error", "upstream_unavailable", false, "the model's server does not answer, or answers with errors"},
}

// soon is how long a client may be kept waiting to send a request again by itself.
const soon = 5 * time.Second

// faultOf tells an error to a client. What has no kind is a fault of this program, and nothing of it is told.
func faultOf(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var up upstreamError
	if errors.As(err, &up) {
		if model.TooLong(err) {
			return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: "context_length_exceeded",
				message: "the request is longer than the model takes (its maximum context length is exceeded): " + err.Error(), cause: err}
		}
		for _, s := range upstreamStatuses {
			if errors.Is(err, s.kind) {
				f := &fault{status: s.status, kind: s.typ, code: s.code, message: s.text, cause: err, after: model.RetryAfter(err)}
				f.again = f.after > 0 && f.after <= soon
				if s.open {
					f.message = sentence(err)
				}
				return f
			}
		}
	}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			f := &fault{status: s.status, kind: s.typ, code: s.code, message: s.text, again: s.again, cause: err}
			if s.open {
				f.message = sentence(err)
			}
			return f
		}
	}
	return &fault{status: http.StatusInternalServerError, kind: "server_error", code: "internal",
		message: "something went wrong in the server; its log says what, under the request's id", cause: err}
}

// sentence is an error with its hint.
func sentence(err error) string {
	if hint := corpus.HintOf(err); hint != "" {
		return strings.TrimRight(err.Error(), ".") + "; " + hint
	}
	return err.Error()
}

// invalid refuses a request because of one of its fields, if one is named.
func invalid(param, format string, args ...any) error {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: "invalid", param: param, message: fmt.Sprintf(format, args...)}
}

// unsupported refuses a field that the model or the arm cannot honour.
func unsupported(param, format string, args ...any) error {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: "unsupported", param: param, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &fault{status: http.StatusNotFound, kind: "invalid_request_error", code: "not_found", message: fmt.Sprintf(format, args...)}
}

// openAIError is the envelope under /v1. Some clients read the type or the message and not the status.
type openAIError struct {
	Error openAIErrorBody `json:"error"`
}

type openAIErrorBody struct {
	Message string      `json:"message"`
	Type    string      `json:"type"`
	Param   corpus.Text `json:"param"`
	Code    string      `json:"code"`
}

func (f *fault) openAI() openAIError {
	return openAIError{openAIErrorBody{Message: f.message, Type: f.kind, Param: corpus.Text(f.param), Code: f.code}}
}

// problem is RFC 9457's, under /api.
func (f *fault) problem(requestID string) wire.Problem {
	return wire.Problem{Type: "about:blank", Title: http.StatusText(f.status), Status: f.status, Detail: f.message, Code: f.code, Param: f.param, RequestID: requestID}
}

// difyError is what Dify's documentation names.
type difyError struct {
	Code    int    `json:"error_code"`
	Message string `json:"error_msg"`
}

// dify tells the same to Dify, which shows a wrong key only when it is answered with 403.
func (f *fault) dify() (int, difyError) {
	switch {
	case f.code == codeNoKey:
		return http.StatusForbidden, difyError{1001, f.message}
	case f.code == codeWrongKey, f.status == http.StatusForbidden:
		return http.StatusForbidden, difyError{1002, f.message}
	case f.status == http.StatusNotFound:
		return f.status, difyError{2001, f.message}
	}
	return f.status, difyError{f.status, f.message}
}
