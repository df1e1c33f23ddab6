package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"grounded/corpus"
)

type chat struct {
	connection
	client llms.Model
	count  func(string) int
}

// NewChat connects to a chat model. It makes no request; a key that is missing is ErrForbidden, a provider
// without chat ErrUnsupported.
func NewChat(ctx context.Context, card Card, cfg Config) (Chat, error) {
	c, err := connect(card, cfg, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	client, err := c.chatClient()
	if err != nil {
		return nil, err
	}
	count, err := counter(c.card, c.wire.cfg.LookupEnv)
	if err != nil {
		return nil, err
	}
	return &chat{connection: c, client: client, count: count}, nil
}

func (c *chat) Card() Card { return c.card }

// CountTokens asks llama-server where the card says so, and else counts here.
func (c *chat) CountTokens(ctx context.Context, text string) (int, error) {
	if c.card.Tokenizer != "llama-server" {
		return c.count(text), nil
	}
	body, err := json.Marshal(map[string]string{"content": text})
	if err != nil {
		return 0, err
	}
	var reply struct {
		Tokens []json.RawMessage `json:"tokens"`
	}
	// /tokenize stands beside /v1, not under it.
	if err := c.post(ctx, "/../tokenize", body, &reply); err != nil {
		return 0, fmt.Errorf("count tokens with %s: %w", c.card.ID, err)
	}
	return len(reply.Tokens), nil
}

func (c *chat) Complete(ctx context.Context, r Request, stream func(Delta) error) (Response, error) {
	if len(r.Messages) == 0 {
		return Response{}, corpus.Errorf(corpus.ErrInvalid, "ask %s: there is no message", c.card.ID)
	}
	messages, err := contents(r.Messages)
	if err == nil {
		err = show(messages, r.Pictures, c.card.Provider)
	}
	if err != nil {
		return Response{}, fmt.Errorf("ask %s: %w", c.card.ID, err)
	}
	began := time.Now()
	var (
		out     Response
		stopped error // by the caller's stream
		seen    streamed
		thought thinking
	)
	ex := &exchange{edit: func(body map[string]any) { c.adapt(body, r) }}
	options := c.options(r)
	if stream != nil {
		ex.stream, ex.line = true, seen.line
		options = append(options, llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			if len(piece) == 0 || stopped != nil {
				return stopped
			}
			if out.FirstToken == 0 {
				out.FirstToken = time.Since(began)
			}
			if text := thought.write(string(piece)); text != "" {
				stopped = stream(Delta{Text: text})
			}
			return stopped
		}))
	} else {
		ex.read = seen.whole
	}
	reply, err := c.client.GenerateContent(withExchange(ctx, ex), messages, options...)
	out.Total = time.Since(began)
	switch {
	case stopped != nil:
		return out, stopped
	case ctx.Err() != nil:
		return out, ctx.Err()
	case ex.err != nil:
		return out, fmt.Errorf("ask %s: %w", c.card.ID, ex.err)
	case seen.err != "":
		return out, corpus.Errorf(corpus.ErrUnavailable, "ask %s: the server says: %s", c.card.ID, seen.err)
	case err != nil:
		return out, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "ask %s: the reply cannot be read: %w", c.card.ID, unwrapTimeout(err)),
			"check that model and base_url of its catalog entry name a chat model")
	}
	c.read(&out, reply)
	if out.Text = withoutThoughts(out.Text); stream != nil {
		if rest := thought.rest(); rest != "" { // it ends as thoughts could begin
			if err := stream(Delta{Text: rest}); err != nil {
				return out, err
			}
		}
	}
	if out.FinishReason == "" {
		out.FinishReason = finishReason(seen.finish)
	}
	if out.FinishReason == "" && (stream != nil || out.Text == "") {
		return out, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "ask %s: the answer broke off after %d characters", c.card.ID, len([]rune(out.Text))),
			"ask again; if it happens each time, see the server's log")
	}
	return out, nil
}

// unwrapTimeout leaves of an error that was caused by our own timeout just that.
func unwrapTimeout(err error) error {
	if errors.Is(err, errTimeout) {
		return errTimeout
	}
	return err
}

// contents are the messages in langchaingo's form. The system's are joined into one at the head, since some
// servers take only one.
func contents(messages []Message) ([]llms.MessageContent, error) {
	var system []string
	var out []llms.MessageContent
	for _, m := range messages {
		switch m.Role {
		case "system", "developer":
			system = append(system, m.Content)
		case "user":
			out = append(out, llms.TextParts(llms.ChatMessageTypeHuman, m.Content))
		case "assistant":
			out = append(out, llms.TextParts(llms.ChatMessageTypeAI, m.Content))
		default:
			return nil, corpus.Errorf(corpus.ErrInvalid, "message has role %q, not system, user or assistant", m.Role)
		}
	}
	if len(system) > 0 {
		head := llms.TextParts(llms.ChatMessageTypeSystem, strings.Join(system, "\n\n"))
		out = append([]llms.MessageContent{head}, out...)
	}
	return out, nil
}

// options are the settings that langchaingo passes on as they are; adapt does the others.
func (c *chat) options(r Request) []llms.CallOption {
	options := []llms.CallOption{llms.WithModel(c.card.Model)}
	limit := r.MaxTokens
	if limit == 0 && c.card.Provider == "anthropic" {
		limit = c.card.MaxOutput // it must be given
	}
	if limit > 0 {
		options = append(options, llms.WithMaxTokens(limit))
	}
	if len(r.Stop) > 0 {
		options = append(options, llms.WithStopWords(r.Stop))
	}
	return options
}

// adapt writes into a request what langchaingo leaves out, and takes out what it adds: a temperature of 0 where
// none was asked for, and fields that some servers refuse.
func (c *chat) adapt(body map[string]any, r Request) {
	settings := body
	if c.card.Provider == "ollama" {
		inner, ok := body["options"].(map[string]any)
		if !ok {
			inner = map[string]any{}
			body["options"] = inner
		}
		settings = inner
		if body["format"] == "" {
			delete(body, "format")
		}
		if _, ok := body["stream"]; !ok {
			body["stream"] = false // Ollama streams when nothing is said
		}
	}
	delete(settings, "temperature")
	if r.Temperature != nil && !c.card.NoSampling {
		settings["temperature"] = *r.Temperature
	}
	delete(settings, "top_p")
	if r.TopP != nil && !c.card.NoSampling {
		settings["top_p"] = *r.TopP
	}
	seed := "seed"
	switch c.card.Provider {
	case "anthropic":
		return // has no seed
	case "mistral":
		seed = "random_seed"
		delete(body, "stream_options") // it sends the usage anyway
	}
	if r.Seed != nil {
		settings[seed] = *r.Seed
	}
	// OpenAI's newer models know only max_completion_tokens; most other servers only max_tokens.
	if limit, ok := body["max_completion_tokens"]; ok && c.card.Provider != "azure" && !strings.HasPrefix(c.baseURL, "https://api.openai.com/") {
		delete(body, "max_completion_tokens")
		body["max_tokens"] = limit
	}
}

// read takes text, finish reason and usage from langchaingo's reply. A server that counts no prompt tokens, or
// fewer than none of any, has not counted.
func (c *chat) read(out *Response, reply *llms.ContentResponse) {
	for _, choice := range reply.Choices {
		out.Text += choice.Content
		out.FinishReason = finishReason(choice.StopReason)
		prompt, completion := usage(choice.GenerationInfo, "PromptTokens", "InputTokens"), usage(choice.GenerationInfo, "CompletionTokens", "OutputTokens")
		if prompt > 0 && completion >= 0 {
			out.PromptTokens, out.CompletionTokens = &prompt, &completion
		}
		if c.card.Provider != "anthropic" {
			return // further choices are other answers; Anthropic's are the parts of one
		}
	}
}

func usage(info map[string]any, keys ...string) int {
	for _, key := range keys {
		if n, ok := info[key].(int); ok && n != 0 {
			return n
		}
	}
	return 0
}

// finishReason maps the providers' words to stop and length; others stay.
func finishReason(s string) string {
	switch s {
	case "end_turn", "stop_sequence", "STOP", "eos":
		return "stop"
	case "max_tokens", "MAX_TOKENS", "model_length":
		return "length"
	case "null", "<nil>":
		return ""
	}
	return s
}

// streamed is what langchaingo drops of a reply: errors in the midst of it, and Ollama's finish reason.
type streamed struct {
	finish string
	err    string
}

func (s *streamed) line(line []byte) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("data:")))
	if bytes.HasPrefix(line, []byte("{")) && (bytes.Contains(line, []byte(`"error"`)) || bytes.Contains(line, []byte(`"done_reason"`))) {
		s.read(line)
	}
}

func (s *streamed) whole(body []byte) ([]byte, *failure) {
	s.read(body)
	return readable(body)
}

func (s *streamed) read(line []byte) {
	var event struct {
		Error      json.RawMessage `json:"error"`
		DoneReason string          `json:"done_reason"`
	}
	if json.Unmarshal(line, &event) != nil {
		return
	}
	if event.DoneReason != "" {
		s.finish = event.DoneReason
	}
	if len(event.Error) > 0 && string(event.Error) != "null" {
		s.err = serverMessage(line)
	}
}

// post sends JSON to a path under the base URL through the wire, and reads the reply.
func (c connection) post(ctx context.Context, path string, body []byte, reply any) error {
	return c.postAs(ctx, "application/json", path, body, reply)
}

// postAs is post with a body of another media type.
func (c connection) postAs(ctx context.Context, mediaType, path string, body []byte, reply any) error {
	target := c.baseURL + path
	if rest, ok := strings.CutPrefix(path, "/.."); ok { // beside the base URL's last element
		target = c.baseURL[:strings.LastIndexByte(c.baseURL, '/')] + rest
	}
	return c.send(ctx, &exchange{}, http.MethodPost, target, mediaType, body, reply)
}

// send sends a request through the wire, and reads the reply.
func (c connection) send(ctx context.Context, ex *exchange, method, target, mediaType string, body []byte, reply any) error {
	req, err := http.NewRequestWithContext(withExchange(ctx, ex), method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.wire.client().Do(req)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ex.err != nil:
		return ex.err
	case err != nil:
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(reply); err != nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the reply cannot be read: %w", err), "check base_url of the model's catalog entry")
	}
	return nil
}
