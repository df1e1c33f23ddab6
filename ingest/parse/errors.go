package parse

import (
	"errors"
	"fmt"

	"grounded/corpus"
)

// ErrorCode is a stable word for why a file could not be read.
type ErrorCode string

// The codes of an Error.
const (
	Encrypted          ErrorCode = "encrypted"           // needs a password
	Damaged            ErrorCode = "damaged"             // not what its format demands, and nothing could be saved
	Empty              ErrorCode = "empty"               // no bytes, or nothing but white space
	NoText             ErrorCode = "no-text"             // pictures only, such as a scan
	UnsupportedFormat  ErrorCode = "unsupported-format"  // nothing here reads it
	UnsupportedMethod  ErrorCode = "unsupported-method"  // packed or encrypted in a way that nothing here reads
	Link               ErrorCode = "link"                // no file, but something that leads to one
	UnsupportedCharset ErrorCode = "unsupported-charset" // text, but in letters that could only be guessed
	TooLarge           ErrorCode = "too-large"           // the file, or what came out of it, is over a limit
	Timeout            ErrorCode = "timeout"             // took longer than Config.Timeout
	Memory             ErrorCode = "memory"              // took more than Config.MemoryBytes
	Crashed            ErrorCode = "crashed"             // the parser failed
	Unreadable         ErrorCode = "unreadable"          // the file can't be opened or is not a file
	NotTranscribed     ErrorCode = "not-transcribed"     // a recording, and no model that listens to it
	Generated          ErrorCode = "generated"           // written by a program for programs, such as a lock file
	Changed            ErrorCode = "changed"             // its bytes are not those of Input.SHA256
)

// Error is why one file could not be read. It is of kind corpus.ErrUnsupported, ErrLimit or ErrInvalid.
type Error struct {
	Code   ErrorCode `json:"code"`
	Reason string    `json:"reason"` // a sentence for people: what is wrong and what would help
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns the error's kind.
func (e *Error) Unwrap() error {
	switch e.Code {
	case UnsupportedFormat, UnsupportedMethod, UnsupportedCharset, Link, NoText, NotTranscribed, Encrypted, Generated:
		return corpus.ErrUnsupported
	case TooLarge, Timeout, Memory:
		return corpus.ErrLimit
	}
	return corpus.ErrInvalid
}

// CodeOf returns the code of the *Error in err's chain, or "" if there is none: then it is not the file's fault.
func CodeOf(err error) ErrorCode {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func errorf(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}
