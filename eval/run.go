package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/retrieve"
)

// Answerer answers one question; an answer.Service with the arms of Arms does.
type Answerer interface {
	Answer(ctx context.Context, r answer.Request, stream func(answer.Event) error) (corpus.Answer, error)
}

// Arms are those that an answer.Service needs beside its own.
func Arms() []answer.Arm {
	return []answer.Arm{
		{Name: ArmOracle, Passages: answer.GivenPassages},
		{Name: ArmDistractor, Passages: answer.GivenPassages},
	}
}

// ArmNames lists the arms that a run can have.
func ArmNames() []string {
	return []string{answer.ArmPlain, answer.ArmFewShot, answer.ArmGrounded, ArmOracle, ArmDistractor}
}

// Config of a run.
type Config struct {
	Answerer  Answerer
	Retriever answer.Retriever // of oracle's and distractor's passages
	Request   answer.Request   // all but question, history, arm, model and passages
	Chats     []model.Chat
	Arms      []string
	Questions []dataset.Question // whose evidence names documents as the collection does

	AtOnce      int      // calls at once to one provider; 0 is 1 for local models, else 4
	MaxCost     *float64 // US dollars of all items of the run, those of former times too; nil is no limit
	RetryErrors bool     // items that failed before are asked again
	Cache       Cache    // of answers; what is in it costs nothing
	Observe     func(Progress)
}

// Progress tells how far a run is.
type Progress struct {
	Done     int      `json:"done"` // items, those of former times too
	Total    int      `json:"total"`
	Failed   int      `json:"failed"`
	SpentUSD float64  `json:"spent_usd"` // as far as costs are known
	LeftUSD  *float64 `json:"left_usd"`  // estimate for what is left; nil when a price is not known
}

// task is one item to be made.
type task struct {
	question dataset.Question
	chat     model.Chat
	arm      string
	cost     *float64 // estimate in US dollars
}

func (t task) key() key { return key{t.chat.Card().ID, t.arm, t.question.ID} }

// run is a run that is going on.
type run struct {
	Config
	folder *Folder
	budget budget
	mu     sync.Mutex
	state  Progress
}

// Run makes the items that the folder does not have yet, question by question. What fails is an item with an error; a
// refused key, a full disk or a cancelled context end the run, and so does MaxCost, with corpus.ErrLimit: what is there
// stays, and the same call goes on. A limit that the estimate exceeds is refused before anything is asked.
func Run(ctx context.Context, folder *Folder, c Config) (Progress, error) {
	r := &run{Config: c, folder: folder, budget: budget{limit: c.MaxCost, spent: folder.spent}}
	tasks, err := r.plan(ctx)
	if err == nil {
		err = r.trySearch(ctx, tasks)
	}
	if err != nil {
		return r.state, err
	}
	if r.Observe != nil {
		r.Observe(r.state)
	}
	groups := map[string][]task{}
	var names []string
	for _, t := range tasks {
		name := provider(t.chat.Card())
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], t)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	going, stop := context.WithCancelCause(ctx) // at MaxCost nothing new is asked, and what is paid already is waited for
	defer stop(nil)
	var wg sync.WaitGroup
	for _, name := range names {
		queue := make(chan task)
		wg.Go(func() {
			defer close(queue)
			for _, t := range groups[name] {
				select {
				case queue <- t:
				case <-going.Done():
					return
				}
			}
		})
		for range atOnce(r.AtOnce, groups[name][0].chat.Card()) {
			wg.Go(func() {
				for t := range queue {
					err := r.begin(going, t)
					if err != nil {
						stop(err)
						return
					}
					if err = r.do(ctx, t); err != nil {
						cancel(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	err = context.Cause(going)
	if later := context.Cause(ctx); later != err { // than the limit, while what was being asked was waited for
		err = errors.Join(later, err)
	}
	return r.state, err
}

// trySearch searches once for the first item that needs passages: when nothing can be searched, each item would wait for
// it and fail.
func (r *run) trySearch(ctx context.Context, tasks []task) error {
	i := slices.IndexFunc(tasks, func(t task) bool { return t.arm != answer.ArmPlain && t.arm != answer.ArmFewShot })
	if i < 0 || r.Retriever == nil {
		return nil
	}
	_, err := r.Retriever.Retrieve(ctx, retrieve.Request{Scope: r.Request.Scope, Question: tasks[i].question.Question, TopK: 1, Mode: r.Request.Mode})
	if err != nil {
		return fmt.Errorf("run evaluation: nothing is asked, since nothing can be searched: %w", err)
	}
	return nil
}

func provider(c model.Card) string {
	if c.Provider == "local" {
		return c.Provider // all share one machine
	}
	return c.Provider + " " + c.BaseURL
}

// plan lists the items that are to be made, and holds their estimated cost against the limit.
func (r *run) plan(ctx context.Context) ([]task, error) {
	if len(r.Chats) == 0 || len(r.Arms) == 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "run evaluation: a model and an arm are needed")
	}
	var tasks []task
	left, known := 0.0, true
	for _, q := range r.Questions {
		for _, chat := range r.Chats {
			for _, arm := range r.Arms {
				if !applies(arm, q) {
					continue
				}
				r.state.Total++
				t := task{question: q, chat: chat, arm: arm}
				if answered, there := r.folder.done[t.key()]; there && (answered || !r.RetryErrors) {
					r.state.Done++
					if !answered {
						r.state.Failed++
					}
					continue
				}
				var err error
				if t.cost, err = r.estimate(ctx, t); err != nil {
					return nil, err
				}
				if t.cost == nil {
					known = false
				} else {
					left += *t.cost
				}
				tasks = append(tasks, t)
			}
		}
	}
	r.state.SpentUSD = r.budget.total()
	if known {
		r.state.LeftUSD = &left
	}
	if r.MaxCost == nil || len(tasks) == 0 {
		return tasks, nil
	}
	if !known {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "run evaluation: the cost can't be limited, since a model's price is not known"),
			"give the model a price in your catalog, or leave --max-cost out")
	}
	if err := r.budget.allows(left); err != nil {
		return nil, fmt.Errorf("run evaluation: %w", err)
	}
	return tasks, nil
}

// applies reports whether the question can be asked by the arm: without evidence there is no right passage to give,
// and none is wrong.
func applies(arm string, q dataset.Question) bool {
	return arm != ArmOracle && arm != ArmDistractor || len(q.Evidence) > 0
}

const (
	instructionTokens = 250 // of the longest prompt without question and passages
	passageTokens     = 200
	answerTokens      = 1024
)

// estimate is an item's cost from above: as many passages as are asked for, and the longest answer.
func (r *run) estimate(ctx context.Context, t task) (*float64, error) {
	card := t.chat.Card()
	text := t.question.Question
	for _, m := range t.question.History {
		text += "\n" + m.Content
	}
	if t.arm == answer.ArmFewShot {
		for _, e := range r.Request.Examples {
			text += "\n" + e.Question + "\n" + e.Answer
		}
	}
	prompt, err := t.chat.CountTokens(ctx, text)
	if err != nil {
		return nil, err
	}
	prompt += instructionTokens
	if t.arm != answer.ArmPlain && t.arm != answer.ArmFewShot {
		prompt += cmp.Or(r.Request.TopK, 10) * passageTokens
	}
	if len(t.question.History) > 0 {
		prompt *= 2 // the question is rewritten first
	}
	completion := cmp.Or(r.Request.MaxTokens, answerTokens)
	if card.Context > 0 {
		prompt, completion = min(prompt, card.Context), min(completion, card.Context/4)
	}
	return card.Cost(prompt, completion), nil
}

// do makes one item, whose cost is reserved. Its error ends the run; an answer that came in spite of it is kept.
func (r *run) do(ctx context.Context, t task) error {
	item := Item{Model: t.chat.Card().ID, Arm: t.arm, Question: t.question, Calls: []Call{}, Started: time.Now().UTC()}
	recorded := &recorder{Chat: t.chat, cache: r.Cache}
	a, err := r.answer(ctx, t, recorded)
	item.Calls = append(item.Calls, recorded.calls...)
	item.SpentUSD = spent(recorded.calls, a.CostUSD, t.cost, err)
	if err == nil {
		recorded.correct(&a.Timings)
		item.Answer = &a
	} else {
		item.Error = err.Error()
	}
	r.budget.settle(t.cost, item.SpentUSD)
	if err != nil && (ctx.Err() != nil || errors.Is(err, corpus.ErrForbidden)) {
		return err
	}
	if err := r.folder.add(item); err != nil {
		return err
	}
	r.tell(t, item)
	return recorded.notKept
}

func (r *run) answer(ctx context.Context, t task, chat model.Chat) (a corpus.Answer, err error) {
	request := r.Request
	request.Question, request.History, request.Arm, request.Chat = t.question.Question, t.question.History, t.arm, chat
	switch t.arm {
	case ArmOracle:
		request.Passages, err = oracle(ctx, r.Retriever, request, t.question)
	case ArmDistractor:
		request.Passages, err = distractor(ctx, r.Retriever, request, t.question)
	}
	if err != nil {
		return a, err
	}
	return r.Answerer.Answer(ctx, request, nil)
}

// begin reserves an item's estimated cost.
func (r *run) begin(ctx context.Context, t task) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := r.budget.reserve(t.cost)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		err = fmt.Errorf("run evaluation: %d of %d items are there: %w", r.state.Done, r.state.Total, err)
	}
	return err
}

// tell tells of an item that was made.
func (r *run) tell(t task, item Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Done++
	if item.Answer == nil {
		r.state.Failed++
	}
	r.state.SpentUSD = r.budget.total()
	if r.state.LeftUSD != nil && t.cost != nil {
		left := max(0, *r.state.LeftUSD-*t.cost)
		r.state.LeftUSD = &left
	}
	if r.Observe != nil {
		r.Observe(r.state)
	}
}

// CheckArms refuses arms that there are not, with corpus.ErrInvalid.
func CheckArms(arms []string) error {
	for _, a := range arms {
		if !slices.Contains(ArmNames(), a) {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there is no arm %q", a), "choose from "+strings.Join(ArmNames(), ", "))
		}
	}
	return nil
}
