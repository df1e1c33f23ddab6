package main

import (
	"context"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"grounded/answer"
	"grounded/client"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
	"grounded/retrieve"
	"grounded/wire"
)

// engine answers questions: the parts of this program over a store, or a server.
type engine interface {
	// retrieve finds passages for each question.
	retrieve(ctx context.Context, questions []wire.Question) ([]wire.Retrieved, error)
	// answer answers one; stream, if it is not nil, is called with the text as it is written.
	answer(ctx context.Context, q wire.Question, stream func(string) error) (corpus.Answer, error)
	// compare answers one by each of its models and arms.
	compare(ctx context.Context, q wire.Question) (wire.Comparison, error)
}

// withEngine connects the engine that is meant. examples is the file of --examples.
func (p *program) withEngine(ctx context.Context, presence presence, examples string, use func(e engine, collection string) error) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	server, err := p.connect(c)
	switch {
	case err != nil:
		return err
	case server != nil && examples != "":
		return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--examples is for answers made here"), "a server has its own (answer.examples of its configuration)")}
	case server != nil:
		return use(remoteEngine{server}, c.Collection)
	}
	return p.with(ctx, presence, func(s *services) error { return use(localEngine{s, examples}, s.config.Collection) })
}

// localEngine is this program's own.
type localEngine struct {
	*services
	examples string // file
}

func (e localEngine) retrieve(ctx context.Context, questions []wire.Question) ([]wire.Retrieved, error) {
	r, err := e.retriever(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Retrieved, 0, len(questions))
	for len(questions) > 0 {
		batch := questions[:min(batchSize, len(questions))]
		questions = questions[len(batch):]
		requests := make([]retrieve.Request, len(batch))
		for i, q := range batch {
			requests[i] = e.searchRequest(q)
		}
		results, err := r.RetrieveAll(ctx, requests)
		if err != nil {
			return nil, err
		}
		for i, result := range results {
			out = append(out, wire.Retrieved{Question: batch[i].Question, Passages: append([]corpus.Passage{}, result.Passages...)})
		}
	}
	return out, nil
}

// request puts flags before the configuration.
func (f search) request(cmd *cobra.Command, s *services) (retrieve.Request, error) {
	q, err := f.question(cmd, "")
	return s.searchRequest(q), err
}

// question builds what the answering of one question needs, for the arms that will be used.
func (s *services) question(cmd *cobra.Command, flags search, text, examplesFile string, arms ...string) (answer.Request, error) {
	q, err := flags.question(cmd, text)
	if err != nil {
		return answer.Request{}, err
	}
	return s.answerRequest(q, examplesFile, arms...)
}

// searchRequest puts a question before the configuration.
func (s *services) searchRequest(q wire.Question) retrieve.Request {
	r := retrieve.Request{Scope: s.scope(), Question: q.Question, TopK: s.config.Retrieve.TopK, Mode: s.config.Retrieve.Mode, Filter: q.Filter}
	if q.TopK != nil {
		r.TopK = *q.TopK
	}
	if q.Mode != "" {
		r.Mode = q.Mode
	}
	return r
}

// answerRequest is what the answering of one question needs, for the arms that will be used.
func (s *services) answerRequest(q wire.Question, examplesFile string, arms ...string) (answer.Request, error) {
	r := s.searchRequest(q)
	ask := answer.Request{
		Question: q.Question, Scope: r.Scope, TopK: r.TopK, Mode: r.Mode, Filter: r.Filter,
		MaxTokens: s.config.Answer.MaxTokens, Temperature: s.config.Answer.Temperature,
	}
	if ask.Temperature == nil {
		ask.Temperature = new(float64)
	}
	for _, arm := range arms {
		if arm != answer.ArmFewShot {
			continue
		}
		if examplesFile == "" {
			examplesFile = s.config.Answer.Examples
		}
		if examplesFile == "" {
			return ask, usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the few-shot arm needs examples"),
				"name a file with --examples: a YAML list of {question, answer}")}
		}
		var err error
		if ask.Examples, err = prompts.LoadExamples(examplesFile); err != nil {
			return ask, err
		}
	}
	return ask, nil
}

func (e localEngine) answer(ctx context.Context, q wire.Question, stream func(string) error) (corpus.Answer, error) {
	ask, err := e.answerRequest(q, e.examples, q.Arm)
	if err != nil {
		return corpus.Answer{}, err
	}
	if ask.Arm = q.Arm; ask.Arm == "" {
		ask.Arm = answer.ArmGrounded
	}
	if ask.Chat, err = e.answeringChat(ctx, q.Model); err != nil {
		return corpus.Answer{}, err
	}
	a, err := e.answerer(ctx)
	if err != nil {
		return corpus.Answer{}, err
	}
	var events func(answer.Event) error
	if stream != nil {
		events = func(e answer.Event) error { return stream(e.Delta) }
	}
	return a.Answer(ctx, ask, events)
}

func (e localEngine) compare(ctx context.Context, q wire.Question) (wire.Comparison, error) {
	out := wire.Comparison{Question: q.Question, Answers: []wire.ComparedAnswer{}}
	ask, err := e.answerRequest(q, e.examples, q.Arms...)
	if err != nil {
		return out, err
	}
	models := q.Models
	if len(models) == 0 {
		models = []string{""}
	}
	var chats []model.Chat
	for _, id := range models {
		chat, err := e.chat(ctx, id)
		if err != nil {
			return out, err
		}
		chats = append(chats, chat)
	}
	a, err := e.answerer(ctx)
	if err != nil {
		return out, err
	}
	cells, err := a.Compare(ctx, answer.Comparison{Request: ask, Arms: q.Arms, Chats: chats}, nil)
	if err != nil {
		return out, err
	}
	for _, c := range cells {
		r := wire.ComparedAnswer{Answer: c.Answer}
		r.Model, r.Arm = c.Model, c.Arm
		if r.Citations == nil {
			r.Citations, r.Passages, r.Unsupported = []corpus.Citation{}, []corpus.Passage{}, []string{}
		}
		if c.Err != nil {
			text := c.Err.Error()
			r.Error = &text
		}
		out.Answers = append(out.Answers, r)
	}
	return out, nil
}

// remoteEngine is a server's.
type remoteEngine struct{ server *client.Client }

// remoteAtOnce is how many questions a server is sent at the same time.
const remoteAtOnce = 4

func (e remoteEngine) retrieve(ctx context.Context, questions []wire.Question) ([]wire.Retrieved, error) {
	out := make([]wire.Retrieved, len(questions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(remoteAtOnce)
	for i, q := range questions {
		group.Go(func() (err error) {
			out[i], err = e.server.Retrieve(ctx, q)
			return err
		})
	}
	return out, group.Wait()
}

func (e remoteEngine) answer(ctx context.Context, q wire.Question, stream func(string) error) (corpus.Answer, error) {
	if stream == nil {
		return e.server.Answer(ctx, q, nil)
	}
	return e.server.Answer(ctx, q, func(e client.Event) error {
		if e.Delta == "" {
			return nil
		}
		return stream(e.Delta)
	})
}

func (e remoteEngine) compare(ctx context.Context, q wire.Question) (wire.Comparison, error) {
	return e.server.Compare(ctx, q, nil)
}
