package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
)

// asked is what every way to ask a question has in common.
type asked struct {
	arm, collection string
	topK            *int
	mode            string
	filter          corpus.Filter
	inScope         *bool // false lets the answer come from outside of the documents
}

// question makes the request of an answer, with the documents that the caller may see.
func (s *Server) question(k *call, a asked) (answer.Request, error) {
	scope, err := s.collection(k, a.collection)
	if err != nil {
		return answer.Request{}, err
	}
	r := answer.Request{
		Arm: a.arm, Scope: scope, TopK: s.config.TopK, Mode: s.config.Mode, Filter: a.filter,
		Outside: a.inScope != nil && !*a.inScope, MaxTokens: s.config.MaxTokens, Temperature: s.config.Temperature, Examples: s.config.Examples,
	}
	if a.topK != nil {
		r.TopK = *a.topK
	}
	if a.mode != "" {
		r.Mode = a.mode
	}
	if a.arm == answer.ArmFewShot && len(r.Examples) == 0 {
		return r, unsupported("arm", "the few-shot arm needs examples; whoever runs this server names a file of them as answer.examples")
	}
	return r, nil
}

// answer makes an answer from the caller's collection, and tells one that is not there as any other that the caller
// may not see.
func (s *Server) answer(ctx context.Context, r answer.Request, modelID string, stream func(answer.Event) error) (corpus.Answer, error) {
	chat, err := s.engine.chat(ctx, modelID)
	if err != nil {
		return corpus.Answer{}, err
	}
	service, err := s.engine.answerer(ctx, r.Scope.Collection)
	if err != nil {
		return corpus.Answer{}, missing(err, r.Scope.Collection)
	}
	r.Chat = chat
	a, err := service.Answer(ctx, r, stream)
	s.config.Telemetry.Answer(modelID, cmp.Or(r.Arm, answer.ArmGrounded), a, err)
	return a, missing(err, r.Scope.Collection)
}

// missing is how a collection that is not there is told.
func missing(err error, collection string) error {
	if err != nil && faultOf(err).status == http.StatusNotFound && faultOf(err).param == "" {
		return noCollection(collection)
	}
	return err
}

// answeredChat is a chat completion by an arm with a prompt of its own.
func (s *Server) answeredChat(k *call, r *chatRequest) error {
	ask, err := s.chatQuestion(k, r)
	if err != nil {
		return err
	}
	c := s.completion(k, r)
	defer c.close()
	begun := false
	a, err := s.answer(k.ctx, ask, r.Model, func(e answer.Event) error {
		if e.Passages != nil {
			c.source = s.chatContext(k, ask.Scope.Collection, e.Passages)
			return nil
		}
		if !begun { // the answer's text begins without space, and places in it are told
			e.Delta = strings.TrimLeft(e.Delta, " \t\r\n")
		}
		begun = begun || e.Delta != ""
		return c.delta(model.Delta{Text: e.Delta, Model: e.Model})
	})
	if err != nil {
		return c.end(err)
	}
	c.by(a.Model)
	return c.finish(a.Text, a.FinishReason, a.Usage, s.annotations(k, ask.Scope.Collection, a), s.source(k, ask, a))
}
