package eval_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
)

// runArgument makes the test binary go on with a run.
const runArgument = "__eval-run"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == runArgument {
		os.Exit(runAlone(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

const killedQuestions = 60

// remote asks a server, which counts.
type remote string

func (r remote) Answer(ctx context.Context, q answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(r)+"/"+q.Arm+"/"+q.Question[:len(q.Question)-1], nil)
	if err != nil {
		return corpus.Answer{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return corpus.Answer{}, err
	}
	return corpus.Answer{Question: q.Question, Model: "m", Arm: q.Arm, Text: "yes"}, response.Body.Close()
}

func runAlone(path, server string) int {
	questions := numbered(killedQuestions)
	c := eval.Config{Answerer: remote(server), Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain", "grounded"}, Questions: questions, AtOnce: 1}
	folder, err := eval.OpenFolder(path, eval.Settings{DatasetHash: dataset.Hash(questions), Questions: len(questions)}, []model.Card{c.Chats[0].Card()}, c.Arms)
	if err == nil {
		_, err = eval.Run(context.Background(), folder, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestARunKilledTwentyTimesAsksNoMoreThanAWholeOne kills the process while the model answers, in every run a little later:
// only the call that never came back is made again.
func TestARunKilledTwentyTimesAsksNoMoreThanAWholeOne(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	left := 0 // calls until the process is killed
	var process *os.Process
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls[r.URL.Path]++
		if left--; left == 0 && process != nil {
			_ = process.Kill()
		}
	}))
	defer server.Close()
	path := t.TempDir()
	start := func() *exec.Cmd {
		mu.Lock()
		defer mu.Unlock()
		command := exec.CommandContext(t.Context(), os.Args[0], runArgument, path, server.URL)
		command.Stderr = os.Stderr
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		process = command.Process
		return command
	}
	for n := range 20 {
		mu.Lock()
		left = 1 + n%5
		mu.Unlock()
		if err := start().Wait(); err == nil {
			t.Fatalf("run %d was not killed", n)
		}
	}
	mu.Lock()
	left, process = -1, nil
	mu.Unlock()
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	_, items, err := eval.Load(path)
	if err != nil || len(items) != 2*killedQuestions {
		t.Fatalf("%d items, %v", len(items), err)
	}
	total := 0
	for _, n := range calls {
		total += n
	}
	if len(calls) != len(items) || total > len(items)+20 {
		t.Errorf("%d calls for %d items: a call that came back is made again", total, len(items))
	}
	lines := 0
	if text, err := os.ReadFile(path + "/items.jsonl"); err == nil {
		for _, b := range text {
			if b == '\n' {
				lines++
			}
		}
	}
	if lines != len(items) {
		t.Errorf("%d lines for %d items", lines, len(items))
	}
}
