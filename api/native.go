package api

import (
	"errors"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
	"grounded/retrieve"
	"grounded/wire"
)

// nativeRequest is the body of the native routes that ask a question. Messages may have their content as parts.
type nativeRequest struct {
	wire.Question
	History []chatMessage `json:"history"`
}

// retrieve is POST /api/retrieve.
func (s *Server) retrieve(k *call) error {
	var r nativeRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	ask, err := s.question(k, asked{collection: r.Collection, topK: r.TopK, mode: r.Mode, filter: r.Filter})
	if err != nil {
		return err
	}
	if err := s.reserve(k, tokensOf(r.Question.Question)); err != nil {
		return err
	}
	found, err := s.engine.Retrieve(k.ctx, retrieve.Request{Scope: ask.Scope, Question: r.Question.Question, TopK: ask.TopK, Mode: ask.Mode, Filter: ask.Filter})
	if err != nil {
		return s.failed(k, err, ask.Scope.Collection)
	}
	k.use(found.EmbeddingTokens)
	return k.json(wire.Retrieved{Question: r.Question.Question, Passages: append([]corpus.Passage{}, found.Passages...)})
}

// failed is why a request has no answer.
func (s *Server) failed(k *call, err error, collection string) error {
	if k.ctx.Err() != nil {
		return stopped(k)
	}
	return missing(err, collection)
}

// request is what the native routes have in common with a chat completion.
func (s *Server) request(k *call, r nativeRequest, arm string) (answer.Request, error) {
	ask, err := s.question(k, asked{arm: arm, collection: r.Collection, topK: r.TopK, mode: r.Mode, filter: r.Filter, inScope: r.InScope})
	if err != nil {
		return ask, err
	}
	for _, m := range r.History {
		if m.Role != prompts.RoleUser && m.Role != prompts.RoleAssistant {
			return ask, invalid("history", "history has a message of role %s; it takes user and assistant", quoted(m.Role))
		}
		ask.History = append(ask.History, model.Message{Role: m.Role, Content: m.Content.Text})
	}
	ask.Question, ask.Seed = r.Question.Question, r.Seed
	if r.MaxTokens > 0 {
		ask.MaxTokens = r.MaxTokens
	}
	if r.Temperature != nil {
		ask.Temperature = r.Temperature
	}
	return ask, nil
}

// chatModel is the model of a request, or the server's.
func (s *Server) chatModel(name string) (string, error) {
	if name == "" {
		name = s.config.Chat
	}
	if name == "" {
		return "", invalid("model", "name a model; this server has no default. GET /v1/models lists them")
	}
	_, err := s.engine.card(name, model.TaskChat)
	return name, err
}

// answerQuestion is POST /api/answer. As events: retrieved with the passages, delta with text, citation for each, done
// with the whole answer.
func (s *Server) answerQuestion(k *call) error {
	var r nativeRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	name, err := s.chatModel(r.Model)
	if err != nil {
		return err
	}
	if r.Arm == "" {
		r.Arm = answer.ArmGrounded
	}
	ask, err := s.request(k, r, r.Arm)
	if err != nil {
		return err
	}
	if err := s.reserve(k, s.nativeTokens(r, 1)); err != nil {
		return err
	}
	if !r.Stream {
		a, err := s.answer(k.ctx, ask, name, nil)
		if err != nil {
			return s.failed(k, err, ask.Scope.Collection)
		}
		k.useAll(a.Usage)
		k.answeredBy(a.Model)
		return k.json(a)
	}
	w := s.stream(k)
	defer w.close()
	a, err := s.answer(k.ctx, ask, name, func(e answer.Event) error {
		if e.Passages != nil {
			return w.event(wire.EventRetrieved, wire.Passages{Passages: e.Passages})
		}
		return w.event(wire.EventDelta, wire.Delta{Text: e.Delta})
	})
	if err == nil {
		k.useAll(a.Usage)
		err = s.closing(w, a)
	}
	return w.end(k.ctx, err, s.tell(k, w))
}

// closing sends the citations and the whole answer.
func (s *Server) closing(w *stream, a corpus.Answer) error {
	for _, c := range a.Citations {
		if err := w.event(wire.EventCitation, c); err != nil {
			return err
		}
	}
	return w.event(wire.EventDone, a)
}

// tell is how a stream of a native route ends with an error.
func (s *Server) tell(k *call, w *stream) func(*fault) error {
	id := k.echo.Response().Header().Get(requestIDHeader)
	return func(f *fault) error { return w.event(wire.EventError, f.problem(id)) }
}

func compared(c answer.Cell) wire.ComparedAnswer {
	a := wire.ComparedAnswer{Answer: c.Answer}
	a.Model, a.Arm = c.Model, c.Arm
	if a.Citations == nil {
		a.Citations, a.Passages, a.Unsupported = []corpus.Citation{}, []corpus.Passage{}, []string{}
	}
	if c.Err != nil {
		message := faultOf(c.Err).message
		a.Error = &message
	}
	return a
}

// maxCells is the most answers of one comparison.
const maxCells = 32

// compare is POST /api/compare. As events: answer for each as it is finished, then done.
func (s *Server) compare(k *call) error {
	var r nativeRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	if len(r.Arms) == 0 {
		r.Arms = []string{answer.ArmPlain, answer.ArmGrounded}
	}
	if len(r.Models) == 0 {
		r.Models = []string{r.Model}
	}
	if len(r.Models)*len(r.Arms) > maxCells {
		return invalid("models", "%d models by %d arms are over %d answers; ask for fewer at once", len(r.Models), len(r.Arms), maxCells)
	}
	c := answer.Comparison{Arms: r.Arms}
	for _, name := range r.Models {
		name, err := s.chatModel(name)
		if err != nil {
			return err
		}
		chat, err := s.engine.alone(k.ctx, name)
		if err != nil {
			return err
		}
		c.Chats = append(c.Chats, chat)
	}
	for _, arm := range r.Arms {
		var err error
		if c.Request, err = s.request(k, r, arm); err != nil {
			return err
		}
	}
	service, err := s.engine.answerer(k.ctx, c.Scope.Collection)
	if err != nil {
		return missing(err, c.Scope.Collection)
	}
	if err := s.reserve(k, s.nativeTokens(r, len(r.Models)*len(r.Arms))); err != nil {
		return err
	}
	if !r.Stream {
		cells, err := service.Compare(k.ctx, c, func(_ int, cell answer.Cell) { s.counted(cell) })
		if err != nil {
			return s.failed(k, err, c.Scope.Collection)
		}
		k.useCells(cells)
		return k.json(comparisonOf(r.Question.Question, cells))
	}
	w := s.stream(k)
	defer w.close()
	cells, err := service.Compare(k.ctx, c, func(_ int, cell answer.Cell) {
		s.counted(cell)
		_ = w.event(wire.EventAnswer, compared(cell))
	})
	k.useCells(cells)
	if err == nil {
		err = w.event(wire.EventDone, comparisonOf(r.Question.Question, cells))
	}
	return w.end(k.ctx, err, s.tell(k, w))
}

func (s *Server) counted(c answer.Cell) {
	s.config.Telemetry.Answer(c.Model, c.Arm, c.Answer, c.Err)
}

func comparisonOf(question string, cells []answer.Cell) wire.Comparison {
	c := wire.Comparison{Question: question, Answers: []wire.ComparedAnswer{}}
	for _, cell := range cells {
		c.Answers = append(c.Answers, compared(cell))
	}
	return c
}

// catalog is GET /api/models.
func (s *Server) listCatalog(k *call) error {
	q := k.echo.QueryParam
	filter := model.Filter{
		Task: model.Task(q("task")), Provider: q("provider"), Access: q("kind"), Deployment: q("deployment"),
		License: q("license"), Name: q("name"), Text: q("text"),
	}
	if err := filter.Check(); err != nil {
		return err
	}
	cards := s.engine.Catalog.Filter(filter)
	list := make([]model.Card, 0, len(cards))
	for _, card := range cards {
		list = append(list, published(card))
	}
	return k.json(wire.Page[model.Card]{Data: list})
}

// published is a card without what is this server's own affair.
func published(c model.Card) model.Card {
	c.BaseURL, c.APIKeyEnv, c.Command, c.Health = "", "", nil, ""
	return c
}

func (s *Server) getCard(k *call) error {
	card, err := s.engine.Catalog.Get(k.pathParameter("id"))
	if errors.Is(err, corpus.ErrNotFound) {
		return modelNotFound(k.pathParameter("id"), "")
	}
	if err != nil {
		return err
	}
	return k.json(published(card))
}
