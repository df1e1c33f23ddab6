package api

import (
	"encoding/json"
	"time"

	"grounded/answer"
	"grounded/corpus"
)

// responsesRequest is that of OpenAI's Responses, as far as it is text and keeps no state here.
type responsesRequest struct {
	Model           string          `json:"model"`
	Input           responsesInput  `json:"input"`
	Instructions    string          `json:"instructions"`
	Stream          bool            `json:"stream"`
	MaxOutputTokens *int            `json:"max_output_tokens"`
	Temperature     *float64        `json:"temperature"`
	TopP            *float64        `json:"top_p"`
	Tools           json.RawMessage `json:"tools"`
	Previous        string          `json:"previous_response_id"`
	Conversation    json.RawMessage `json:"conversation"`
	Background      bool            `json:"background"`
	Text            *struct {
		Format *responseFormat `json:"format"`
	} `json:"text"`

	Collection string        `json:"collection"`
	TopK       *int          `json:"top_k"`
	Mode       string        `json:"mode"`
	Filter     corpus.Filter `json:"filter"`
	InScope    *bool         `json:"in_scope"`
	Arm        string        `json:"arm"`
}

// responsesInput is a text, or messages.
type responsesInput []chatMessage

// UnmarshalJSON reads either. Items that are no messages, such as calls of functions, are kept by their type to be refused.
func (in *responsesInput) UnmarshalJSON(data []byte) error {
	*in = nil
	if len(data) > 0 && data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		*in = responsesInput{{Role: "user", Content: chatContent{Text: text}}}
		return err
	}
	var items []struct {
		Type string `json:"type"`
		chatMessage
	}
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	for _, item := range items {
		if item.Type == "reasoning" {
			continue // a model's own notes, of use to the model that made them only
		}
		if item.Type != "" && item.Type != "message" {
			item.Content.other = item.Type
		}
		*in = append(*in, item.chatMessage)
	}
	return nil
}

// chat is the same as a chat completion.
func (r responsesRequest) chat() (*chatRequest, error) {
	switch {
	case r.Previous != "":
		return nil, unsupported("previous_response_id", "this server keeps no responses; send the whole conversation as input, and store: false")
	case len(r.Conversation) > 0 && string(r.Conversation) != "null":
		return nil, unsupported("conversation", "this server keeps no conversations; send the whole conversation as input")
	case r.Background:
		return nil, unsupported("background", "this server answers at once; leave background out")
	}
	c := &chatRequest{
		Model: r.Model, Stream: r.Stream, MaxTokens: r.MaxOutputTokens, Temperature: r.Temperature, TopP: r.TopP, Tools: r.Tools,
		Collection: r.Collection, TopK: r.TopK, Mode: r.Mode, Filter: r.Filter, InScope: r.InScope, Arm: r.Arm,
	}
	if r.Text != nil {
		c.ResponseFormat = r.Text.Format
	}
	if r.Instructions != "" {
		c.Messages = append(c.Messages, chatMessage{Role: "system", Content: chatContent{Text: r.Instructions}})
	}
	c.Messages = append(c.Messages, r.Input...)
	return c, nil
}

type responseObject struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	CreatedAt         int64             `json:"created_at"`
	Status            string            `json:"status"`
	Model             string            `json:"model"`
	Output            []responseMessage `json:"output"`
	Error             *openAIErrorBody  `json:"error"`
	IncompleteDetails *incomplete       `json:"incomplete_details"`
	Instructions      corpus.Text       `json:"instructions"`
	Metadata          map[string]string `json:"metadata"`
	ParallelToolCalls bool              `json:"parallel_tool_calls"`
	Temperature       *float64          `json:"temperature"`
	ToolChoice        string            `json:"tool_choice"`
	Tools             []struct{}        `json:"tools"`
	TopP              *float64          `json:"top_p"`
	MaxOutputTokens   *int              `json:"max_output_tokens"`
	PreviousID        *string           `json:"previous_response_id"`
	Store             bool              `json:"store"`
	Usage             *responseUsage    `json:"usage"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	InputTokens        int `json:"input_tokens"`
	InputTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	OutputTokens        int `json:"output_tokens"`
	OutputTokensDetails struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	TotalTokens int `json:"total_tokens"`
}

type responseMessage struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Status  string         `json:"status"`
	Role    string         `json:"role"`
	Content []responseText `json:"content"`
}

type responseText struct {
	Type        string         `json:"type"`
	Text        string         `json:"text"`
	Annotations []fileCitation `json:"annotations"`
	Logprobs    []struct{}     `json:"logprobs"`
}

// fileCitation is the form of citations here, with what we know besides.
type fileCitation struct {
	Type     string            `json:"type"`
	FileID   corpus.DocumentID `json:"file_id"`
	Filename string            `json:"filename"`
	Index    int               `json:"index"` // in the text, in Unicode code points
	URL      string            `json:"url"`
	Page     *int              `json:"page"`
	Quote    corpus.Text       `json:"quote"`
	Verified bool              `json:"verified"`
	Origin   string            `json:"origin"`
}

// responses is POST /v1/responses.
func (s *Server) responses(k *call) error {
	var r responsesRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	c, err := r.chat()
	if err != nil {
		return err
	}
	if err := c.resolve(s); err != nil {
		return err
	}
	ask, err := s.chatQuestion(k, c)
	if err != nil {
		return err
	}
	if err := s.reserve(k, s.chatTokens(c)); err != nil {
		return err
	}
	out := responseObject{
		ID: newID("resp_"), Object: "response", CreatedAt: time.Now().Unix(), Status: "in_progress", Model: c.name(), Output: []responseMessage{},
		Instructions: corpus.Text(r.Instructions), Metadata: map[string]string{}, ToolChoice: "auto", Tools: []struct{}{},
		Temperature: r.Temperature, TopP: r.TopP, MaxOutputTokens: r.MaxOutputTokens,
	}
	if c.Stream {
		return s.streamResponse(k, c, ask, out)
	}
	a, err := s.reply(k, c, ask, nil)
	if err != nil {
		return err
	}
	out.Model = c.nameOf(a.Model)
	out.finish(newID("msg_"), a, s.fileCitations(k, ask, a))
	return k.json(out)
}

// finish completes a response with its answer.
func (r *responseObject) finish(message string, a corpus.Answer, citations []fileCitation) {
	r.Status = "completed"
	if a.FinishReason == "length" {
		r.Status, r.IncompleteDetails = "incomplete", &incomplete{"max_output_tokens"}
	}
	r.Output = []responseMessage{{ID: message, Type: "message", Status: r.Status, Role: "assistant", Content: []responseText{textPart(a.Text, citations)}}}
	if u := usageOf(a.Usage); u != nil {
		r.Usage = &responseUsage{InputTokens: u.PromptTokens, OutputTokens: u.CompletionTokens, TotalTokens: u.TotalTokens}
	}
}

func textPart(text string, citations []fileCitation) responseText {
	return responseText{Type: "output_text", Text: text, Annotations: append([]fileCitation{}, citations...), Logprobs: []struct{}{}}
}

func (s *Server) fileCitations(k *call, ask answer.Request, a corpus.Answer) []fileCitation {
	var list []fileCitation
	for _, c := range s.annotations(k, ask.Scope.Collection, a) {
		list = append(list, fileCitation{
			Type: "file_citation", FileID: c.FileID, Filename: c.Filename, Index: c.Index, URL: c.URLCitation.URL,
			Page: c.Page, Quote: c.Quote, Verified: c.Verified, Origin: c.Origin,
		})
	}
	return list
}
