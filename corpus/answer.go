package corpus

import "encoding/json"

// Text is a string whose empty value is unknown: null in JSON.
type Text string

// MarshalJSON writes null for the empty string.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// Scores are what the parts of retrieval said of a passage; nil when that part did not score it.
type Scores struct {
	Dense   *float64 `json:"dense"`   // cosine similarity, -1 to 1
	Lexical *float64 `json:"lexical"` // BM25, from 0
	Rerank  *float64 `json:"rerank"`  // as the reranker gives it
}

// Passage is a chunk as retrieval returned it.
type Passage struct {
	Rank       int        `json:"rank"` // from 1
	ChunkID    ChunkID    `json:"chunk_id"`
	DocumentID DocumentID `json:"document_id"`
	Document   string     `json:"document"` // path in its source
	Title      Text       `json:"title"`
	PageStart  int        `json:"page_start"`
	PageEnd    int        `json:"page_end"`
	Heading    Text       `json:"heading"`
	Text       string     `json:"text"`
	Score      float64    `json:"score"` // what the ranking is by
	Scores     Scores     `json:"scores"`

	Chunk Chunk `json:"-"` // what is stored of it
}

// Origins of a citation.
const (
	OriginModel      = "model"      // the model wrote the marker
	OriginAttributed = "attributed" // the model wrote none; the sentence was matched with the passage
)

// Citation is a passage named by the answer.
type Citation struct {
	Marker   int     `json:"marker"` // the n of [n] in the answer's text
	ChunkID  ChunkID `json:"chunk_id"`
	Document string  `json:"document"`
	Title    Text    `json:"title"`
	Page     *int    `json:"page"`
	// PageLabel is what the document itself calls the page, where that is not its number: "iv", a sheet's name.
	PageLabel string `json:"page_label,omitempty"`
	Quote     Text   `json:"quote"` // words of the stored page that support the sentence
	Start     *int   `json:"start"` // of the quote in the page's text, in Unicode code points
	End       *int   `json:"end"`
	Origin    string `json:"origin"`
	Verified  bool   `json:"verified"` // the quote is in the stored page and supports the sentence
	Sentence  string `json:"sentence"` // of the answer, that it stands behind
	Repeat    int    `json:"-"`        // how many times the answer has said the same sentence before
}

// Usage counts tokens; nil is unknown.
type Usage struct {
	PromptTokens     *int `json:"prompt_tokens"`
	CompletionTokens *int `json:"completion_tokens"`
	EmbeddingTokens  *int `json:"embedding_tokens"`
}

// Timings are in milliseconds from the beginning of the request, but RetrieveMS and CheckMS are lengths; nil is unknown.
type Timings struct {
	RetrieveMS   *float64 `json:"retrieve_ms"`
	FirstTokenMS *float64 `json:"first_token_ms"`
	CheckMS      *float64 `json:"check_ms"` // of looking up citations when the answer is written; nil when none were
	TotalMS      *float64 `json:"total_ms"`
}

// Answer is what one arm gave to one question.
type Answer struct {
	Question    string     `json:"question"`
	Model       string     `json:"model"`
	Arm         string     `json:"arm"`
	Text        string     `json:"text"`
	Abstained   bool       `json:"abstained"`
	Citations   []Citation `json:"citations"`
	Passages    []Passage  `json:"passages"`
	Unsupported []string   `json:"unsupported"` // sentences of a grounded answer that no passage supports
	Usage       Usage      `json:"usage"`
	Timings     Timings    `json:"timings"`
	CostUSD     *float64   `json:"cost_usd"` // nil when a price is unknown

	FinishReason string `json:"-"` // stop, length, or what the model says
}
