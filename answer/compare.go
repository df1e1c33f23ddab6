package answer

import (
	"context"
	"slices"
	"sync"

	"grounded/corpus"
	"grounded/model"
)

// Comparison asks one question of several models by several arms.
type Comparison struct {
	Request              // the question; its Arm and Chat are not used
	Arms    []string     // default all built-in ones; few-shot only if there are examples
	Chats   []model.Chat // at least one
	AtOnce  int          // models asked at the same time; default 4. A model is asked one question at a time, so that its times are its own
}

// Cell is one answer of a comparison, or why there is none.
type Cell struct {
	Model  string
	Arm    string
	Answer corpus.Answer
	Err    error
}

const defaultAtOnce = 4

// Compare returns a cell for each model and arm, model by model in the order asked. Retrieval is done once, and its tokens
// are those of the first cell that needs it, so that the cells' usage and cost can be added up. done,
// if it is not nil, is called with each cell as it is finished, never twice at the same time. What fails is in
// its cell; the error is corpus.ErrInvalid for a request that can't be, or the context's.
func (s *Service) Compare(ctx context.Context, c Comparison, done func(index int, cell Cell)) ([]Cell, error) {
	arms, err := s.comparedArms(c)
	if err != nil {
		return nil, err
	}
	var once *found
	var findErr error
	finding := slices.IndexFunc(arms, func(arm Arm) bool { return arm.Passages == RetrievedPassages && c.Passages == nil })
	if finding >= 0 {
		r := c.Request
		r.Chat = c.Chats[0]
		f, err := s.find(ctx, r)
		once, findErr = &f, err
	}
	cells := make([]Cell, len(c.Chats)*len(arms))
	atOnce := c.AtOnce
	if atOnce <= 0 {
		atOnce = defaultAtOnce
	}
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, chat := range c.Chats {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for j, arm := range arms {
				at := i*len(arms) + j
				f := once
				if f != nil && at != finding { // the first cell used the tokens of rewriting and searching, the others none
					f = &found{searched: f.searched, passages: f.passages, abstain: f.abstain, embedding: new(int), took: f.took}
				}
				cell := s.cell(ctx, c.Request, arm, chat, f, findErr)
				mu.Lock()
				cells[at] = cell
				if done != nil {
					done(at, cell)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return cells, ctx.Err()
}

func (s *Service) cell(ctx context.Context, r Request, arm Arm, chat model.Chat, once *found, findErr error) Cell {
	cell := Cell{Model: chat.Card().ID, Arm: arm.Name}
	r.Arm, r.Chat = arm.Name, chat
	f := once
	if arm.Passages != RetrievedPassages || r.Passages != nil {
		f = nil
	} else if findErr != nil {
		cell.Err = findErr
		return cell
	}
	cell.Answer, cell.Err = s.complete(ctx, r, arm, f, nil)
	return cell
}

func (s *Service) comparedArms(c Comparison) ([]Arm, error) {
	if len(c.Chats) == 0 {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "compare: there is no chat model"), "name at least one")
	}
	names := c.Arms
	if len(names) == 0 {
		for _, arm := range builtinArms() {
			if !arm.Examples || len(c.Examples) > 0 {
				names = append(names, arm.Name)
			}
		}
	}
	var arms []Arm
	for _, name := range names {
		r := c.Request
		r.Arm, r.Chat = name, c.Chats[0]
		arm, err := s.validate(r)
		if err != nil {
			return nil, err
		}
		arms = append(arms, arm)
	}
	return arms, nil
}
