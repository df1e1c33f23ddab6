//go:build linux || darwin || freebsd || netbsd || openbsd

package eval_test

import (
	"context"
	"errors"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/model"
)

// TestAFullDiskLeavesNoHalfLine limits how large a file may become, which cuts a line in two as a full disk does. Another
// answer is under way, and comes when there is space again.
func TestAFullDiskLeavesNoHalfLine(t *testing.T) {
	path := t.TempDir()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
			t.Error(err)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	defer limit(before.Cur)
	var together sync.WaitGroup
	together.Add(2)
	c := eval.Config{Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain"}, Questions: numbered(2), AtOnce: 2,
		Answerer: waiting(func(ctx context.Context, question string) string {
			together.Done()
			together.Wait()
			if question == "1?" {
				limit(2000)
				return strings.Repeat("yes ", 1000)
			}
			<-ctx.Done()
			limit(before.Cur)
			return "yes"
		})}
	if _, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrFull) {
		t.Fatalf("a full disk is %v", err)
	}
	if _, items, err := eval.Load(path); err != nil || len(items) != 1 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	c.Answerer = &scripted{}
	if state, err := ask(t, t.Context(), path, c); err != nil || state.Done != 2 {
		t.Errorf("with space again: %+v, %v", state, err)
	}
}

// waiting answers when its function does.
type waiting func(ctx context.Context, question string) string

func (f waiting) Answer(ctx context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	return corpus.Answer{Text: f(ctx, r.Question)}, nil
}
