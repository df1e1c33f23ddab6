package api

import (
	"encoding/json"
	"slices"
	"strings"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
)

// groundedSuffix behind a model's name asks for its grounded arm.
const groundedSuffix = "+rag"

// chatRequest is what of a chat completion is looked at here; fields has all of it.
type chatRequest struct {
	Model               string          `json:"model"`
	Messages            []chatMessage   `json:"messages"`
	Stream              bool            `json:"stream"`
	StreamOptions       *streamOptions  `json:"stream_options"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	Seed                *int            `json:"seed"`
	Stop                stops           `json:"stop"`
	N                   *int            `json:"n"`
	Tools               json.RawMessage `json:"tools"`
	Functions           json.RawMessage `json:"functions"`
	ResponseFormat      *responseFormat `json:"response_format"`
	Logprobs            *bool           `json:"logprobs"`
	LogitBias           json.RawMessage `json:"logit_bias"`

	// What grounded adds.
	Collection  string        `json:"collection"`
	TopK        *int          `json:"top_k"`
	Mode        string        `json:"mode"`
	Filter      corpus.Filter `json:"filter"`
	InScope     *bool         `json:"in_scope"`
	Arm         string        `json:"arm"`
	DataSources []dataSource  `json:"data_sources"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type string `json:"type"`
}

// dataSource is Azure's form of what grounds an answer. Its index is our collection.
type dataSource struct {
	Parameters struct {
		IndexName     string        `json:"index_name"`
		Collection    string        `json:"collection"`
		TopNDocuments *int          `json:"top_n_documents"`
		InScope       *bool         `json:"in_scope"`
		Filter        corpus.Filter `json:"filter"`
	} `json:"parameters"`
}

type chatMessage struct {
	Role      string          `json:"role"`
	Content   chatContent     `json:"content"`
	ToolCalls json.RawMessage `json:"tool_calls"`
}

// chatContent is a text, a list of parts, or null.
type chatContent struct {
	Text  string
	other string // type of a part that is no text
}

// UnmarshalJSON joins the texts of parts.
func (c *chatContent) UnmarshalJSON(data []byte) error {
	*c = chatContent{}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &c.Text)
	}
	var parts []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	var texts []string
	for _, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text":
			texts = append(texts, p.Text)
		case "refusal":
			texts = append(texts, p.Refusal)
		default:
			c.other = p.Type
		}
	}
	c.Text = strings.Join(texts, "\n")
	return nil
}

// stops is one text or a list of them.
type stops []string

// UnmarshalJSON reads either.
func (s *stops) UnmarshalJSON(data []byte) error {
	*s = nil
	if len(data) > 0 && data[0] == '"' {
		*s = stops{""}
		return json.Unmarshal(data, &(*s)[0])
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// resolve finds the model and the arm, and puts Azure's form into ours.
func (r *chatRequest) resolve(s *Server) error {
	if len(r.DataSources) > 1 {
		return unsupported("data_sources", "data_sources has %d entries; one is supported", len(r.DataSources))
	}
	for _, d := range r.DataSources {
		p := d.Parameters
		for _, name := range []string{p.IndexName, p.Collection} {
			if r.Collection == "" {
				r.Collection = name
			}
		}
		if r.TopK == nil {
			r.TopK = p.TopNDocuments
		}
		if r.InScope == nil {
			r.InScope = p.InScope
		}
		if r.Filter == nil {
			r.Filter = p.Filter
		}
		if r.Arm == "" {
			r.Arm = answer.ArmGrounded
		}
	}
	name, grounded := strings.CutSuffix(r.Model, groundedSuffix)
	r.Model = name
	switch {
	case grounded && r.Arm != "" && r.Arm != answer.ArmGrounded:
		return invalid("arm", "the model's name ends in %s and arm is %q; choose one", groundedSuffix, r.Arm)
	case grounded:
		r.Arm = answer.ArmGrounded
	case r.Arm == "":
		r.Arm = answer.ArmPlain
	}
	if r.Model == "" {
		r.Model = s.config.Chat
	}
	_, err := s.engine.card(r.Model, model.TaskChat)
	return err
}

// name is the model as the client called it.
func (r *chatRequest) name() string { return r.nameOf(r.Model) }

// nameOf is another model as the client would have called it.
func (r *chatRequest) nameOf(id string) string {
	if r.Arm == answer.ArmGrounded {
		return id + groundedSuffix
	}
	return id
}

func (r *chatRequest) maxTokens() int {
	for _, n := range []*int{r.MaxCompletionTokens, r.MaxTokens} {
		if n != nil {
			return *n
		}
	}
	return 0
}

// textOnly refuses what only a server that is passed the whole request can do. who is what can't do it.
func (r *chatRequest) textOnly(who, instead string) error {
	present := func(raw json.RawMessage) bool {
		return len(raw) > 0 && !slices.Contains([]string{"null", "[]", "{}"}, string(raw))
	}
	refuse := func(param string) error {
		return unsupported(param, "%s cannot honour %s; %s", who, param, instead)
	}
	switch {
	case present(r.Tools):
		return refuse("tools")
	case present(r.Functions):
		return refuse("functions")
	case r.ResponseFormat != nil && r.ResponseFormat.Type != "text":
		return refuse("response_format")
	case r.N != nil && *r.N > 1:
		return refuse("n")
	case r.Logprobs != nil && *r.Logprobs:
		return refuse("logprobs")
	case present(r.LogitBias):
		return refuse("logit_bias")
	}
	for i, m := range r.Messages {
		if m.Content.other != "" {
			return unsupported("messages", "%s cannot read the part of type %s in message %d; %s", who, quoted(m.Content.other), i, instead)
		}
	}
	return nil
}

// conversation takes a request apart: what the caller instructs, the turns before, and the last question.
func (r *chatRequest) conversation() (instructions string, history []model.Message, question string, err error) {
	last := -1
	for i, m := range r.Messages {
		if m.Role == "user" {
			last = i
		}
	}
	if last < 0 || strings.TrimSpace(r.Messages[last].Content.Text) == "" {
		return "", nil, "", invalid("messages", "there is no question: the last message of the user has no text")
	}
	var told []string
	for i, m := range r.Messages {
		text := m.Content.Text
		switch {
		case i == last || strings.TrimSpace(text) == "":
		case m.Role == "system" || m.Role == "developer":
			told = append(told, text)
		case i > last:
			return "", nil, "", invalid("messages", "message %d comes after the last question; the grounded arm answers the user's last message", i)
		case m.Role == "user":
			history = append(history, model.Message{Role: "user", Content: text})
		default: // what a tool or a function gave is part of the assistant's turn
			history = append(history, model.Message{Role: "assistant", Content: text})
		}
	}
	return strings.Join(told, "\n\n"), history, r.Messages[last].Content.Text, nil
}

// chatCompletions is POST /v1/chat/completions.
func (s *Server) chatCompletions(k *call) error {
	var r chatRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	if err := r.resolve(s); err != nil {
		return err
	}
	if err := s.reserve(k, s.chatTokens(&r)); err != nil {
		return err
	}
	if r.Arm == answer.ArmPlain {
		return s.plainChat(k, &r)
	}
	return s.answeredChat(k, &r)
}
