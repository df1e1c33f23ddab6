package corpus

import (
	"errors"
	"fmt"
)

// The kinds of error. Every error that leaves a package of this program is one of them, as errors.Is tells,
// or has no kind and is a fault of the program or its surroundings.
var (
	ErrNotFound    = errors.New("not found")
	ErrInvalid     = errors.New("invalid")     // the request or configuration is wrong; asking again won't help
	ErrConflict    = errors.New("conflict")    // it contradicts what is stored
	ErrForbidden   = errors.New("forbidden")   // credentials are missing or not enough
	ErrLimit       = errors.New("limit")       // a limit of size, rate or budget was reached
	ErrUnavailable = errors.New("unavailable") // something that is needed does not answer; later it may
	ErrUnsupported = errors.New("unsupported") // a format, model or server cannot do it
	ErrCorrupt     = errors.New("corrupt")     // stored data is damaged
	ErrFull        = errors.New("full")        // no space left to store
)

type kindError struct {
	kind error
	err  error
}

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// Errorf formats an error of a kind. The kind is not printed; %w works as in fmt.Errorf.
func Errorf(kind error, format string, args ...any) error {
	return &kindError{kind, fmt.Errorf(format, args...)}
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

// Hint attaches a sentence that says what to do. It is shown on a line of its own and not part of Error.
func Hint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hintError{err, hint}
}

// HintOf returns the outermost hint of an error, or "".
func HintOf(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}
