package answer

import (
	"context"
	"fmt"
	"strings"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
	"grounded/retrieve"
)

// Config of a Service.
type Config struct {
	Retriever Retriever      // needed for arms that retrieve
	Pages     Pages          // where citations are checked: the store
	Prompts   *prompts.Set   // default the built-in ones
	Embedder  model.Embedder // of the collections; without it there is no default for Abstention, and words alone decide about support

	Abstention *Abstention // default DefaultAbstention of the embedder's model
	Support    *Support    // default DefaultSupport of the embedder's model
	Arms       []Arm       // further ones, such as an evaluation's oracle; one of a built-in name replaces it
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	retriever Retriever
	pages     Pages
	prompts   *prompts.Set
	embedder  model.Embedder
	rule      *Abstention
	support   *Support
	arms      map[string]Arm
}

// New makes a service. It fails when the configuration lacks what is needed, with corpus.ErrInvalid.
func New(_ context.Context, cfg Config) (*Service, error) {
	s := &Service{
		retriever: cfg.Retriever, pages: cfg.Pages, prompts: cfg.Prompts, embedder: cfg.Embedder,
		rule: cfg.Abstention, support: cfg.Support, arms: map[string]Arm{},
	}
	if s.retriever == nil || s.pages == nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make answer service: a retriever and a store are needed")
	}
	if s.prompts == nil {
		var err error
		if s.prompts, err = prompts.Load(""); err != nil {
			return nil, err
		}
	}
	for _, arm := range append(builtinArms(), cfg.Arms...) {
		if arm.Name == "" {
			return nil, corpus.Errorf(corpus.ErrInvalid, "make answer service: an arm has no name")
		}
		s.arms[arm.Name] = arm
	}
	return s, nil
}

// Request asks one question of one model by one arm.
type Request struct {
	Question string
	History  []model.Message // turns before the question, oldest first
	Arm      string          // ArmGrounded if empty
	Chat     model.Chat

	// What is retrieved, for arms that do.
	Scope  corpus.Scope
	TopK   int // 0 is the retriever's default
	Mode   retrieve.Mode
	Filter corpus.Filter

	Examples []prompts.Example // for arms with examples; those that fit are shown
	// Passages, if not nil, are answered from instead of retrieved ones, and are not judged.
	Passages []corpus.Passage

	MaxTokens   int      // of the answer; 0 is 1,024 (96 for a small model), or a quarter of the context if that is less
	Temperature *float64 // nil is the model's default
	TopP        *float64
	Stop        []string
	Seed        *int
	// Outside lets the answer come from outside of the passages where they don't hold it; then nothing abstains.
	Outside bool
	// Instructions of the caller go behind the arm's own.
	Instructions string
}

// Event is what happens before an answer is whole: passages, or a piece of text.
type Event struct {
	Passages []corpus.Passage // that the answer is made from, once, before its first text
	Delta    string           // text as the model writes it, without links as in Answer.Text
	Model    string           // that writes it, if it is a fallback of the one that was asked
}

// Answer answers. stream may be nil; an error from it ends the call. Citations are in the returned answer only,
// since they can be checked only when its text is whole.
//
// An answer by which the model declines is marked Abstained and has no citations. Errors are those of the
// retriever, the store and the model; corpus.ErrInvalid for a request that can't be; corpus.ErrLimit when the
// question is too long for the model; corpus.ErrUnavailable when the model answers nothing.
func (s *Service) Answer(ctx context.Context, r Request, stream func(Event) error) (corpus.Answer, error) {
	arm, err := s.validate(r)
	if err != nil {
		return corpus.Answer{}, err
	}
	if arm.Passages != RetrievedPassages || r.Passages != nil {
		return s.complete(ctx, r, arm, nil, stream)
	}
	f, err := s.find(ctx, r)
	if err != nil {
		return corpus.Answer{}, err
	}
	return s.complete(ctx, r, arm, &f, stream)
}

func (s *Service) validate(r Request) (Arm, error) {
	arm, err := s.arm(r.Arm)
	switch {
	case err != nil:
		return arm, err
	case strings.TrimSpace(r.Question) == "":
		return arm, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "answer: the question is empty"), "ask something")
	case r.Chat == nil:
		return arm, corpus.Errorf(corpus.ErrInvalid, "answer: there is no chat model")
	case arm.Examples && len(r.Examples) == 0:
		return arm, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "answer: arm %q needs examples", arm.Name),
			"name a file of examples, a YAML list or JSON lines with question and answer")
	case arm.Passages == GivenPassages && len(r.Passages) == 0:
		return arm, corpus.Errorf(corpus.ErrInvalid, "answer: arm %q needs passages", arm.Name)
	}
	return arm, nil
}

// complete makes an answer by an arm. f is what was retrieved, nil when nothing was.
func (s *Service) complete(ctx context.Context, r Request, arm Arm, f *found, stream func(Event) error) (corpus.Answer, error) {
	t := newTimer(f)
	if stream == nil {
		stream = func(Event) error { return nil }
	}
	a := corpus.Answer{
		Question: r.Question, Model: r.Chat.Card().ID, Arm: arm.Name,
		Citations: []corpus.Citation{}, Passages: []corpus.Passage{}, Unsupported: []string{},
	}
	var passages []corpus.Passage
	var used usage
	switch {
	case f != nil:
		passages, used = f.passages, f.rewriting
		used.embedding = f.embedding
		switch {
		case f.abstain && r.Outside:
			passages = nil
		case f.abstain:
			return s.abstain(r, a, *f, t, stream)
		}
	case arm.Passages != NoPassages:
		passages = r.Passages
	}

	messages, packed, answerTokens, err := s.prompt(ctx, r, arm, passages)
	if err != nil {
		return a, err
	}
	if arm.Passages != NoPassages {
		a.Passages = append(a.Passages, packed...)
		if err := stream(Event{Passages: a.Passages}); err != nil {
			return a, err
		}
	}
	plain := newLinkFilter(a.Passages)
	writer := "" // the fallback that writes, if one does
	delta := func(text string) error {
		if text == "" {
			return nil
		}
		return stream(Event{Delta: text, Model: writer})
	}
	response, err := r.Chat.Complete(ctx, model.Request{
		Messages: messages, MaxTokens: answerTokens, Temperature: r.Temperature, TopP: r.TopP, Stop: r.Stop, Seed: r.Seed,
	}, func(d model.Delta) error {
		t.text(d.Text)
		writer = d.Model
		if len(a.Passages) > 0 {
			return delta(plain.write(d.Text))
		}
		return delta(d.Text)
	})
	if err != nil {
		return a, fmt.Errorf("answer with %s: %w", a.Model, err)
	}
	used.add(response, r.Chat.Card())
	if response.Fallback != nil {
		a.Model = response.Fallback.ID
	}
	a.Text, a.FinishReason = response.Text, response.FinishReason
	if len(a.Passages) > 0 {
		a.Text = plainText(a.Text, a.Passages)
		if err := delta(plain.rest()); err != nil {
			return a, err
		}
	}
	a.Text = strings.TrimSpace(a.Text)
	if a.Text == "" {
		return a, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "answer with %s: the model answered nothing", a.Model),
			"give it more tokens to answer, or try another model")
	}
	a.Abstained = declined(a.Text)
	if len(a.Passages) > 0 && !a.Abstained {
		var c checked
		if err := t.check(func() (err error) {
			c, err = s.check(ctx, r.Scope, a.Text, answerLanguage(a.Text, r.Question), a.Passages)
			return err
		}); err != nil {
			return a, fmt.Errorf("check citations: %w", err)
		}
		a.Citations = append(a.Citations, c.citations...)
		a.Unsupported = append(a.Unsupported, c.unsupported...)
		used.embedding = addTokens(used.embedding, c.embedding)
	}
	a.Usage, a.CostUSD = used.tokens(), used.cost()
	a.Timings = t.timings()
	return a, nil
}

// prompt renders and packs what the model is asked, and says how many tokens the answer may have.
func (s *Service) prompt(ctx context.Context, r Request, arm Arm, passages []corpus.Passage) ([]model.Message, []corpus.Passage, int, error) {
	card := r.Chat.Card()
	b, err := budgetOf(card, r.MaxTokens)
	if err != nil {
		return nil, nil, 0, err
	}
	p := packer{prompts: s.prompts, name: prompts.Plain, chat: r.Chat, tokens: b.prompt}
	d := prompts.Data{Question: r.Question, Language: analyze.Language(r.Question), History: turns(r.History), Passages: passages, Outside: r.Outside, Instructions: r.Instructions}
	if arm.Passages != NoPassages && (len(passages) > 0 || !r.Outside) {
		p.name = prompts.Grounded
		if isSmall(card) {
			p.name = prompts.GroundedSmall
			p.tokens = min(p.tokens, smallPrompt)
			d.Passages = focus(d.Passages, d.Question, d.Language)
		}
	}
	if arm.Examples {
		d.Examples = r.Examples
	}
	messages, packed, err := p.pack(ctx, d)
	return messages, packed, b.answer, err
}

// abstain answers without a model.
func (s *Service) abstain(r Request, a corpus.Answer, f found, t *timer, stream func(Event) error) (corpus.Answer, error) {
	text, err := s.prompts.Abstention(analyze.Language(r.Question), f.passages)
	if err != nil {
		return a, err
	}
	text = plainText(text, f.passages) // it names documents and their headings
	a.Text, a.Abstained, a.FinishReason = text, true, "stop"
	a.Passages = append(a.Passages, f.passages...)
	if err := stream(Event{Passages: a.Passages}); err != nil {
		return a, err
	}
	t.text(text)
	if err := stream(Event{Delta: text}); err != nil {
		return a, err
	}
	used := f.rewriting
	used.embedding = f.embedding
	a.Usage, a.CostUSD = used.tokens(), used.cost()
	a.Timings = t.timings()
	return a, nil
}

// answerLanguage is the language that an answer is checked in. A short one is taken to be in the question's.
func answerLanguage(text, question string) string {
	if language := analyze.Language(text); language != "" {
		return language
	}
	return analyze.Language(question)
}
