package api

import (
	"cmp"
	"context"
	"errors"
	"time"

	"grounded/corpus"
	"grounded/model"
)

// completion writes an answer in the form of a chat completion, whole or by events.
type completion struct {
	call    *call
	request *chatRequest
	events  *stream // nil when the answer is sent whole
	usage   bool    // events end with the usage
	id      string
	made    int64
	model   string
	roled   bool
	source  *chatContext // what the answer is made from, if anything
}

func (s *Server) completion(k *call, r *chatRequest) *completion {
	c := &completion{call: k, request: r, id: newID("chatcmpl-"), model: r.name(), made: time.Now().Unix()}
	if r.Stream {
		c.events = s.stream(k)
		c.usage = r.StreamOptions != nil && r.StreamOptions.IncludeUsage
	}
	return c
}

func (c *completion) close() {
	if c.events != nil {
		c.events.close()
	}
}

// modelHeader names the model that answered: the one that was asked, or its fallback. On a stream that began with a
// comment there is none.
const modelHeader = "Grounded-Model"

func (k *call) answeredBy(id string) {
	if id != "" {
		k.echo.Response().Header().Set(modelHeader, id)
	}
}

// by tells which model answers; an empty id is the one that was asked.
func (c *completion) by(id string) {
	id = cmp.Or(id, c.request.Model)
	c.model = c.request.nameOf(id)
	c.call.answeredBy(id)
}

type chatChunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *chatUsage    `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int         `json:"index"`
	Delta        chunkDelta  `json:"delta"`
	Logprobs     *struct{}   `json:"logprobs"`
	FinishReason corpus.Text `json:"finish_reason"`
}

type chunkDelta struct {
	Role        string           `json:"role,omitempty"`
	Content     *string          `json:"content,omitempty"`
	Context     *chatContext     `json:"context,omitempty"`
	Annotations []chatAnnotation `json:"annotations,omitempty"`
}

type chatCompletion struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
	Usage   *chatUsage   `json:"usage,omitempty"`
}

type chatChoice struct {
	Index        int         `json:"index"`
	Message      chatAnswer  `json:"message"`
	Logprobs     *struct{}   `json:"logprobs"`
	FinishReason corpus.Text `json:"finish_reason"`
}

type chatAnswer struct {
	Role        string           `json:"role"`
	Content     string           `json:"content"`
	Refusal     corpus.Text      `json:"refusal"`
	Annotations []chatAnnotation `json:"annotations"`
	Context     *chatContext     `json:"context,omitempty"`
}

// chatUsage is OpenAI's. It is left out when the model did not say.
type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func usageOf(u corpus.Usage) *chatUsage {
	if u.PromptTokens == nil || u.CompletionTokens == nil {
		return nil
	}
	return &chatUsage{*u.PromptTokens, *u.CompletionTokens, *u.PromptTokens + *u.CompletionTokens}
}

func (c *completion) chunk(delta chunkDelta, finish string) error {
	return c.events.data(chatChunk{ID: c.id, Object: "chat.completion.chunk", Created: c.made, Model: c.model,
		Choices: []chunkChoice{{Delta: delta, FinishReason: corpus.Text(finish)}}})
}

// role sends the first delta, once.
func (c *completion) role() error {
	if c.roled {
		return nil
	}
	c.roled = true
	empty := ""
	return c.chunk(chunkDelta{Role: "assistant", Content: &empty, Context: c.source}, "")
}

// delta sends a piece of the answer, if it is sent by events.
func (c *completion) delta(d model.Delta) error {
	if c.events == nil {
		return nil
	}
	if !c.roled {
		c.by(d.Model)
	}
	if err := c.role(); err != nil || d.Text == "" {
		return err
	}
	return c.chunk(chunkDelta{Content: &d.Text}, "")
}

// finish sends what is left of an answer: all of it, or the end of its events.
func (c *completion) finish(text, reason string, used corpus.Usage, annotations []chatAnnotation, source *chatContext) error {
	c.call.useAll(used)
	if c.events == nil {
		return c.call.json(chatCompletion{ID: c.id, Object: "chat.completion", Created: c.made, Model: c.model, Usage: usageOf(used),
			Choices: []chatChoice{{Message: chatAnswer{Role: "assistant", Content: text, Annotations: append([]chatAnnotation{}, annotations...), Context: source}, FinishReason: corpus.Text(reason)}}})
	}
	if err := c.role(); err != nil {
		return err
	}
	if len(annotations) > 0 {
		if err := c.chunk(chunkDelta{Annotations: annotations}, ""); err != nil {
			return err
		}
	}
	if err := c.chunk(chunkDelta{}, reason); err != nil {
		return err
	}
	if c.usage {
		last := chatChunk{ID: c.id, Object: "chat.completion.chunk", Created: c.made, Model: c.model, Choices: []chunkChoice{}, Usage: usageOf(used)}
		if err := c.events.data(last); err != nil {
			return err
		}
	}
	return c.events.write([]byte("data: [DONE]\n\n"))
}

// end tells an error, on the stream if one has begun.
func (c *completion) end(err error) error {
	if c.events == nil {
		if c.call.ctx.Err() != nil {
			return stopped(c.call)
		}
		return err
	}
	return c.events.end(c.call.ctx, err, func(f *fault) error { return c.events.data(f.openAI()) })
}

// stopped is why a request's context ended: its client has gone, it took too long, or the server is being stopped.
func stopped(k *call) error {
	cause := context.Cause(k.ctx)
	if errors.Is(cause, context.Canceled) {
		return errGone
	}
	return cause
}
