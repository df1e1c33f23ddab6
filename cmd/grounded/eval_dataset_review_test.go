package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"testing"
)

func TestAReviewThatWaitsForALineEndsWithItsContext(t *testing.T) {
	silent, _ := io.Pipe()
	r := &review{program: &program{stdout: io.Discard}, input: bufio.NewReader(silent)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.choose(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
