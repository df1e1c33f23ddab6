package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"grounded/corpus"
)

func embedCard(base string) Card {
	return Card{ID: "emb", Provider: "openai", BaseURL: base, Model: "m", Tasks: []Task{TaskEmbedding}, Dimensions: 3, Context: 100, BatchTexts: 2}
}

func newEmbedder(t *testing.T, card Card, cfg Config) Embedder {
	t.Helper()
	e, err := NewEmbedder(t.Context(), card, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEmbedGivesUnitVectorsInOrderAndSumsTheTokens(t *testing.T) {
	s := serve(t, vectorsOf(3))
	e := newEmbedder(t, embedCard(s.URL+"/v1"), quick())
	texts := []string{"a", "bb\nbb", "ccc", "dddd", "eeeee"}
	kept := slices.Clone(texts)
	got, err := e.Embed(t.Context(), Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(texts, kept) {
		t.Error("the caller's texts were changed")
	}
	if got.Tokens == nil || *got.Tokens != 50 {
		t.Errorf("tokens are %v, want 50", got.Tokens)
	}
	for i, text := range texts {
		want := normalise(vectorOf(text, 3))
		if !slices.Equal(got.Vectors[i], want) {
			t.Errorf("vector %d is %v, want %v", i, got.Vectors[i], want)
		}
		if n := length(got.Vectors[i]); math.Abs(n-1) > 1e-6 {
			t.Errorf("vector %d has length %v", i, n)
		}
	}
	if s.count() != 3 {
		t.Errorf("%d requests for 5 texts in batches of 2", s.count())
	}
	if r := s.request(t, 0); r.path != "/v1/embeddings" || r.body["model"] != "m" {
		t.Errorf("request is %+v", r)
	}
}

func TestTextsArriveAsTheyAreWithTheirPrefix(t *testing.T) {
	s := serve(t, vectorsOf(3))
	card := embedCard(s.URL)
	card.QueryPrefix, card.PassagePrefix, card.QueryModel, card.PassageModel = "q: ", "p: ", "m-query", "m-passage"
	e := newEmbedder(t, card, quick())
	for i, kind := range []Kind{Query, Passage} {
		if _, err := e.Embed(t.Context(), kind, []string{"two\nlines"}); err != nil {
			t.Fatal(err)
		}
		r := s.request(t, i)
		want := string(kind[:1]) + ": two\nlines"
		if input := r.body["input"].([]any); input[0] != want || r.body["model"] != "m-"+string(kind) {
			t.Errorf("%s arrived as %q for %v", kind, input[0], r.body["model"])
		}
	}
	a, err := e.Embedding(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	card.PassageModel = "other"
	b, _ := newEmbedder(t, card, quick()).Embedding(t.Context())
	if a.Dimensions != 3 || a.Fingerprint() == b.Fingerprint() {
		t.Errorf("fingerprints of different passage models: %+v and %+v", a, b)
	}
}

func TestVectorsAreOrderedByTheirIndex(t *testing.T) {
	s := serve(t, reply(200, `{"data":[{"index":1,"embedding":[0,1,0]},{"index":0,"embedding":[1,0,0]}]}`))
	got, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(t.Context(), Passage, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Vectors[0][0] != 1 || got.Vectors[1][1] != 1 {
		t.Errorf("vectors are %v", got.Vectors)
	}
	if got.Tokens != nil {
		t.Errorf("tokens are %d, though the server did not say", *got.Tokens)
	}
}

func TestABadEmbeddingReplyIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, body string
		kind       error
		want       string
	}{
		{"half the vectors", `{"data":[{"index":0,"embedding":[1,0,0]}]}`, corpus.ErrUnavailable, "1 vectors for 2 texts"},
		{"too many", `{"data":[{"embedding":[1,0,0]},{"embedding":[1,0,0]},{"embedding":[1,0,0]}]}`, corpus.ErrUnavailable, "3 vectors for 2 texts"},
		{"wrong dimensions", `{"data":[{"embedding":[1,0]},{"embedding":[1,0]}]}`, corpus.ErrInvalid, "2 dimensions, expected 3"},
		{"empty reply", `{}`, corpus.ErrUnavailable, "0 vectors for 2 texts"},
		{"empty vector", `{"data":[{"embedding":[]},{"embedding":[]}]}`, corpus.ErrUnavailable, "empty vector"},
		{"zero vector", `{"data":[{"embedding":[0,0,0]},{"embedding":[0,0,0]}]}`, corpus.ErrUnavailable, "length 0"},
		{"null numbers", `{"data":[{"embedding":[1,null,0]},{"embedding":[1,0,0]}]}`, corpus.ErrUnavailable, "null"},
		{"NaN", `{"data":[{"embedding":[NaN,0,0]}]}`, corpus.ErrUnavailable, "not JSON"},
		{"beyond float32", `{"data":[{"embedding":[1e60,0,0]},{"embedding":[1,0,0]}]}`, corpus.ErrUnavailable, "no number that fits 32 bits"},
		{"same index twice", `{"data":[{"index":1,"embedding":[1,0,0]},{"index":1,"embedding":[1,0,0]}]}`, corpus.ErrUnavailable, "indexes"},
		{"garbage", `<html>hello</html>`, corpus.ErrUnavailable, "not JSON: <html>hello</html> (3 attempts)"},
		{"error with status 200", `{"error":{"message":"no such model"}}`, corpus.ErrUnavailable, "no such model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, reply(200, c.body))
			_, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(t.Context(), Passage, []string{"a", "b"})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %v with %q", err, c.kind, c.want)
			}
		})
	}
}

func TestABatchThatIsTooLargeIsHalvedAndATextSplit(t *testing.T) {
	var largest atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Input []string }
		json.NewDecoder(r.Body).Decode(&req)
		total := 0
		for _, text := range req.Input {
			total += len(text)
		}
		if total > 100 {
			reply(413, `{"error":"inputs must have less than 100 bytes"}`)(w, r)
			return
		}
		largest.Store(max(largest.Load(), int64(total)))
		data := make([]string, len(req.Input))
		for i := range data {
			data[i] = fmt.Sprintf(`{"index":%d,"embedding":[1,0,0]}`, i)
		}
		reply(200, `{"data":[`+strings.Join(data, ",")+`]}`)(w, r)
	})
	card := embedCard(s.URL)
	card.BatchTexts, card.Context = 8, 1000
	long := strings.Repeat("some words in a row ", 12)
	got, err := newEmbedder(t, card, quick()).Embed(t.Context(), Passage, []string{"short", strings.Repeat("x y ", 20), long, "end"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Vectors) != 4 || largest.Load() == 0 {
		t.Errorf("%d vectors, the largest request had %d bytes", len(got.Vectors), largest.Load())
	}
}

func TestATextOverTheModelsLengthIsSplitAndAveraged(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Input []string }
		json.NewDecoder(r.Body).Decode(&req)
		data := make([]string, len(req.Input))
		for i, text := range req.Input {
			v := "[1,0,0]"
			if strings.Contains(text, "b") {
				v = "[0,1,0]"
			}
			data[i] = fmt.Sprintf(`{"index":%d,"embedding":%s}`, i, v)
		}
		reply(200, `{"data":[`+strings.Join(data, ",")+`]}`)(w, r)
	})
	e := newEmbedder(t, embedCard(s.URL), quick())
	text := strings.Repeat("aa ", 80) + "\n\n" + strings.Repeat("bo ", 80)
	got, err := e.Embed(t.Context(), Passage, []string{"aa", text})
	if err != nil {
		t.Fatal(err)
	}
	v := got.Vectors[1]
	if math.Abs(float64(v[0]-v[1])) > 0.1 || math.Abs(length(v)-1) > 1e-6 {
		t.Errorf("the average of two halves is %v", v)
	}
	var sent strings.Builder
	for i := range s.count() {
		for _, input := range s.request(t, i).body["input"].([]any) {
			if n := e.CountTokens(input.(string)); n > e.MaxTokens() {
				t.Errorf("a text of %d tokens was sent, the limit is %d", n, e.MaxTokens())
			}
			sent.WriteString(input.(string))
		}
	}
	if strings.Count(sent.String(), "bo ") != 80 || strings.Count(sent.String(), "aa ") != 80 {
		t.Error("words were lost")
	}
}

func TestConcurrencyIsBoundedPerModel(t *testing.T) {
	var now, most atomic.Int64
	var once sync.Once
	beyond := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		if n > 3 {
			once.Do(func() { close(beyond) })
		}
		select { // long enough for one that should not come
		case <-beyond:
		case <-time.After(50 * time.Millisecond):
		}
		vectorsOf(3)(w, r)
	})
	card := embedCard(s.URL)
	card.Concurrency, card.BatchTexts = 3, 4
	e := newEmbedder(t, card, quick())
	texts := make([]string, 60)
	for i := range texts {
		texts[i] = strings.Repeat("x", i+1)
	}
	if _, err := e.Embed(t.Context(), Passage, texts); err != nil {
		t.Fatal(err)
	}
	if m := most.Load(); m != 3 {
		t.Errorf("%d requests at once, want 3", m)
	}
}

func TestDimensionsAreAskedOfTheModelWhenTheCardDoesNotSay(t *testing.T) {
	s := serve(t, vectorsOf(5))
	card := embedCard(s.URL)
	card.Dimensions = 0
	e := newEmbedder(t, card, quick())
	for range 2 {
		got, err := e.Embedding(t.Context())
		if err != nil || got.Dimensions != 5 {
			t.Fatalf("dimensions %d, %v", got.Dimensions, err)
		}
	}
	if s.count() != 1 {
		t.Errorf("%d requests, want 1", s.count())
	}
}

func TestOllamaEmbedsWithoutCutting(t *testing.T) {
	s := serve(t, reply(200, `{"embeddings":[[3,0,4]],"prompt_eval_count":7}`))
	card := embedCard(s.URL)
	card.Provider = "ollama"
	got, err := newEmbedder(t, card, quick()).Embed(t.Context(), Query, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.request(t, 0); r.path != "/api/embed" || r.body["truncate"] != false {
		t.Errorf("request is %+v", r)
	}
	if got.Tokens == nil || *got.Tokens != 14 || math.Abs(float64(got.Vectors[1][2])-0.8) > 1e-6 {
		t.Errorf("got %v, tokens %v", got.Vectors, got.Tokens)
	}
}

func TestEmptyTextsAreRefusedAndNoTextsAreNone(t *testing.T) {
	s := serve(t, vectorsOf(3))
	e := newEmbedder(t, embedCard(s.URL), quick())
	if _, err := e.Embed(t.Context(), Query, []string{"a", " \n"}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("error is %v", err)
	}
	got, err := e.Embed(t.Context(), Query, nil)
	if err != nil || len(got.Vectors) != 0 || s.count() != 0 {
		t.Errorf("got %v, %v after %d requests", got, err, s.count())
	}
}

func TestCancellingEndsAnEmbedding(t *testing.T) {
	gone := make(chan struct{})
	started := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := newEmbedder(t, embedCard(s.URL), quick()).Embed(ctx, Query, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the request went on")
	}
}
