package model

import (
	"bytes"
	"encoding/json"
	"sort"
)

// embeddingReply is what langchaingo drops of an embedding reply, in OpenAI's form or Ollama's: the order of the
// vectors, numbers that are null, and how many tokens were used.
type embeddingReply struct {
	Data []struct {
		Index     *int            `json:"index"`
		Embedding json.RawMessage `json:"embedding"`
	} `json:"data"`
	Embeddings []json.RawMessage `json:"embeddings"`
	Usage      *struct {
		PromptTokens *int `json:"prompt_tokens"`
		TotalTokens  *int `json:"total_tokens"`
	} `json:"usage"`
	PromptEvalCount *int `json:"prompt_eval_count"`
}

func (r *embeddingReply) tokens() *int {
	switch {
	case r.Usage != nil && r.Usage.PromptTokens != nil:
		return r.Usage.PromptTokens
	case r.Usage != nil:
		return r.Usage.TotalTokens
	}
	return r.PromptEvalCount
}

// read checks a reply and returns it with its vectors in the order of the texts.
func (r *embeddingReply) read(body []byte) ([]byte, error) {
	*r = embeddingReply{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, badReply("the reply cannot be read: %w", err)
	}
	inOrder := true
	for i, d := range r.Data {
		// A vector that is not a number arrives as null, which would be read as 0.
		if bytes.Contains(d.Embedding, []byte("null")) {
			return nil, badReply("the server gave a vector with numbers that are null")
		}
		inOrder = inOrder && (d.Index == nil || *d.Index == i)
	}
	for _, v := range r.Embeddings {
		if bytes.Contains(v, []byte("null")) {
			return nil, badReply("the server gave a vector with numbers that are null")
		}
	}
	if inOrder {
		return body, nil
	}
	seen := make([]bool, len(r.Data))
	for _, d := range r.Data {
		if d.Index == nil || *d.Index < 0 || *d.Index >= len(seen) || seen[*d.Index] {
			return nil, badReply("the indexes of the server's vectors are not those of the texts")
		}
		seen[*d.Index] = true
	}
	sort.Slice(r.Data, func(i, j int) bool { return *r.Data[i].Index < *r.Data[j].Index })
	return json.Marshal(map[string]any{"data": r.Data})
}
