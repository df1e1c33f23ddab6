package qdrant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"grounded/corpus"
)

// fail gives an error of the server, or one of our own, its kind, its hint and what was being done.
func (s *Store) fail(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // the caller's; those of a call come from gRPC
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, s.kindOf(err))
}

// kindOf wraps an error of gRPC.
func (s *Store) kindOf(err error) error {
	state, ok := statusOf(err)
	if !ok {
		return err
	}
	said := state.Message()
	switch state.Code() {
	case codes.Unavailable, codes.Canceled, codes.Aborted:
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%s does not answer: %s", s.config, said), s.reachHint())
	case codes.DeadlineExceeded:
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%s did not answer within %s", s.config, s.config.Timeout),
			"see how busy the server is; qdrant.timeout allows it more time")
	case codes.Unauthenticated, codes.PermissionDenied:
		return corpus.Hint(corpus.Errorf(corpus.ErrForbidden, "%s refuses the API key: %s", s.config, said),
			"set qdrant.api_key to one of the server's keys (with the right to write, for ingest)")
	case codes.NotFound:
		return corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "%s: %s", s.config, said),
			"somebody has deleted it there: restore it from a snapshot, or run grounded verify --repair, then ingest again")
	case codes.Unimplemented:
		return corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "%s does not know what was asked: %s", s.config, said), versionHint)
	case codes.ResourceExhausted:
		return corpus.Hint(corpus.Errorf(corpus.ErrLimit, "%s has reached a limit: %s", s.config, said), "see the server's limits and its log")
	}
	if isFull(said) {
		return corpus.Hint(corpus.Errorf(corpus.ErrFull, "%s has no room left: %s", s.config, said), "free disk or memory on the server, then run the same again")
	}
	if state.Code() == codes.InvalidArgument {
		return corpus.Errorf(corpus.ErrInvalid, "%s: %s", s.config, said)
	}
	return fmt.Errorf("%s: %s", s.config, said)
}

func statusOf(err error) (*status.Status, bool) {
	var withStatus interface{ GRPCStatus() *status.Status }
	if errors.As(err, &withStatus) {
		return withStatus.GRPCStatus(), true
	}
	return nil, false
}

func (s *Store) reachHint() string {
	return "start the server, or set qdrant.address; grounded doctor says whether it is reached"
}

// isFull recognises what Qdrant says when its disk is full; it has no code for that.
func isFull(said string) bool {
	said = strings.ToLower(said)
	return strings.Contains(said, "no space left") || strings.Contains(said, "disk full") || strings.Contains(said, "not enough space") ||
		strings.Contains(said, "storage full") || strings.Contains(said, "enospc")
}

// isMissing reports whether the server says that what was asked for is not there.
func isMissing(err error) bool {
	state, ok := statusOf(err)
	return ok && (state.Code() == codes.NotFound || strings.Contains(state.Message(), "doesn't exist"))
}

// ignoreMissing makes nothing of a collection that is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, corpus.ErrNotFound) {
		return nil
	}
	return err
}

// passing reports whether the same call may succeed later.
func passing(err error) bool {
	state, ok := statusOf(err)
	if !ok {
		return false
	}
	switch state.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.Canceled:
		return true
	case codes.ResourceExhausted:
		return !isFull(state.Message())
	case codes.Internal, codes.Unknown:
		// What a cluster says while it elects a leader or a replica comes back.
		said := strings.ToLower(state.Message())
		for _, phrase := range []string{"consensus", "leader", "not ready", "timeout", "timed out", "replica", "transport", "channel", "connection"} {
			if strings.Contains(said, phrase) {
				return true
			}
		}
	}
	return false
}

// slow is how long a call may take that changes what collections there are.
const slow = 2 * time.Minute

// call makes a call to the server with a deadline of its own. Every call of this package may be repeated; it is, while
// what went wrong may pass, for as long as the configuration says.
func (s *Store) call(ctx context.Context, f func(ctx context.Context) error) error {
	return s.callFor(ctx, s.config.Timeout, f)
}

// callSlow is call for what takes longer.
func (s *Store) callSlow(ctx context.Context, f func(ctx context.Context) error) error {
	return s.callFor(ctx, max(slow, s.config.Timeout), f)
}

func (s *Store) callFor(ctx context.Context, timeout time.Duration, f func(ctx context.Context) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	began := time.Now()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := attempt(ctx, timeout, f)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.node.Add(1) // another node may do it
		if isLeaderAway(err) {
			s.nudge(ctx)
		}
		pause := wait/2 + rand.N(wait/2)
		if !passing(err) || time.Since(began)+pause > s.config.RetryFor {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func attempt(ctx context.Context, timeout time.Duration, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f(ctx)
}

// isLeaderAway recognises what a cluster says when the replica that a write in order goes through does not answer.
func isLeaderAway(err error) bool {
	state, ok := statusOf(err)
	return ok && strings.Contains(state.Message(), "ordering via leader")
}

// nudge makes writes that go to all replicas, of nothing, to the collections that are known: the cluster learns from them
// which replica is away, and lets another be the one that writes in order go through.
func (s *Store) nudge(ctx context.Context) {
	nobody := qdrant.NewPointsSelector(pointID("nobody"))
	for _, name := range s.known.all() {
		// It does its work by failing, too.
		_ = attempt(ctx, s.config.Timeout, func(ctx context.Context) error {
			_, err := s.client().Delete(ctx, &qdrant.DeletePoints{CollectionName: name, Points: nobody})
			return err
		})
	}
}
