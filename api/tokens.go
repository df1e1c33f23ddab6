package api

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"grounded/answer"
	"grounded/corpus"
)

// What a request likely uses when it doesn't say, in tokens.
const (
	usualAnswer   = 1024 // most of an answer
	passageTokens = 180  // of a passage in a prompt
	pictureTokens = 1000
)

// tokensOf estimates the tokens of texts: four ASCII characters, or one of another script. It is what a request is let
// in by, and is replaced by what models count.
func tokensOf(texts ...string) int {
	n := 0
	for _, text := range texts {
		runes := utf8.RuneCountInString(text)
		others := (len(text) - runes + 1) / 2 // three bytes each, for the most part
		n += others + (max(0, runes-others)+3)/4
	}
	return n
}

// chatTokens estimates what a chat completion uses.
func (s *Server) chatTokens(r *chatRequest) int {
	n := tokensOf(string(r.Tools), string(r.Functions))
	for _, m := range r.Messages {
		n += tokensOf(m.Content.Text)
		if m.Content.other != "" {
			n += pictureTokens
		}
	}
	answers := 1
	if r.N != nil {
		answers = max(1, *r.N)
	}
	return n + s.passagesTokens(r.Arm, r.TopK) + answers*s.answerTokens(r.maxTokens())
}

// nativeTokens estimates what so many answers to a question use.
func (s *Server) nativeTokens(r nativeRequest, answers int) int {
	n := tokensOf(r.Question.Question)
	for _, m := range r.History {
		n += tokensOf(m.Content.Text)
	}
	return answers * (n + s.passagesTokens(r.Arm, r.TopK) + s.answerTokens(r.MaxTokens))
}

func (s *Server) answerTokens(asked int) int {
	for _, n := range []int{asked, s.config.MaxTokens} {
		if n > 0 {
			return n
		}
	}
	return usualAnswer
}

func (s *Server) passagesTokens(arm string, topK *int) int {
	n := s.config.TopK
	if topK != nil {
		n = *topK
	}
	if arm == answer.ArmPlain || arm == answer.ArmFewShot {
		return 0
	}
	return n * passageTokens
}

// reserve takes what a request will likely use from what its key may use, or refuses it.
func (s *Server) reserve(k *call, tokens int) (err error) {
	k.settle, err = s.limiter.spend(k.caller.name, tokens, k.echo.Response().Header())
	return err
}

// use counts tokens that were used, if it is known how many.
func (k *call) use(tokens *int) {
	if tokens == nil {
		return
	}
	if k.used == nil {
		k.used = new(int)
	}
	*k.used += *tokens
}

// useAll counts the tokens of an answer, if those of its chat model are known.
func (k *call) useAll(u corpus.Usage) {
	if u.PromptTokens == nil || u.CompletionTokens == nil {
		return
	}
	k.use(u.PromptTokens)
	k.use(u.CompletionTokens)
	k.use(u.EmbeddingTokens)
}

// useReply counts the usage of a model's reply, as OpenAI writes it.
func (k *call) useReply(usage json.RawMessage) {
	var u chatUsage
	if len(usage) > 0 && json.Unmarshal(usage, &u) == nil && u.PromptTokens > 0 {
		total := u.PromptTokens + u.CompletionTokens
		k.use(&total)
	}
}

func (k *call) useCells(cells []answer.Cell) {
	for _, c := range cells {
		k.useAll(c.Answer.Usage)
	}
}

// settleTokens replaces a request's estimate by what it used. The estimate stays where that is not known: the client
// went, or the model does not count. What failed before anything was answered costs nothing.
func (k *call) settleTokens(err error) {
	switch {
	case k.settle == nil:
	case k.used != nil:
		k.settle(*k.used)
	case err != nil && !errors.Is(err, errGone) && !k.echo.Response().Committed:
		k.settle(0)
	}
}
