package answer

import (
	"context"
	"fmt"
	"strings"

	"grounded/model"
	"grounded/prompts"
)

const (
	rewriteTokens = 200 // of a rewritten question, at most
	rewriteGrowth = 4   // a reply this many times longer than conversation and question is no question
)

// Rewrite turns the last question of a conversation into one that can be searched without it. A small model
// would rather answer than rewrite: for one, and when the reply can't be a question, the user's former question
// is put before this one instead.
func (s *Service) Rewrite(ctx context.Context, chat model.Chat, history []model.Message, question string) (string, error) {
	rewritten, _, err := s.rewrite(ctx, chat, history, question)
	return rewritten, err
}

func (s *Service) rewrite(ctx context.Context, chat model.Chat, history []model.Message, question string) (string, usage, error) {
	if len(history) == 0 {
		return question, usage{}, nil
	}
	joined := question
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Role == prompts.RoleUser {
			joined = history[i].Content + "\n" + question
			break
		}
	}
	if isSmall(chat.Card()) {
		return joined, usage{}, nil
	}
	b, err := budgetOf(chat.Card(), rewriteTokens)
	if err != nil {
		return "", usage{}, err
	}
	p := packer{prompts: s.prompts, name: prompts.Rewrite, chat: chat, tokens: b.prompt}
	messages, _, err := p.pack(ctx, prompts.Data{Question: question, History: turns(history)})
	if err != nil {
		return "", usage{}, err
	}
	zero := 0.0
	response, err := chat.Complete(ctx, model.Request{Messages: messages, MaxTokens: b.answer, Temperature: &zero}, nil)
	if err != nil {
		return "", usage{}, fmt.Errorf("rewrite question: %w", err)
	}
	var used usage
	used.add(response, chat.Card())
	reply := strings.TrimSpace(response.Text)
	if reply == "" || strings.Contains(reply, "\n") || len(reply) > rewriteGrowth*len(joined)+rewriteTokens {
		return joined, used, nil
	}
	return reply, used, nil
}

func turns(history []model.Message) []prompts.Message {
	list := make([]prompts.Message, len(history))
	for i, m := range history {
		list[i] = prompts.Message{Role: m.Role, Content: m.Content}
	}
	return list
}
