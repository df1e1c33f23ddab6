package answer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

// promptTokens is the length of the n-th prompt as the model counts, with what the chat format adds.
func promptTokens(s *script, n int) int {
	total := messageTokens
	for _, m := range s.asked[n].Messages {
		total += len(strings.Fields(m.Content)) + messageTokens
	}
	return total
}

func TestPromptNeverExceedsTheWindow(t *testing.T) {
	long := strings.Repeat("Meals are paid up to 40 euros a day. ", 12)
	for _, window := range []int{500, 700, 900, 1500, 4096, 100_000} {
		b := newBench(t, "Meals are paid up to 40 euros a day [1].")
		b.chat.card.Context = window
		dense := .95
		b.finder.passages = nil
		for i := range 30 {
			b.finder.passages = append(b.finder.passages, corpus.Passage{Document: fmt.Sprint(i), DocumentID: "x", PageStart: 1, Text: long, Scores: corpus.Scores{Dense: &dense}})
		}
		history := []model.Message{{Role: "user", Content: long + long + long}, {Role: "assistant", Content: "Yes."}}
		a := b.answer(t, Request{Question: "Are meals paid?", History: history})
		last := len(b.chat.asked) - 1
		got := promptTokens(b.chat, last) + b.chat.asked[last].MaxTokens
		if got > window {
			t.Errorf("window %d: %d tokens of prompt and answer", window, got)
		}
		if len(a.Passages) == 0 || a.Passages[0].Document != "0" {
			t.Errorf("window %d: the best passage is not there", window)
		}
		if window == 100_000 && len(a.Passages) != 30 {
			t.Errorf("window %d: %d passages, want all 30", window, len(a.Passages))
		}
		t.Logf("window %d: %d passages, %d tokens", window, len(a.Passages), got)
	}
}

func TestPassageThatDoesNotFitIsCutBehindASentence(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day [1].")
	b.chat.card.Context = 600
	long := "Meals are paid up to 40 euros a day. " + strings.Repeat("Word after word goes by here. ", 200)
	dense := .95
	b.finder.passages = []corpus.Passage{{DocumentID: "x", PageStart: 1, Text: long, Scores: corpus.Scores{Dense: &dense}}}
	a := b.answer(t, Request{Question: "Are meals paid?"})
	prompt := b.chat.prompt(0)
	if !strings.Contains(prompt, "40 euros a day. Word after word goes by here.\n</passage") && !strings.Contains(prompt, "goes by here.\n</passage") {
		t.Errorf("not cut behind a sentence: %q", prompt)
	}
	if len(a.Passages) != 1 || a.Passages[0].Text != long {
		t.Error("the answer's passage is not the one that was retrieved")
	}
}

func TestQuestionLongerThanTheWindowIsALimit(t *testing.T) {
	b := newBench(t, "x")
	b.chat.card.Context = 200
	_, err := b.service.Answer(t.Context(), Request{Question: strings.Repeat("meals paid ", 200), Arm: ArmPlain, Chat: b.chat}, nil)
	if !errors.Is(err, corpus.ErrLimit) || corpus.HintOf(err) == "" {
		t.Errorf("got %v, want ErrLimit with a hint", err)
	}
}

func TestAsManyExamplesAsFitAreShown(t *testing.T) {
	b := newBench(t, "x")
	b.chat.card.Context = 400
	var examples []prompts.Example
	for i := range 20 {
		examples = append(examples, prompts.Example{Question: fmt.Sprint("Question ", i), Answer: strings.Repeat("word ", 30)})
	}
	b.answer(t, Request{Question: "Are meals paid?", Arm: ArmFewShot, Examples: examples})
	if n := len(b.chat.asked[0].Messages); n < 4 || n > 30 || promptTokens(b.chat, 0) > 300 {
		t.Errorf("%d messages of %d tokens", n, promptTokens(b.chat, 0))
	}
}

func TestSmallModelGetsTheShortPrompt(t *testing.T) {
	b := newBench(t, "Meals are paid up to 40 euros a day.")
	b.chat.card.Parameters = 135_000_000
	a := b.answer(t, Request{Question: "Are meals paid?"})
	if strings.Contains(b.chat.prompt(0), "<passage") || len(a.Citations) != 1 {
		t.Errorf("asked %q, cited %+v", b.chat.prompt(0), a.Citations)
	}
}

func TestMostFindsTheLargestThatFits(t *testing.T) {
	for limit := range 20 {
		for fitting := range limit + 1 {
			got, err := most(limit, func(n int) (bool, error) { return n <= fitting, nil })
			if got != fitting || err != nil {
				t.Fatalf("most of %d with %d fitting: %d, %v", limit, fitting, got, err)
			}
		}
	}
}
