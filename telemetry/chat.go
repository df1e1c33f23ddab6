package telemetry

import (
	"context"
	"encoding/json"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"grounded/model"
)

// ChatCall is a call to a chat model while it lasts.
type ChatCall struct {
	t     *Telemetry
	card  model.Card
	ctx   context.Context
	span  trace.Span
	began time.Time
	first time.Duration
}

// StartChat begins a call, and returns the context to make it with. Of the request only settings are told, and its
// messages where texts are.
func (t *Telemetry) StartChat(ctx context.Context, card model.Card, r model.Request) (context.Context, *ChatCall) {
	ctx, span := t.start(ctx, "chat "+card.ID, trace.SpanKindClient)
	c := &ChatCall{t: t, card: card, ctx: ctx, span: span, began: time.Now()}
	if !span.IsRecording() {
		return ctx, c
	}
	span.SetAttributes(semconv.GenAIOperationNameChat, provider(card), semconv.GenAIRequestModel(card.ID))
	if r.MaxTokens > 0 {
		span.SetAttributes(semconv.GenAIRequestMaxTokens(r.MaxTokens))
	}
	if r.Temperature != nil {
		span.SetAttributes(semconv.GenAIRequestTemperature(*r.Temperature))
	}
	if r.TopP != nil {
		span.SetAttributes(semconv.GenAIRequestTopP(*r.TopP))
	}
	if r.Seed != nil {
		span.SetAttributes(semconv.GenAIRequestSeed(*r.Seed))
	}
	if t.content {
		span.SetAttributes(semconv.GenAIInputMessagesKey.String(messages(r.Messages...)))
	}
	return ctx, c
}

// Text notes that the model wrote something.
func (c *ChatCall) Text() {
	if c.first == 0 {
		c.first = time.Since(c.began)
	}
}

// End ends the call. Of the response what is known is told.
func (c *ChatCall) End(r model.Response, err error) {
	m := c.t.metrics
	m.modelCalls.WithLabelValues(c.card.ID, "chat", outcome(c.ctx, err)).Observe(time.Since(c.began).Seconds())
	if c.first > 0 {
		m.firstToken.WithLabelValues(c.card.ID).Observe(c.first.Seconds())
	}
	if err == nil || r.PromptTokens != nil {
		m.usage(c.card, r.PromptTokens, r.CompletionTokens)
	}
	if !c.span.IsRecording() {
		return
	}
	var attributes []attribute.KeyValue
	if r.PromptTokens != nil && r.CompletionTokens != nil {
		attributes = append(attributes, semconv.GenAIUsageInputTokens(*r.PromptTokens), semconv.GenAIUsageOutputTokens(*r.CompletionTokens))
	}
	if r.FinishReason != "" {
		attributes = append(attributes, semconv.GenAIResponseFinishReasons(r.FinishReason))
	}
	if c.first > 0 {
		attributes = append(attributes, semconv.GenAIResponseTimeToFirstChunk(c.first.Seconds()))
	}
	if c.t.content && r.Text != "" {
		attributes = append(attributes, semconv.GenAIOutputMessagesKey.String(messages(model.Message{Role: "assistant", Content: r.Text})))
	}
	end(c.ctx, c.span, err, attributes...)
}

// Content reports whether texts are told.
func (c *ChatCall) Content() bool { return c.t.content && c.span.IsRecording() }

// messages is the form of messages that the conventions have.
func messages(list ...model.Message) string {
	type part struct {
		Type    string `json:"type"`
		Content string `json:"content"`
	}
	type message struct {
		Role  string `json:"role"`
		Parts []part `json:"parts"`
	}
	out := make([]message, len(list))
	for i, m := range list {
		out[i] = message{m.Role, []part{{"text", m.Content}}}
	}
	text, _ := json.Marshal(out) // strings only
	return string(text)
}

// provider is a card's in the words of the conventions.
func provider(card model.Card) attribute.KeyValue {
	switch card.Provider {
	case "azure":
		return semconv.GenAIProviderNameAzureAIOpenAI
	case "google":
		return semconv.GenAIProviderNameGCPGemini
	case "mistral":
		return semconv.GenAIProviderNameMistralAI
	}
	return semconv.GenAIProviderNameKey.String(card.Provider)
}

// Chat tells of each call to a chat model.
func (t *Telemetry) Chat(c model.Chat) model.Chat { return tracedChat{c, t} }

type tracedChat struct {
	model.Chat
	t *Telemetry
}

// Complete implements model.Chat.
func (c tracedChat) Complete(ctx context.Context, r model.Request, stream func(model.Delta) error) (model.Response, error) {
	ctx, call := c.t.StartChat(ctx, c.Card(), r)
	if inner := stream; inner != nil {
		stream = func(d model.Delta) error {
			if d.Text != "" {
				call.Text()
			}
			return inner(d)
		}
	}
	response, err := c.Chat.Complete(ctx, r, stream)
	call.End(response, err)
	return response, err
}
