package answer

import (
	"errors"
	"testing"

	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

func TestCompareRetrievesOnceAndLosesNoCellToAnother(t *testing.T) {
	b := newBench(t, "x")
	broken := errors.New("broken")
	good := &script{card: model.Card{ID: "good"}, replies: []string{"Meals are paid up to 40 euros a day [1]."}}
	bad := &script{card: model.Card{ID: "bad"}, err: broken, replies: []string{""}}
	finished := 0
	cells, err := b.service.Compare(t.Context(), Comparison{
		Request: Request{Question: "Are meals paid?"},
		Chats:   []model.Chat{bad, good},
		Arms:    []string{ArmPlain, "again", ArmGrounded},
	}, func(int, Cell) { finished++ })
	if err != nil || len(cells) != 6 || finished != 6 {
		t.Fatalf("%d cells, %d finished, %v", len(cells), finished, err)
	}
	for i, c := range cells {
		wantArm := []string{ArmPlain, "again", ArmGrounded}[i%3]
		if wantModel := []string{"bad", "good"}[i/3]; c.Model != wantModel || c.Arm != wantArm || errors.Is(c.Err, broken) != (c.Model == "bad") {
			t.Errorf("cell %d: got %s %s %v", i, c.Model, c.Arm, c.Err)
		}
	}
	if len(cells[5].Answer.Citations) != 1 || cells[5].Answer.Timings.RetrieveMS == nil || cells[3].Answer.Timings.RetrieveMS != nil {
		t.Errorf("grounded: %+v", cells[5].Answer)
	}
	if len(b.finder.asked) != 1 || good.most != 1 {
		t.Errorf("%d retrievals, %d questions at once to a model; want 1 and 1", len(b.finder.asked), good.most)
	}
}

func TestCompareKeepsPlainWhenRetrievalFails(t *testing.T) {
	b := newBench(t, "Yes.")
	b.finder.err = corpus.Errorf(corpus.ErrUnavailable, "search: down")
	request := Request{Question: "Are meals paid?", Examples: []prompts.Example{{Question: "a", Answer: "b"}}}
	cells, err := b.service.Compare(t.Context(), Comparison{Request: request, Chats: []model.Chat{b.chat}}, nil)
	if err != nil || len(cells) != 3 || cells[0].Err != nil || cells[1].Err != nil || !errors.Is(cells[2].Err, corpus.ErrUnavailable) {
		t.Errorf("got %+v, %v", cells, err)
	}
	if _, err := b.service.Compare(t.Context(), Comparison{Request: Request{Question: "q"}}, nil); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("without a model: got %v", err)
	}
}

func TestWhatRetrievalUsedIsCountedOnceInAComparison(t *testing.T) {
	b := newBench(t, "x")
	const tokens = 7 // that the finder uses
	price := 1.
	card := func(id string) model.Card {
		return model.Card{ID: id, Context: 8192, Price: model.Price{In: &price, Out: &price}}
	}
	one := &script{card: card("one"), replies: []string{"Are meals of travellers paid?", "Meals are paid up to 40 euros a day [1]."}}
	other := &script{card: card("other"), replies: []string{"Meals are paid up to 40 euros a day [1]."}}
	cells, err := b.service.Compare(t.Context(), Comparison{
		Request: Request{Question: "Are they paid?", History: []model.Message{{Role: prompts.RoleUser, Content: "What of meals?"}, {Role: prompts.RoleAssistant, Content: "Yes."}}},
		Chats:   []model.Chat{one, other},
		Arms:    []string{ArmPlain, ArmGrounded, "again"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rewritten := 0
	for i, c := range cells {
		if c.Err != nil {
			t.Fatal(c.Err)
		}
		u := c.Answer.Usage
		if want := map[bool]int{true: tokens}[i == 1]; c.Arm != ArmPlain && (u.EmbeddingTokens == nil || *u.EmbeddingTokens != want) {
			t.Errorf("cell %d used %v embedding tokens, want %d", i, u.EmbeddingTokens, want)
		}
		if *u.PromptTokens > *cells[2].Answer.Usage.PromptTokens {
			rewritten++
		}
	}
	if rewritten != 1 {
		t.Errorf("rewriting is counted %d times", rewritten)
	}
}
