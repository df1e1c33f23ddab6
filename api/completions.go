package api

import (
	"cmp"
	"encoding/json"
	"time"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
)

// completionRequest is that of the older completions, which some SDKs send by default. The rest is a chat request's.
type completionRequest struct {
	chatRequest
	Prompt promptText `json:"prompt"`
	Echo   bool       `json:"echo"`
	Suffix string     `json:"suffix"`
	BestOf *int       `json:"best_of"`
}

// promptText is one text, or a list of one.
type promptText string

// UnmarshalJSON reads either; several prompts at once would need several answers.
func (p *promptText) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(p))
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 1 {
		return unsupported("prompt", "prompt is one text here; send each in a request of its own, and no tokens")
	}
	*p = promptText(list[0])
	return nil
}

type textCompletion struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []textChoice `json:"choices"`
	Usage   *chatUsage   `json:"usage,omitempty"`
}

type textChoice struct {
	Index        int          `json:"index"`
	Text         string       `json:"text"`
	Logprobs     *struct{}    `json:"logprobs"`
	FinishReason corpus.Text  `json:"finish_reason"`
	Context      *chatContext `json:"context,omitempty"`
}

// completions is POST /v1/completions: the prompt is asked as a question.
func (s *Server) completions(k *call) error {
	var r completionRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	if r.Echo || r.Suffix != "" || r.BestOf != nil && *r.BestOf > 1 {
		return unsupported("", "echo, suffix and best_of are not supported; leave them out")
	}
	r.Messages = []chatMessage{{Role: "user", Content: chatContent{Text: string(r.Prompt)}}}
	if err := r.resolve(s); err != nil {
		return err
	}
	ask, err := s.chatQuestion(k, &r.chatRequest)
	if err != nil {
		return err
	}
	if err := s.reserve(k, s.chatTokens(&r.chatRequest)); err != nil {
		return err
	}
	base := textCompletion{ID: newID("cmpl-"), Object: "text_completion", Created: time.Now().Unix(), Model: r.name()}
	if !r.Stream {
		a, err := s.reply(k, &r.chatRequest, ask, nil)
		if err != nil {
			return err
		}
		base.Model, base.Usage = r.nameOf(a.Model), usageOf(a.Usage)
		base.Choices = []textChoice{{Text: a.Text, FinishReason: corpus.Text(a.FinishReason), Context: s.source(k, ask, a)}}
		return k.json(base)
	}
	w := s.stream(k)
	defer w.close()
	send := func(c textChoice) error {
		chunk := base
		chunk.Choices = []textChoice{c}
		return w.data(chunk)
	}
	a, err := s.reply(k, &r.chatRequest, ask, func(d model.Delta) error {
		by := cmp.Or(d.Model, r.Model)
		base.Model = r.nameOf(by)
		k.answeredBy(by)
		return send(textChoice{Text: d.Text})
	})
	if err == nil {
		err = send(textChoice{FinishReason: corpus.Text(a.FinishReason), Context: s.source(k, ask, a)})
	}
	if err == nil && r.StreamOptions != nil && r.StreamOptions.IncludeUsage {
		base.Choices, base.Usage = []textChoice{}, usageOf(a.Usage)
		err = w.data(base)
	}
	if err == nil {
		err = w.write([]byte("data: [DONE]\n\n"))
	}
	return w.end(k.ctx, err, func(f *fault) error { return w.data(f.openAI()) })
}

// source is what a grounded answer was made from.
func (s *Server) source(k *call, ask answer.Request, a corpus.Answer) *chatContext {
	if ask.Arm != answer.ArmGrounded {
		return nil
	}
	c := s.chatContext(k, ask.Scope.Collection, a.Passages)
	c.mark(a)
	return c
}
