package eval_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/retrieve"
)

// named is a chat model that is never asked, since the answerer is scripted.
type named struct{ card model.Card }

func (n named) Complete(context.Context, model.Request, func(model.Delta) error) (model.Response, error) {
	return model.Response{}, errors.New("nobody asks")
}
func (n named) CountTokens(_ context.Context, text string) (int, error) {
	return len(strings.Fields(text)), nil
}
func (n named) Card() model.Card { return n.card }

func chat(id string, price *float64) named {
	return named{model.Card{ID: id, Provider: "openai", Context: 4096, Price: model.Price{In: price, Out: price}}}
}

// scripted answers "yes" at a cost of one cent, or fails.
type scripted struct {
	mu    sync.Mutex
	asked []string
	fail  func(n int) error
	cost  float64
}

func (s *scripted) Answer(ctx context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Chat.Card().ID+" "+r.Arm+" "+r.Question)
	if s.fail != nil {
		if err := s.fail(len(s.asked)); err != nil {
			return corpus.Answer{}, err
		}
	}
	cost := s.cost
	return corpus.Answer{Question: r.Question, Model: r.Chat.Card().ID, Arm: r.Arm, Text: "yes", CostUSD: &cost, Passages: r.Passages}, ctx.Err()
}

// numbered are questions "1?" to "n?" with the answer "yes".
func numbered(n int) (questions []dataset.Question) {
	for i := 1; i <= n; i++ {
		questions = append(questions, dataset.Question{ID: fmt.Sprint(i), Question: fmt.Sprint(i, "?"), Answers: []string{"yes"}, Answerable: true})
	}
	return questions
}

// ask opens the folder, runs, and closes it.
func ask(t *testing.T, ctx context.Context, path string, c eval.Config) (eval.Progress, error) {
	t.Helper()
	var cards []model.Card
	for _, chat := range c.Chats {
		cards = append(cards, chat.Card())
	}
	folder, err := eval.OpenFolder(path, eval.Settings{DatasetHash: dataset.Hash(c.Questions), Questions: len(c.Questions)}, cards, c.Arms)
	if err != nil {
		t.Fatal(err)
	}
	state, err := eval.Run(ctx, folder, c)
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
	return state, err
}

func TestAModelThatFailsEveryThirdCallIsMissingAThirdOfItsScores(t *testing.T) {
	path := t.TempDir()
	s := &scripted{fail: func(n int) error {
		if n%3 == 0 {
			return corpus.Errorf(corpus.ErrUnavailable, "busy")
		}
		return nil
	}}
	c := eval.Config{Answerer: s, Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain"}, Questions: numbered(30), AtOnce: 3}
	state, err := ask(t, t.Context(), path, c)
	if err != nil || state.Done != 30 || state.Failed != 10 {
		t.Fatalf("%+v, %v", state, err)
	}
	header, items, err := eval.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := eval.NewReport(header, items, eval.ReportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	column := report.Columns[0]
	if m := column.Scores[eval.Exact]; column.Failed != 10 || m.Scored != 20 || m.Items != 30 || *m.Mean != 1 {
		t.Errorf("column is %+v with %+v", column, m)
	}
	if state, err = ask(t, t.Context(), path, c); err != nil || len(s.asked) != 30 || state.Failed != 10 {
		t.Errorf("asked %d times, %+v, %v", len(s.asked), state, err)
	}
	c.RetryErrors = true
	s.fail = nil
	if state, err = ask(t, t.Context(), path, c); err != nil || len(s.asked) != 40 || state.Failed != 0 || state.Done != 30 {
		t.Errorf("after asking again: %d times, %+v, %v", len(s.asked), state, err)
	}
	if _, items, err = eval.Load(path); err != nil || len(items) != 30 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestARefusedKeyEndsTheRun(t *testing.T) {
	path := t.TempDir()
	s := &scripted{fail: func(n int) error {
		if n == 3 {
			return corpus.Errorf(corpus.ErrForbidden, "wrong key")
		}
		return nil
	}}
	c := eval.Config{Answerer: s, Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain"}, Questions: numbered(30), AtOnce: 1}
	if state, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrForbidden) || state.Done != 2 || len(s.asked) != 3 {
		t.Errorf("%+v, %v after %d calls", state, err, len(s.asked))
	}
}

func TestTheCostIsLimited(t *testing.T) {
	path, price, limit := t.TempDir(), 100., 1.
	s := &scripted{cost: .3} // far above the estimate
	c := eval.Config{Answerer: s, Chats: []model.Chat{chat("m", &price)}, Arms: []string{"plain"}, Questions: numbered(5), AtOnce: 1, MaxCost: &limit,
		Request: answer.Request{MaxTokens: 1}}
	state, err := ask(t, t.Context(), path, c)
	if !errors.Is(err, corpus.ErrLimit) || len(s.asked) != 4 || state.Done != 4 || state.SpentUSD > 1.2+1e-9 {
		t.Fatalf("%d calls, %+v, %v", len(s.asked), state, err)
	}
	low := .5
	c.MaxCost = &low
	if _, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrLimit) || len(s.asked) != 4 {
		t.Errorf("what was spent before does not count: %d calls, %v", len(s.asked), err)
	}
	high := 9.
	c.MaxCost = &high
	if state, err := ask(t, t.Context(), path, c); err != nil || state.Done != 5 || len(s.asked) != 5 {
		t.Errorf("%+v, %v", state, err)
	}
	c.Chats = append(c.Chats, chat("priceless", nil))
	if _, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "price is not known") {
		t.Errorf("a model without price: %v", err)
	}
}

// TestAtTheLimitWhatIsBeingAskedIsWaitedFor has three calls under way, of which each is dearer than the limit.
func TestAtTheLimitWhatIsBeingAskedIsWaitedFor(t *testing.T) {
	path, price, limit := t.TempDir(), 100., 1.
	var together sync.WaitGroup
	together.Add(3)
	c := eval.Config{Chats: []model.Chat{chat("m", &price)}, Arms: []string{"plain"}, Questions: numbered(9), AtOnce: 3, MaxCost: &limit,
		Request: answer.Request{MaxTokens: 1}, Answerer: answers(func(string, int) corpus.Answer {
			together.Done()
			together.Wait()
			cost := 5.
			return corpus.Answer{Text: "yes", CostUSD: &cost}
		})}
	if state, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrLimit) || state.Done != 3 || state.Failed != 0 {
		t.Errorf("%+v, %v", state, err)
	}
}

// While what is being asked at the limit is waited for, the disk is full: that must not be passed over.
func TestAnErrorAfterTheLimitIsTold(t *testing.T) {
	path, price, limit := t.TempDir(), 100., 1.
	var together sync.WaitGroup
	together.Add(2)
	stopped := make(chan struct{})
	stop := sync.OnceFunc(func() { close(stopped) })
	c := eval.Config{Chats: []model.Chat{chat("m", &price)}, Arms: []string{"plain"}, Questions: numbered(9), AtOnce: 2, MaxCost: &limit,
		Request: answer.Request{MaxTokens: 1}, Observe: func(eval.Progress) { stop() }, Answerer: failing(func(n int) (corpus.Answer, error) {
			together.Done()
			together.Wait()
			if n == 2 {
				<-stopped // the other one is there, and the limit passed
				return corpus.Answer{}, corpus.Errorf(corpus.ErrForbidden, "the key was withdrawn")
			}
			cost := 5.
			return corpus.Answer{Text: "yes", CostUSD: &cost}, nil
		})}
	if _, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrForbidden) {
		t.Errorf("got %v", err)
	}
}

// failing answers or fails by number of the question.
type failing func(n int) (corpus.Answer, error)

func (f failing) Answer(_ context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	n := 0
	if _, err := fmt.Sscan(strings.TrimSuffix(r.Question, "?"), &n); err != nil {
		return corpus.Answer{}, err
	}
	return f(n)
}

// A provider that does not count tokens is booked by the estimate, also when the run is gone on with.
func TestWhatWasSpentByEstimateCountsAfterAStop(t *testing.T) {
	path, price, limit := t.TempDir(), 100., 1.
	j := newJudge("m", func(string) (string, error) { return "yes", nil })
	j.card.Price = model.Price{In: &price, Out: &price}
	ctx, cancel := context.WithCancel(t.Context())
	c := eval.Config{Answerer: through{uncounted: true}, Chats: []model.Chat{j}, Arms: []string{"plain"}, Questions: numbered(9), AtOnce: 1, MaxCost: &limit,
		Request: answer.Request{MaxTokens: 500}, Observe: func(p eval.Progress) {
			if p.Done == 4 {
				cancel()
			}
		}}
	before, err := ask(t, ctx, path, c)
	if !errors.Is(err, context.Canceled) || before.Done != 4 || before.SpentUSD < .1 {
		t.Fatalf("%+v, %v", before, err)
	}
	low := before.SpentUSD + .2
	c.Observe, c.MaxCost = nil, &low
	if state, err := ask(t, t.Context(), path, c); !errors.Is(err, corpus.ErrLimit) || state.SpentUSD != before.SpentUSD {
		t.Errorf("$%v was spent, and then %+v, %v", before.SpentUSD, state, err)
	}
}

// What costs nothing goes on when the limit is used up.
func TestFreeModelsAreAskedWhenTheLimitIsUsedUp(t *testing.T) {
	path, price, free, limit := t.TempDir(), 100., 0., 1.
	c := eval.Config{Answerer: &scripted{cost: .6}, Chats: []model.Chat{chat("dear", &price)}, Arms: []string{"plain"}, Questions: numbered(2), AtOnce: 1, MaxCost: &limit,
		Request: answer.Request{MaxTokens: 1}}
	if state, err := ask(t, t.Context(), path, c); err != nil || state.SpentUSD < 1.1 {
		t.Fatalf("%+v, %v", state, err)
	}
	c.Answerer, c.Chats = &scripted{}, []model.Chat{chat("dear", &price), chat("free", &free)}
	if state, err := ask(t, t.Context(), path, c); err != nil || state.Done != 4 {
		t.Errorf("%+v, %v", state, err)
	}
}

// An answer that is there when the run is cancelled was paid, and is kept.
func TestAnAnswerThatCameIsKeptWhenTheRunIsCancelled(t *testing.T) {
	path := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	c := eval.Config{Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain"}, Questions: numbered(9), AtOnce: 1,
		Answerer: failing(func(int) (corpus.Answer, error) {
			cancel()
			return corpus.Answer{Text: "yes"}, nil
		})}
	if state, err := ask(t, ctx, path, c); !errors.Is(err, context.Canceled) || state.Done != 1 {
		t.Errorf("%+v, %v", state, err)
	}
	if _, items, err := eval.Load(path); err != nil || len(items) != 1 {
		t.Errorf("%d items, %v", len(items), err)
	}
}

func TestARunIsOfOneDatasetAndOneProcess(t *testing.T) {
	path := t.TempDir()
	settings := eval.Settings{DatasetHash: "a"}
	folder, err := eval.OpenFolder(path, settings, nil, []string{"plain"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eval.OpenFolder(path, settings, nil, nil); !errors.Is(err, corpus.ErrConflict) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second one gets %v", err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := eval.OpenFolder(path, eval.Settings{DatasetHash: "b"}, nil, nil); !errors.Is(err, corpus.ErrConflict) || !strings.Contains(err.Error(), "dataset_hash") {
		t.Errorf("another dataset gets %v", err)
	}
	again, err := eval.OpenFolder(path, settings, []model.Card{{ID: "m"}}, []string{"grounded"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if h := again.Header; !slices.Equal(h.Arms, []string{"plain", "grounded"}) || len(h.Models) != 1 {
		t.Errorf("header is %+v", h)
	}
}

func TestAHalfWrittenItemIsAskedAgainAndADamagedOneIsNamed(t *testing.T) {
	path := t.TempDir()
	s := &scripted{}
	c := eval.Config{Answerer: s, Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain"}, Questions: numbered(3), AtOnce: 1}
	if _, err := ask(t, t.Context(), path, c); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(path, "items.jsonl")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:len(whole)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if state, err := ask(t, t.Context(), path, c); err != nil || state.Done != 3 || len(s.asked) != 4 {
		t.Errorf("%+v, %v after %d calls", state, err, len(s.asked))
	}
	if err := os.WriteFile(name, append([]byte("{\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := eval.Load(path); !errors.Is(err, corpus.ErrCorrupt) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("damage is %v", err)
	}
}

// shelf finds its passages in order, those of one document if the filter asks for it.
type shelf []corpus.Passage

func (s shelf) Retrieve(_ context.Context, r retrieve.Request) (retrieve.Result, error) {
	var found []corpus.Passage
	for _, p := range s {
		if len(r.Filter) == 0 || r.Filter[0].Values[0] == p.Document {
			found = append(found, p)
		}
	}
	return retrieve.Result{Passages: found}, nil
}

func TestTheOracleIsGivenTheEvidenceAndTheDistractorNoneOfIt(t *testing.T) {
	text := func(id, document string, page int, text string) corpus.Passage {
		return corpus.Passage{ChunkID: corpus.ChunkID(id), Document: document, PageStart: page, PageEnd: page, Text: text}
	}
	s := shelf{
		text("near", "b", 1, "Near, but wrong."), text("other page", "a", 1, "On another page."), text("right page", "a", 2, "Beside it."),
		text("quote", "a", 2, "It is\nyes on this page."), text("answer", "c", 1, "They say yes."), text("far", "c", 2, "Far away."),
	}
	questions := numbered(2)
	questions[0].Evidence = []dataset.Evidence{{Document: "a", Page: 2, Quote: "is yes"}}
	path := t.TempDir()
	c := eval.Config{Answerer: &scripted{}, Retriever: s, Chats: []model.Chat{chat("m", nil)},
		Arms: []string{eval.ArmOracle, eval.ArmDistractor}, Questions: questions}
	if state, err := ask(t, t.Context(), path, c); err != nil || state.Total != 2 {
		t.Fatalf("%+v, %v", state, err)
	}
	_, items, err := eval.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		var got []string
		for n, p := range i.Answer.Passages {
			got = append(got, string(p.ChunkID))
			if p.Rank != n+1 {
				t.Errorf("%s has rank %d", p.ChunkID, p.Rank)
			}
		}
		want := []string{"quote", "right page"}
		if i.Arm == eval.ArmDistractor {
			want = []string{"near", "other page", "far"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is given %q, want %q", i.Arm, got, want)
		}
	}
}

// deaf is a retriever whose embedder can't be started.
type deaf struct{ asked int }

func (d *deaf) Retrieve(context.Context, retrieve.Request) (retrieve.Result, error) {
	d.asked++
	return retrieve.Result{}, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the embedder is not there"), "install it")
}

func TestNothingIsAskedWhenNothingCanBeSearched(t *testing.T) {
	s, d, path := &scripted{}, &deaf{}, t.TempDir()
	c := eval.Config{Answerer: s, Retriever: d, Chats: []model.Chat{chat("m", nil)}, Arms: []string{answer.ArmPlain}, Questions: numbered(3)}
	if _, err := ask(t, t.Context(), path, c); err != nil || d.asked > 0 {
		t.Fatalf("plain answers need no search: %v, %d searches", err, d.asked)
	}
	c.Arms = append(c.Arms, answer.ArmGrounded)
	state, err := ask(t, t.Context(), path, c)
	if !errors.Is(err, corpus.ErrUnavailable) || corpus.HintOf(err) == "" || len(s.asked) != 3 || state.Done != 3 || d.asked != 1 {
		t.Errorf("%v: %+v after %d answers and %d searches", err, state, len(s.asked), d.asked)
	}
}
