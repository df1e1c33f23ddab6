package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"grounded/corpus"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitQuarantined = 3
	exitInterrupted = 130
)

// errQuarantined ends an ingest in which all went well but for files that could not be read. They have been
// listed already.
var errQuarantined = errors.New("some files were quarantined")

// usageError is a wrong flag or argument.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode is the table from errors to exit codes.
func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errQuarantined):
		return exitQuarantined
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// printError writes an error for a person: what went wrong, then what to do.
func printError(w io.Writer, err error) {
	if err == nil || errors.Is(err, errQuarantined) {
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "grounded: interrupted")
		return
	}
	fmt.Fprintf(w, "grounded: %s\n", err)
	if hint := corpus.HintOf(err); hint != "" {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(hint, "\n", "\n  "))
	}
}
