package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"time"

	"grounded/corpus"
)

// Outcomes of a probe.
const (
	ProbeWorks   = "works"
	ProbeIgnored = "ignored" // the call succeeded, and what was asked for was not done
	ProbeRefused = "refused" // the endpoint, or its adapter here, does not have it
	ProbeFailed  = "failed"  // it can't be told: no connection, no key, no quota
)

// Probed is what one call showed of a model's endpoint.
type Probed struct {
	Feature      string  `json:"feature"` // chat, streaming, embedding, tools, json or vision
	Outcome      string  `json:"outcome"`
	Reason       string  `json:"reason"`
	Milliseconds float64 `json:"ms"` // of the call; of the first, with the start of a local model
}

// probeLimit is how long one probe may take.
const probeLimit = time.Minute

// Probe makes one small call a feature, once each, and says what the endpoint really does; it tells of each when its call
// is done. A call that takes more than a minute has failed. A model that is too weak may ignore what its server supports;
// the reasons quote its replies. A context that ends comes with what was found until then.
func Probe(ctx context.Context, card Card, cfg Config, tell func(Probed)) ([]Probed, error) {
	return probe(ctx, card, cfg, probeLimit, tell)
}

func probe(ctx context.Context, card Card, cfg Config, limit time.Duration, tell func(Probed)) ([]Probed, error) {
	cfg.Attempts = 1
	list := []Probed{}
	for _, p := range []struct {
		feature string
		call    func(context.Context, Card, Config) (outcome, reason string, err error)
	}{{"chat", probeChat}, {"streaming", probeStreaming}, {"embedding", probeEmbedding}, {"tools", probeTools}, {"json", probeJSON}, {"vision", probeVision}} {
		began := time.Now()
		within, cancel := context.WithTimeout(ctx, limit)
		outcome, reason, err := p.call(within, card, cfg)
		late := err != nil && within.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return list, ctx.Err()
		}
		switch {
		case late:
			outcome, reason, err = ProbeFailed, fmt.Sprintf("no answer in %g s", limit.Seconds()), nil
		case err != nil && strings.Contains(err.Error(), "not support"): // llama-server says so with status 500
			outcome, reason = ProbeRefused, err.Error()
		case errors.Is(err, corpus.ErrForbidden) || errors.Is(err, corpus.ErrUnavailable) || errors.Is(err, corpus.ErrLimit):
			outcome, reason = ProbeFailed, err.Error()
		case err != nil:
			outcome, reason = ProbeRefused, err.Error()
		}
		if hint := corpus.HintOf(err); hint != "" && outcome == ProbeFailed {
			reason += " (" + hint + ")"
		}
		probed := Probed{p.feature, outcome, reason, float64(time.Since(began).Microseconds()) / 1000}
		list = append(list, probed)
		tell(probed)
	}
	return list, nil
}

// probeTokens is the most tokens of an answer: models that think first need some.
const probeTokens = 512

func probeChat(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	chat, err := NewChat(ctx, card, cfg)
	if err != nil {
		return "", "", err
	}
	reply, err := chat.Complete(ctx, Request{Messages: user("Name the capital of France in one word."), MaxTokens: probeTokens}, nil)
	if err != nil {
		return "", "", err
	}
	return answered(reply.Text)
}

func user(text string) []Message { return []Message{{Role: "user", Content: text}} }

func answered(text string) (outcome, reason string, err error) {
	if strings.TrimSpace(text) == "" {
		return ProbeIgnored, "the answer is empty", nil
	}
	return ProbeWorks, "it answered " + quote(text), nil
}

func quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

func probeStreaming(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	chat, err := NewChat(ctx, card, cfg)
	if err != nil {
		return "", "", err
	}
	pieces := 0
	reply, err := chat.Complete(ctx, Request{Messages: user("Count from one to ten in words."), MaxTokens: probeTokens}, func(Delta) error {
		pieces++
		return nil
	})
	switch {
	case err != nil:
		return "", "", err
	case pieces < 2:
		return ProbeIgnored, fmt.Sprintf("the answer came in %d pieces", pieces), nil
	}
	reason = fmt.Sprintf("%d pieces, the first after %.2f s", pieces, reply.FirstToken.Seconds())
	if reply.PromptTokens == nil {
		reason += "; its tokens are not counted, so that the cost of streamed answers is unknown"
	}
	return ProbeWorks, reason, nil
}

func probeEmbedding(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	embedder, err := NewEmbedder(ctx, card, cfg)
	if err != nil {
		return "", "", err
	}
	e, err := embedder.Embed(ctx, Query, []string{"days of leave"})
	if err != nil {
		return "", "", err
	}
	return ProbeWorks, fmt.Sprintf("a vector of %d dimensions", len(e.Vectors[0])), nil
}

// relayed sends a chat completion in OpenAI's form, with the fields that langchaingo does not have, and reads the
// message of its reply.
func relayed(ctx context.Context, card Card, cfg Config, fields string) (content string, calls []toolCall, err error) {
	relay, err := NewRelay(card, cfg)
	if err != nil {
		return "", nil, err
	}
	var request map[string]json.RawMessage
	if err := json.Unmarshal([]byte(fields), &request); err != nil {
		return "", nil, err
	}
	body, err := relay.Send(ctx, request, false)
	if err != nil {
		return "", nil, err
	}
	defer body.Close()
	whole, err := io.ReadAll(body)
	if err != nil {
		return "", nil, err
	}
	var reply struct {
		Choices []struct {
			Message struct {
				Content   string     `json:"content"`
				ToolCalls []toolCall `json:"tool_calls"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(whole, &reply); err != nil || len(reply.Choices) == 0 {
		return "", nil, corpus.Errorf(corpus.ErrUnavailable, "the reply has no message: %s", shorten(string(whole)))
	}
	return reply.Choices[0].Message.Content, reply.Choices[0].Message.ToolCalls, nil
}

type toolCall struct {
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

func probeTools(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	content, calls, err := relayed(ctx, card, cfg, `{"max_tokens": 512,
		"messages": [{"role": "user", "content": "What is the weather in Lisbon? Call the tool."}],
		"tools": [{"type": "function", "function": {"name": "get_weather", "description": "Tells the weather in a city.",
			"parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]}`)
	if err != nil {
		return "", "", err
	}
	if len(calls) == 0 {
		return ProbeIgnored, "it called no tool and answered " + quote(content), nil
	}
	var arguments struct {
		City string `json:"city"`
	}
	call := calls[0].Function
	if json.Unmarshal([]byte(call.Arguments), &arguments) != nil || call.Name != "get_weather" || arguments.City == "" {
		return ProbeIgnored, fmt.Sprintf("it called %s with %s", quote(call.Name), quote(call.Arguments)), nil
	}
	return ProbeWorks, fmt.Sprintf("it called get_weather for %s", quote(arguments.City)), nil
}

func probeJSON(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	content, _, err := relayed(ctx, card, cfg, `{"max_tokens": 512, "response_format": {"type": "json_object"},
		"messages": [{"role": "user", "content": "Name the capital of France. Answer in JSON with the key capital."}]}`)
	if err != nil {
		return "", "", err
	}
	var object map[string]any
	if json.Unmarshal([]byte(content), &object) != nil {
		return ProbeIgnored, "the answer is no JSON object: " + quote(content), nil
	}
	return ProbeWorks, "it answered " + quote(content), nil
}

// probeVision shows a picture that is red all over.
func probeVision(ctx context.Context, card Card, cfg Config) (outcome, reason string, err error) {
	chat, err := NewChat(ctx, card, cfg)
	if err != nil {
		return "", "", err
	}
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{R: 255, A: 255}), image.Point{}, draw.Src)
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return "", "", err
	}
	reply, err := chat.Complete(ctx, Request{
		Messages: user("Which colour fills this picture? Answer with one English word."), MaxTokens: probeTokens,
		Pictures: []Picture{{MediaType: "image/png", Data: file.Bytes()}},
	}, nil)
	switch {
	case err != nil:
		return "", "", err
	case !strings.Contains(strings.ToLower(reply.Text), "red"):
		return ProbeIgnored, "it called a red picture " + quote(reply.Text), nil
	}
	return ProbeWorks, "it called a red picture " + quote(reply.Text), nil
}
