package finetune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"grounded/analyze"
	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/prompts"
)

// Example is a chat that a model is trained on. The last message is the assistant's.
type Example struct {
	Messages []model.Message `json:"messages"`

	id     string // of its question
	tokens int
}

// Source is what examples are made with.
type Source struct {
	Answerer eval.Answerer
	Prompts  *prompts.Set
	Base     model.Card     // that is to be tuned: its window and size decide about the prompts
	Request  answer.Request // all but question, history and model; the arm is plain or grounded
	Count    func(text string) int
	// Without are documents whose passages are shown to no example: those of validation, while one trains.
	Without []string
}

// LeftOut is a question that no example was made of.
type LeftOut struct {
	Question string `json:"id"`
	Why      string `json:"why"` // a sentence
}

// Make makes an example of each question: the very prompt of the request's arm, and the first accepted answer. A
// grounded one names the passages that hold the evidence behind its answer, where the prompt numbers them, and declines a
// question that the documents don't answer. Left out are drafts, questions without an accepted answer, and grounded ones
// whose evidence the prompt does not show: they would teach to make things up.
func Make(ctx context.Context, s Source, questions []dataset.Question) (examples []Example, left []LeftOut, err error) {
	for _, q := range questions {
		messages, why, err := s.messages(ctx, q)
		if err != nil {
			return nil, nil, fmt.Errorf("make an example of %s: %w", q.ID, err)
		}
		if why != "" {
			left = append(left, LeftOut{q.ID, why})
			continue
		}
		e := Example{Messages: messages, id: q.ID}
		for _, m := range messages {
			e.tokens += s.Count(m.Content) + messageTokens
		}
		examples = append(examples, e)
	}
	return examples, left, nil
}

// messageTokens stand around a message in OpenAI's form of chats.
const messageTokens = 4

func (s Source) messages(ctx context.Context, q dataset.Question) (messages []model.Message, why string, err error) {
	if q.Draft {
		return nil, "It is a draft that nobody has reviewed.", nil
	}
	if q.Answerable && len(q.Answers) == 0 {
		return nil, "It has no accepted answer.", nil
	}
	if !q.Answerable && s.Request.Arm != answer.ArmGrounded {
		return nil, "The documents don't answer it, and without them there is no right answer.", nil
	}
	taken := &prompt{card: s.Base, count: s.Count}
	r := s.Request
	r.Question, r.History, r.Chat = q.Question, q.History, taken
	if len(s.Without) > 0 {
		hidden := corpus.Condition{Key: "document", Op: corpus.OpNotEqual}
		for _, document := range s.Without {
			hidden.Values = append(hidden.Values, document)
		}
		r.Filter = append(slices.Clone(r.Filter), hidden)
	}
	a, err := s.Answerer.Answer(ctx, r, nil)
	switch {
	case errors.Is(err, errTaken):
	case err != nil:
		return nil, "", err
	default:
		return nil, "It is declined before a model is asked.", nil
	}
	target, why, err := s.target(q, a.Passages, taken.messages)
	if why != "" || err != nil {
		return nil, why, err
	}
	return append(taken.messages, model.Message{Role: prompts.RoleAssistant, Content: target}), "", nil
}

// target is what the model should have answered to messages, which show passages.
func (s Source) target(q dataset.Question, passages []corpus.Passage, messages []model.Message) (text, why string, err error) {
	if !q.Answerable {
		text, err = s.Prompts.Abstention(analyze.Language(q.Question), nil)
		return text, "", err
	}
	text = strings.TrimSpace(q.Answers[0])
	if s.Request.Arm != answer.ArmGrounded {
		return text, "", nil
	}
	var markers strings.Builder
	shown := false
	for i, p := range passages {
		if !showsEvidence(p, q) {
			continue
		}
		shown = true
		if marker := fmt.Sprintf("[%d]", i+1); numbered(messages, marker) {
			markers.WriteString(marker)
		}
	}
	if !shown {
		return "", "None of the passages that it would be shown holds its evidence.", nil
	}
	return cited(text, markers.String()), "", nil
}

// showsEvidence reports whether a passage is of the question's evidence and, where that has a quote, holds it.
func showsEvidence(p corpus.Passage, q dataset.Question) bool {
	return slices.ContainsFunc(q.Evidence, func(e dataset.Evidence) bool {
		return eval.OnEvidence(p, e) && (e.Quote == "" || dataset.Holds(p.Text, e.Quote))
	})
}

// numbered reports whether the message with the passages has a marker. It is then the number of one: texts have none in a
// prompt. Prompts for small models don't number what they show.
func numbered(messages []model.Message, marker string) bool {
	return strings.Contains(messages[len(messages)-1].Content, marker)
}

// cited puts markers, if there are any, before the full stop of an answer.
func cited(text, markers string) string {
	if markers == "" {
		return text
	}
	for _, stop := range []string{".", "。", "!", "?"} {
		if rest, ok := strings.CutSuffix(text, stop); ok {
			return strings.TrimSpace(rest) + " " + markers + stop
		}
	}
	return text + " " + markers
}

// errTaken ends a call once its prompt is known.
var errTaken = errors.New("the prompt is taken")

// prompt is a chat model that keeps what it is asked last, and answers nothing.
type prompt struct {
	card     model.Card
	count    func(string) int
	messages []model.Message
}

// Complete keeps the messages of a call that streams, which is the answer's. One that does not is to rewrite a question
// of a conversation: it answers nothing, and the question is taken as it is.
func (p *prompt) Complete(_ context.Context, r model.Request, stream func(model.Delta) error) (model.Response, error) {
	if stream == nil {
		return model.Response{}, nil
	}
	p.messages = append([]model.Message{}, r.Messages...)
	return model.Response{}, errTaken
}

// CountTokens counts without asking.
func (p *prompt) CountTokens(_ context.Context, text string) (int, error) { return p.count(text), nil }

// Card is the base's.
func (p *prompt) Card() model.Card { return p.card }
