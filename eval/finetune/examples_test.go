package finetune

import (
	"context"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/prompts"
)

func TestNothingIsMadeOfWhatNobodyHasReviewed(t *testing.T) {
	draft := dataset.Question{ID: "a", Question: "Why?", Answers: []string{"Because."}, Answerable: true, Draft: true}
	examples, left, err := Make(t.Context(), Source{}, []dataset.Question{draft})
	if err != nil || len(examples) > 0 || len(left) != 1 || left[0].Question != "a" {
		t.Errorf("examples %v, left out %v, %v", examples, left, err)
	}
}

// shown answers by asking its chat with a prompt about passages.
type shown struct {
	prompt   string
	passages []corpus.Passage
}

func (s shown) Answer(ctx context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	_, err := r.Chat.Complete(ctx, model.Request{Messages: []model.Message{{Role: prompts.RoleUser, Content: s.prompt}}}, func(model.Delta) error { return nil })
	return corpus.Answer{Passages: s.passages}, err
}

func TestAnExampleCitesWhatItsPromptShows(t *testing.T) {
	passage := func(text string) corpus.Passage {
		return corpus.Passage{Document: "leave.md", PageStart: 1, PageEnd: 1, Text: text}
	}
	passages := []corpus.Passage{passage("Ask your manager."), passage("Everyone has 30 days of leave.")}
	quoted := dataset.Evidence{Document: "leave.md", Page: 1, Quote: "Everyone has 30 days"}
	for _, c := range []struct {
		name, prompt string
		evidence     dataset.Evidence
		want         string // "" when it is left out
	}{
		{"the passage with the quote", "[1] Ask your manager. [2] Everyone has 30 days of leave.", quoted, "30 days [2]."},
		{"all on the page where there is no quote", "[1] Ask your manager. [2] Everyone has 30 days of leave.", dataset.Evidence{Document: "leave.md", Page: 1}, "30 days [1][2]."},
		{"no number where the prompt has none", "Ask your manager. Everyone has 30 days of leave.", quoted, "30 days."},
		{"a quote that is not shown", "[1] Ask your manager. [2] Everyone has 30 days of leave.", dataset.Evidence{Document: "leave.md", Page: 1, Quote: "thirty"}, ""},
		{"another page", "[1] Ask your manager. [2] Everyone has 30 days of leave.", dataset.Evidence{Document: "leave.md", Page: 2}, ""},
	} {
		source := Source{Answerer: shown{c.prompt, passages}, Request: answer.Request{Arm: answer.ArmGrounded}, Count: func(string) int { return 1 }}
		examples, left, err := Make(t.Context(), source, []dataset.Question{{ID: "a", Question: "How many?", Answers: []string{"30 days."}, Evidence: []dataset.Evidence{c.evidence}, Answerable: true}})
		got := ""
		if len(examples) == 1 {
			got = examples[0].Messages[1].Content
		}
		if err != nil || got != c.want || (len(left) == 1) != (c.want == "") {
			t.Errorf("%s: %q, left out %v, %v; want %q", c.name, got, left, err, c.want)
		}
	}
}
