package eval

import (
	"context"
	"errors"
	"slices"
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
	// SpentUSD is what making it cost then, in US dollars: nothing for what a cache answered, the estimate where the
	// provider did not count; nil when no price is known.
	SpentUSD *float64 `json:"spent_usd,omitempty"`
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
	Cached           bool            `json:"cached,omitempty"` // it was asked at another time; nothing was paid for it now
}

// recorder is a chat model that keeps what it is asked and answers, and asks nothing that its cache has the answer to.
type recorder struct {
	model.Chat
	cache Cache
	anew  bool // asks whatever the cache has
	mu    sync.Mutex
	calls []Call
	// What cached answers took when they were asked: all of the time, and that until the last one's first text.
	took, first time.Duration
	notKept     error // why the cache has not got an answer
}

// Complete passes on and records.
func (r *recorder) Complete(ctx context.Context, q model.Request, stream func(model.Delta) error) (model.Response, error) {
	var response model.Response
	var known bool
	var err error
	if !r.anew {
		response, known, err = r.cache.get(r.Card(), q)
	}
	switch {
	case err != nil:
		return response, err
	case known && stream != nil:
		err = stream(model.Delta{Text: response.Text})
	case !known:
		response, err = r.Chat.Complete(ctx, q, stream)
	}
	call := Call{
		Messages: q.Messages, MaxTokens: q.MaxTokens, Temperature: q.Temperature, Seed: q.Seed, Cached: known,
		Text: response.Text, FinishReason: response.FinishReason, PromptTokens: response.PromptTokens, CompletionTokens: response.CompletionTokens,
	}
	if err != nil {
		call.Error = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	if err == nil && !known && response.Text != "" {
		r.notKept = errors.Join(r.notKept, r.cache.put(r.Card(), q, response))
	}
	if known {
		r.first = r.took + response.FirstToken
		r.took += response.Total
	}
	return response, err
}

// correct gives an answer the time that its model took when it was asked.
func (r *recorder) correct(t *corpus.Timings) {
	add := func(ms *float64, d time.Duration) *float64 {
		if ms == nil || d == 0 {
			return ms
		}
		sum := *ms + float64(d.Microseconds())/1000
		return &sum
	}
	t.FirstTokenMS, t.TotalMS = add(t.FirstTokenMS, r.first), add(t.TotalMS, r.took)
}

// paid reports whether any call was made now.
func paid(calls []Call) bool {
	return slices.ContainsFunc(calls, func(c Call) bool { return !c.Cached })
}
