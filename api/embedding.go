package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"

	"github.com/tiktoken-go/tokenizer"

	"grounded/model"
)

// embeddingRequest is OpenAI's.
type embeddingRequest struct {
	Model          string         `json:"model"`
	Input          embeddingInput `json:"input"`
	EncodingFormat string         `json:"encoding_format"`
	Dimensions     *int           `json:"dimensions"`
	InputType      string         `json:"input_type"` // query or document, as other providers have it
}

// embeddingInput is a text, texts, the tokens of a text, or those of texts.
type embeddingInput struct {
	texts []string
}

// UnmarshalJSON reads each of the forms. Tokens are cl100k_base's, whatever the model: some clients count with it.
func (in *embeddingInput) UnmarshalJSON(data []byte) error {
	in.texts = nil
	if len(data) > 0 && data[0] == '"' {
		in.texts = []string{""}
		return json.Unmarshal(data, &in.texts[0])
	}
	if json.Unmarshal(data, &in.texts) == nil {
		return nil
	}
	var lists [][]uint
	var one []uint
	if json.Unmarshal(data, &one) == nil {
		lists = [][]uint{one}
	} else if err := json.Unmarshal(data, &lists); err != nil {
		return invalid("input", "input is neither a text, a list of texts, a list of tokens nor a list of lists of tokens")
	}
	codec, err := tokenizer.Get(tokenizer.Cl100kBase)
	if err != nil {
		return err
	}
	in.texts = make([]string, len(lists))
	for i, tokens := range lists {
		if in.texts[i], err = codec.Decode(tokens); err != nil {
			return invalid("input", "input %d has tokens that are not of cl100k_base; send the text itself", i)
		}
		in.texts[i] = strings.ToValidUTF8(in.texts[i], "") // a list may begin or end within a character
	}
	return nil
}

type embeddingEntry struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // numbers, or their base64
}

type embeddingList struct {
	Object string           `json:"object"`
	Data   []embeddingEntry `json:"data"`
	Model  string           `json:"model"`
	Usage  embeddingUsage   `json:"usage"`
}

type embeddingUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

// embeddings is POST /v1/embeddings.
func (s *Server) embeddings(k *call) error {
	var r embeddingRequest
	if err := k.decode(&r); err != nil {
		return err
	}
	embedder, err := s.engine.embedder(k.ctx, r.Model)
	if err != nil {
		return err
	}
	kind := model.Passage
	if strings.Contains(r.InputType, "query") {
		kind = model.Query
	}
	for i, text := range r.Input.texts {
		if strings.TrimSpace(text) == "" {
			return invalid("input", "text %d of input is empty", i)
		}
	}
	if err := s.reserve(k, tokensOf(r.Input.texts...)); err != nil {
		return err
	}
	made, err := embedder.Embed(k.ctx, kind, r.Input.texts)
	if err != nil {
		if k.ctx.Err() != nil {
			return stopped(k)
		}
		return err
	}
	out := embeddingList{Object: "list", Data: []embeddingEntry{}, Model: r.Model}
	for i, vector := range made.Vectors {
		if r.Dimensions != nil && *r.Dimensions != len(vector) {
			return unsupported("dimensions", "the model %s gives vectors of %d dimensions; leave dimensions out", r.Model, len(vector))
		}
		entry := embeddingEntry{Object: "embedding", Index: i, Embedding: vector}
		if r.EncodingFormat == "base64" {
			entry.Embedding = base64Vector(vector)
		}
		out.Data = append(out.Data, entry)
	}
	if made.Tokens != nil {
		out.Usage = embeddingUsage{*made.Tokens, *made.Tokens}
	} else {
		for _, text := range r.Input.texts { // the form has no room for what is not known
			n := embedder.CountTokens(text)
			out.Usage.PromptTokens += n
			out.Usage.TotalTokens += n
		}
	}
	k.use(&out.Usage.TotalTokens)
	return k.json(out)
}

// base64Vector is a vector's little-endian 32-bit numbers.
func base64Vector(vector []float32) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, v := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
