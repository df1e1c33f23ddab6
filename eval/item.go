package eval

import (
	"context"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
)

// The arms that only an evaluation has: the first shows how good retrieval could make the answers, the second what
// wrong passages do to them.
const (
	ArmOracle     = "oracle"     // passages that hold the evidence
	ArmDistractor = "distractor" // the nearest passages that do not
)

// Item is what one model answered to one question by one arm, with all that is needed to score it.
type Item struct {
	Model    string           `json:"model"`
	Arm      string           `json:"arm"`
	Question dataset.Question `json:"question"`
	Answer   *corpus.Answer   `json:"answer"` // nil when it failed
	Error    string           `json:"error,omitempty"`
	Calls    []Call           `json:"calls"` // of the chat model, in order; none when it was not asked
	Started  time.Time        `json:"started"`
}

// key tells items of a run apart.
type key struct{ model, arm, question string }

func (i Item) key() key { return key{i.Model, i.Arm, i.Question.ID} }

// Call is one request to a chat model and its response.
type Call struct {
	Messages         []model.Message `json:"messages"`
	MaxTokens        int             `json:"max_tokens,omitempty"`
	Temperature      *float64        `json:"temperature,omitempty"`
	Seed             *int            `json:"seed,omitempty"`
	Text             string          `json:"text"`
	FinishReason     string          `json:"finish_reason,omitempty"`
	PromptTokens     *int            `json:"prompt_tokens"`
	CompletionTokens *int            `json:"completion_tokens"`
	Error            string          `json:"error,omitempty"`
}

// recorder is a chat model that keeps what it is asked and answers.
type recorder struct {
	model.Chat
	mu    sync.Mutex
	calls []Call
}

// Complete passes on and records.
func (r *recorder) Complete(ctx context.Context, q model.Request, stream func(model.Delta) error) (model.Response, error) {
	response, err := r.Chat.Complete(ctx, q, stream)
	call := Call{
		Messages: q.Messages, MaxTokens: q.MaxTokens, Temperature: q.Temperature, Seed: q.Seed,
		Text: response.Text, FinishReason: response.FinishReason, PromptTokens: response.PromptTokens, CompletionTokens: response.CompletionTokens,
	}
	if err != nil {
		call.Error = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return response, err
}
