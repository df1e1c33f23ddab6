package api

import (
	"bytes"
	"encoding/json"

	"grounded/corpus"
	"grounded/model"
	"grounded/telemetry"
)

// plain is a chat request without documents.
func (r *chatRequest) plain() model.Request {
	ask := model.Request{MaxTokens: r.maxTokens(), Temperature: r.Temperature, TopP: r.TopP, Stop: r.Stop, Seed: r.Seed}
	for _, m := range r.Messages {
		ask.Messages = append(ask.Messages, model.Message{Role: m.Role, Content: m.Content.Text})
	}
	return ask
}

// relayedAnswer is what is known of an answer that is passed on as it is.
type relayedAnswer struct {
	call     *telemetry.ChatCall
	response model.Response
	texts    bool // are told
	begun    bool // some text was there
}

// relayedReply is what is looked at of a reply, or of an event of one.
type relayedReply struct {
	Choices []struct {
		Message      chatMessage `json:"message"`
		Delta        chatMessage `json:"delta"`
		FinishReason corpus.Text `json:"finish_reason"`
	} `json:"choices"`
	Usage *chatUsage `json:"usage"`
}

func (a *relayedAnswer) whole(reply []byte) {
	var r relayedReply
	if json.Unmarshal(reply, &r) == nil {
		a.take(r)
	}
}

var (
	usageKey   = []byte(`"usage":`)
	contentKey = []byte(`"content":`)
	toolsKey   = []byte(`"tool_calls":`)
)

// event looks at an event; finish says that it has a finish reason. Few are taken apart, since they are many and each is
// waited for.
func (a *relayedAnswer) event(event []byte, finish bool) {
	if !a.begun && (tells(event, contentKey) || tells(event, toolsKey)) {
		a.begun = true
		a.call.Text()
	}
	if finish || a.texts || tells(event, usageKey) {
		a.whole(event)
	}
}

// tells reports whether an event has the key with a value that is not empty.
func tells(event, key []byte) bool {
	_, value, found := bytes.Cut(event, key)
	value = bytes.TrimLeft(value, " ")
	return found && !bytes.HasPrefix(value, []byte("null")) && !bytes.HasPrefix(value, []byte(`""`))
}

func (a *relayedAnswer) take(r relayedReply) {
	if u := r.Usage; u != nil && u.PromptTokens > 0 { // a server that counts no prompt tokens has not counted
		a.response.PromptTokens, a.response.CompletionTokens = &u.PromptTokens, &u.CompletionTokens
	}
	if len(r.Choices) == 0 {
		return
	}
	first := r.Choices[0] // further ones are other answers
	if first.FinishReason != "" {
		a.response.FinishReason = string(first.FinishReason)
	}
	if a.texts {
		a.response.Text += first.Message.Content.Text + first.Delta.Content.Text
	}
}
