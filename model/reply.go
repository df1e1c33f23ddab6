package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"grounded/corpus"
)

// embeddingReader collects the vectors of embedding replies in OpenAI's form or Ollama's. They are read here and not
// by langchaingo, which ignores their order, numbers that are null and the tokens used, and takes three times as long.
type embeddingReader struct {
	vectors [][]float32
	used    tally
}

type embeddingReply struct {
	Data []struct {
		Index     *int   `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
	Embeddings []vector `json:"embeddings"`
	Usage      *struct {
		PromptTokens *int `json:"prompt_tokens"`
		TotalTokens  *int `json:"total_tokens"`
	} `json:"usage"`
	PromptEvalCount *int            `json:"prompt_eval_count"`
	Error           json.RawMessage `json:"error"`
}

// vector is an array of numbers.
type vector []float32

var errNullNumber = errors.New("the server gave a vector with numbers that are null")

// UnmarshalJSON reads an array of numbers. A number that is none arrives as null, which must not become 0.
func (v *vector) UnmarshalJSON(array []byte) error {
	inside, isArray := bytes.CutPrefix(array, []byte("["))
	inside, _ = bytes.CutSuffix(inside, []byte("]"))
	if !isArray {
		return errors.New("a vector is not an array of numbers")
	}
	*v = make(vector, 0, bytes.Count(inside, []byte(","))+1)
	for part := range bytes.SplitSeq(inside, []byte(",")) {
		number := bytes.TrimSpace(part)
		if len(number) == 0 {
			continue // of an empty array: the syntax has been checked
		}
		if string(number) == "null" {
			return errNullNumber
		}
		x, err := strconv.ParseFloat(string(number), 32)
		if err != nil {
			return fmt.Errorf("a vector has %s, which is no number that fits 32 bits", shorten(string(number)))
		}
		*v = append(*v, float32(x))
	}
	return nil
}

// tokens are nil where the server did not count, or counted fewer than none.
func (r *embeddingReply) tokens() *int {
	n := r.PromptEvalCount
	switch {
	case r.Usage != nil && r.Usage.PromptTokens != nil:
		n = r.Usage.PromptTokens
	case r.Usage != nil:
		n = r.Usage.TotalTokens
	}
	if n != nil && *n < 0 {
		return nil
	}
	return n
}

// read adds a reply's vectors, in the order of the texts. It returns a reply for langchaingo with a vector of one
// number in the place of each: langchaingo counts them, and what it makes of them is not used.
func (e *embeddingReader) read(body []byte) ([]byte, *failure) {
	var r embeddingReply
	err := json.Unmarshal(body, &r)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, notJSON(body)
	case len(r.Error) > 0 && string(r.Error) != "null":
		return nil, errorReply(body)
	case errors.Is(err, errNullNumber):
		return nil, &failure{err: badReply("%w", errNullNumber)}
	case err != nil:
		return nil, &failure{err: badReply("the reply cannot be read: %w", err)}
	case !r.order():
		return nil, &failure{err: badReply("the indexes of the server's vectors are not those of the texts")}
	}
	for _, v := range r.Embeddings {
		e.vectors = append(e.vectors, v)
	}
	for _, d := range r.Data {
		e.vectors = append(e.vectors, d.Embedding)
	}
	e.used.add(r.tokens())
	list := func(n int, each string) string { return strings.TrimSuffix(strings.Repeat(each+",", n), ",") }
	return []byte(`{"data":[` + list(len(r.Data), `{"embedding":[0]}`) + `],"embeddings":[` + list(len(r.Embeddings), `[0]`) + `]}`), nil
}

// order brings the vectors into the order of their indexes, if they have any; false if these make no order.
func (r *embeddingReply) order() bool {
	ordered := true
	for i, d := range r.Data {
		ordered = ordered && (d.Index == nil || *d.Index == i)
	}
	if ordered {
		return true
	}
	seen := make([]bool, len(r.Data))
	for _, d := range r.Data {
		if d.Index == nil || *d.Index < 0 || *d.Index >= len(seen) || seen[*d.Index] {
			return false
		}
		seen[*d.Index] = true
	}
	sort.Slice(r.Data, func(i, j int) bool { return *r.Data[i].Index < *r.Data[j].Index })
	return true
}

func notJSON(body []byte) *failure {
	return &failure{retry: true, err: corpus.Hint(
		corpus.Errorf(corpus.ErrUnavailable, "the reply is not JSON: %s", shorten(string(body[:min(len(body), 300)]))),
		"check base_url in the model's catalog entry: is a proxy or another program answering?")}
}

func errorReply(body []byte) *failure {
	return &failure{err: corpus.Errorf(corpus.ErrUnavailable, "the server says: %s", serverMessage(body))}
}
