package api

import (
	"strings"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
)

// chatQuestion makes the request of an answer out of one of OpenAI's. What can't be honoured is refused.
func (s *Server) chatQuestion(k *call, r *chatRequest) (answer.Request, error) {
	who, instead := "the "+r.Arm+" arm", "ask the model "+r.Model+" for that by /v1/chat/completions, without documents"
	if err := r.textOnly(who, instead); err != nil {
		return answer.Request{}, err
	}
	if r.Arm == answer.ArmPlain {
		return answer.Request{Arm: r.Arm}, nil
	}
	instructions, history, question, err := r.conversation()
	if err != nil {
		return answer.Request{}, err
	}
	ask, err := s.question(k, asked{arm: r.Arm, collection: r.Collection, topK: r.TopK, mode: r.Mode, filter: r.Filter, inScope: r.InScope})
	if err != nil {
		return ask, err
	}
	ask.Question, ask.History, ask.Instructions = question, history, instructions
	ask.Seed, ask.TopP, ask.Stop = r.Seed, r.TopP, r.Stop
	if n := r.maxTokens(); n > 0 {
		ask.MaxTokens = n
	}
	if r.Temperature != nil {
		ask.Temperature = r.Temperature
	}
	return ask, nil
}

// reply answers one of OpenAI's requests: from the documents, or, in the plain arm, its messages as they are. delta,
// if it is not nil, is called with each piece of the text.
func (s *Server) reply(k *call, r *chatRequest, ask answer.Request, delta func(model.Delta) error) (corpus.Answer, error) {
	if ask.Arm == answer.ArmPlain {
		return s.plainReply(k, r, delta)
	}
	begun := false
	var stream func(answer.Event) error
	if delta != nil {
		stream = func(e answer.Event) error {
			if !begun { // the whole answer's text begins without space
				e.Delta = strings.TrimLeft(e.Delta, " \t\r\n")
			}
			if e.Delta == "" {
				return nil
			}
			begun = true
			return delta(model.Delta{Text: e.Delta, Model: e.Model})
		}
	}
	a, err := s.answer(k.ctx, ask, r.Model, stream)
	if err != nil && k.ctx.Err() != nil {
		err = stopped(k)
	}
	k.useAll(a.Usage)
	k.answeredBy(a.Model)
	return a, err
}

func (s *Server) plainReply(k *call, r *chatRequest, delta func(model.Delta) error) (corpus.Answer, error) {
	chat, err := s.engine.chat(k.ctx, r.Model)
	if err != nil {
		return corpus.Answer{}, err
	}
	for i, m := range r.Messages {
		if m.Role == "tool" || m.Role == "function" {
			return corpus.Answer{}, unsupported("messages", "message %d of role %s cannot be read here; use /v1/chat/completions", i, m.Role)
		}
	}
	response, err := chat.Complete(k.ctx, r.plain(), delta)
	if err != nil {
		if k.ctx.Err() != nil {
			err = stopped(k)
		}
		return corpus.Answer{}, err
	}
	used := corpus.Usage{PromptTokens: response.PromptTokens, CompletionTokens: response.CompletionTokens}
	k.useAll(used)
	id := r.Model
	if response.Fallback != nil {
		id = response.Fallback.ID
	}
	k.answeredBy(id)
	return corpus.Answer{Model: id, Text: response.Text, FinishReason: response.FinishReason, Usage: used}, nil
}
