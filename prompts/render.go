package prompts

import (
	"strings"

	"grounded/corpus"
)

// Data is what a prompt is about.
type Data struct {
	Question string
	Language string           // ISO 639-1 code of the question, or empty when it is not known for certain
	History  []Message        // turns before the question, oldest first
	Examples []Example        // for few-shot: they become turns before the history
	Passages []corpus.Passage // numbered in this order, from 1
	// Outside lets the answer come from outside of the passages where they don't hold it.
	Outside bool
	// What a judge is shown: answers to compare, those that are accepted, and sentences to check.
	Answers, Accepted, Sentences []string
	// Instructions of the caller stand behind the system message, except when a question is rewritten.
	Instructions string
}

// Render returns a prompt as messages: the system message when it is not empty, then a pair of turns for each
// example, the history, and the user's message. The rewriting prompt has its history inside of the message.
func (s *Set) Render(name string, d Data) ([]Message, error) {
	view := newView(d)
	system, err := s.block(name, RoleSystem, view)
	if err != nil {
		return nil, err
	}
	user, err := s.block(name, RoleUser, view)
	if err != nil {
		return nil, err
	}
	if extra := strings.TrimSpace(d.Instructions); extra != "" && name != Rewrite {
		system = strings.TrimSpace(system + "\n\n" + extra)
	}
	var messages []Message
	if system != "" {
		messages = append(messages, Message{RoleSystem, system})
	}
	for _, e := range d.Examples {
		messages = append(messages, Message{RoleUser, e.Question}, Message{RoleAssistant, e.Answer})
	}
	if name != Rewrite {
		messages = append(messages, d.History...)
	}
	return append(messages, Message{RoleUser, user}), nil
}

const fallbackLanguage = "en"

// Abstention returns what is answered when the documents hold no answer: in the language, or its base language
// ("pt" for "pt-BR"), or English when there is no text in either. It lists the passages, if there are any.
func (s *Set) Abstention(language string, passages []corpus.Passage) (string, error) {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if s.templates[Abstain].Lookup(base) == nil {
		base = fallbackLanguage
	}
	return s.block(Abstain, base, newView(Data{Passages: passages}))
}
