package answer

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"grounded/corpus"
	"grounded/model"
	"grounded/retrieve"
)

// shelf is a store of pages.
type shelf map[corpus.DocumentID][]corpus.Page

func (s shelf) Pages(_ context.Context, _ corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error) {
	pages, ok := s[id]
	if !ok {
		return nil, corpus.Errorf(corpus.ErrNotFound, "no document %s", id)
	}
	var list []corpus.Page
	for _, p := range pages {
		if p.Number >= first && p.Number <= last {
			list = append(list, p)
		}
	}
	return list, nil
}

// passage cuts a passage out of a page of the shelf and gives it a dense score.
func (s shelf) passage(t *testing.T, id corpus.DocumentID, page int, text string, dense float64) corpus.Passage {
	t.Helper()
	stored := s[id][page-1].Text
	at := strings.Index(stored, text)
	if at < 0 {
		t.Fatalf("page %d of %s has no %q", page, id, text)
	}
	start := len([]rune(stored[:at]))
	chunk := corpus.Chunk{
		ID: corpus.NewChunkID(id, text, 0), DocumentID: id, PageStart: page, PageEnd: page,
		Start: start, End: start + len([]rune(text)), Text: text,
	}
	return corpus.Passage{
		ChunkID: chunk.ID, DocumentID: id, Document: string(id) + ".pdf", PageStart: page, PageEnd: page, Text: text,
		Scores: corpus.Scores{Dense: &dense}, Chunk: chunk,
	}
}

// finder returns the same passages for every question and remembers what it was asked.
type finder struct {
	passages []corpus.Passage
	err      error
	mu       sync.Mutex
	asked    []retrieve.Request
}

func (f *finder) Retrieve(_ context.Context, r retrieve.Request) (retrieve.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	tokens := 7
	return retrieve.Result{Passages: f.passages, EmbeddingTokens: &tokens}, f.err
}

// script is a chat model that says what it is told, and counts a word as a token.
type script struct {
	card    model.Card
	replies []string // one after the other, the last again and again
	err     error
	mu      sync.Mutex
	asked   []model.Request
	busy    int
	most    int // calls at the same time
}

func (s *script) Card() model.Card { return s.card }

func (s *script) CountTokens(_ context.Context, text string) (int, error) {
	return len(strings.Fields(text)), nil
}

func (s *script) Complete(ctx context.Context, r model.Request, stream func(model.Delta) error) (model.Response, error) {
	s.mu.Lock()
	reply := s.replies[min(len(s.asked), len(s.replies)-1)]
	s.asked = append(s.asked, r)
	s.busy++
	s.most = max(s.most, s.busy)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.busy--
		s.mu.Unlock()
	}()
	if s.err != nil {
		return model.Response{}, s.err
	}
	prompt, completion := 0, len(strings.Fields(reply))
	for _, m := range r.Messages {
		prompt += len(strings.Fields(m.Content))
	}
	if stream != nil {
		for _, word := range strings.SplitAfter(reply, " ") {
			if err := errors.Join(ctx.Err(), stream(model.Delta{Text: word})); err != nil {
				return model.Response{}, err
			}
		}
	}
	return model.Response{Text: reply, PromptTokens: &prompt, CompletionTokens: &completion}, nil
}

// prompt is the text of the n-th request.
func (s *script) prompt(n int) string {
	var b strings.Builder
	for _, m := range s.asked[n].Messages {
		b.WriteString(m.Role + ": " + m.Content + "\n")
	}
	return b.String()
}

// meaning embeds texts by a table; texts that are not in it are unlike everything.
type meaning struct {
	id    string
	table map[string][]float32
}

func (m meaning) Embed(_ context.Context, _ model.Kind, texts []string) (model.Embeddings, error) {
	tokens := len(texts)
	e := model.Embeddings{Tokens: &tokens}
	for _, t := range texts {
		v, ok := m.table[t]
		if !ok {
			v = []float32{0, 0, 1}
		}
		e.Vectors = append(e.Vectors, v)
	}
	return e, nil
}

func (m meaning) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: m.id, Dimensions: 3}, nil
}
func (m meaning) CountTokens(text string) int { return len(text) }
func (m meaning) MaxTokens() int              { return 512 }
