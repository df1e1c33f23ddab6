package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/model"
	"grounded/retrieve"
	"grounded/store"
	"grounded/store/sqlite"
)

// topics embeds a text by how often it has each of its words: the directions of the vector space.
type topics struct {
	words []string
	name  string
	calls atomic.Int32
	err   error
}

func (e *topics) Embed(_ context.Context, _ model.Kind, texts []string) (model.Embeddings, error) {
	e.calls.Add(1)
	tokens := 0
	made := model.Embeddings{Tokens: &tokens}
	for _, text := range texts {
		vector := make([]float32, len(e.words)+1)
		vector[len(e.words)] = .1
		for i, w := range e.words {
			vector[i] = float32(strings.Count(strings.ToLower(text), w))
		}
		var norm float64
		for _, x := range vector {
			norm += float64(x) * float64(x)
		}
		for i := range vector {
			vector[i] /= float32(math.Sqrt(norm))
		}
		made.Vectors = append(made.Vectors, vector)
		tokens += len(strings.Fields(text))
	}
	return made, e.err
}

func (e *topics) Embedding(context.Context) (corpus.Embedding, error) {
	return corpus.Embedding{Model: e.name, Dimensions: len(e.words) + 1, Normalised: true}, nil
}

func (e *topics) CountTokens(text string) int { return len(strings.Fields(text)) }
func (e *topics) MaxTokens() int              { return 512 }

// library is a store with one collection, "c", embedded by topics.
type library struct {
	store    store.Store
	embedder *topics
}

func newLibrary(t *testing.T) library {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "grounded.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l := library{s, &topics{words: []string{"leave", "salary", "travel", "urlaub"}, name: "topics"}}
	embedding, _ := l.embedder.Embedding(t.Context())
	if err := s.CreateCollection(t.Context(), corpus.Collection{Name: "c", Embedding: embedding}); err != nil {
		t.Fatal(err)
	}
	return l
}

// add puts a document in whose chunks are these texts.
func (l library) add(t *testing.T, path, language string, groups []string, texts ...string) {
	t.Helper()
	embedding, _ := l.embedder.Embedding(t.Context())
	doc := corpus.Document{
		ID: corpus.NewDocumentID("c", "s", path), Collection: "c", Source: "s", Path: path, Title: "Title of " + path,
		Groups: groups, EmbeddingFingerprint: embedding.Fingerprint(), PageCount: 1, ChunkCount: len(texts),
	}
	made, _ := l.embedder.Embed(t.Context(), model.Passage, texts)
	l.embedder.calls.Store(0)
	var chunks []corpus.EmbeddedChunk
	page := ""
	for i, text := range texts {
		start := len([]rune(page))
		page += text + "\n"
		chunks = append(chunks, corpus.EmbeddedChunk{
			Chunk: corpus.Chunk{
				ID: corpus.NewChunkID(doc.ID, text, i), DocumentID: doc.ID, Ordinal: i, PageStart: 1, PageEnd: 1,
				Start: start, End: start + len([]rune(text)), Heading: []string{"A", "B"}, Text: text, Language: language,
			},
			Vector: made.Vectors[i], Terms: analyze.Terms(text, language),
		})
	}
	if err := l.store.Replace(t.Context(), doc, []corpus.Page{{Number: 1, Text: page}}, chunks); err != nil {
		t.Fatal(err)
	}
}

func (l library) retriever(t *testing.T, change func(*retrieve.Config)) *retrieve.Retriever {
	t.Helper()
	config := retrieve.Config{Store: l.store, Embedder: l.embedder}
	if change != nil {
		change(&config)
	}
	r, err := retrieve.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (l library) find(t *testing.T, r *retrieve.Retriever, request retrieve.Request) []corpus.Passage {
	t.Helper()
	if request.Collection == "" {
		request.Collection = "c"
	}
	result, err := r.Retrieve(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return result.Passages
}

func texts(passages []corpus.Passage) []string {
	out := []string{}
	for _, p := range passages {
		out = append(out, p.Text)
	}
	return out
}

func TestPassagesTellWhereTheyAreFromAndWhatScoredThem(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "hr/leave.md", "en", nil, "Everyone has thirty days of leave.")
	l.add(t, "hr/pay.md", "en", nil, "The salary comes on the first of a month.")
	for mode, scored := range map[retrieve.Mode][2]bool{"": {true, true}, "hybrid": {true, true}, "dense": {true, false}, "lexical": {false, true}} {
		found := l.find(t, l.retriever(t, nil), retrieve.Request{Question: "How many days of leave?", Mode: mode, TopK: 1})
		if len(found) != 1 {
			t.Fatalf("mode %q: %d passages, want 1", mode, len(found))
		}
		p := found[0]
		if p.Rank != 1 || p.Document != "hr/leave.md" || p.Title != "Title of hr/leave.md" || p.Heading != "A > B" ||
			p.PageStart != 1 || p.PageEnd != 1 || p.Text != "Everyone has thirty days of leave." || p.Chunk.ID != p.ChunkID {
			t.Errorf("mode %q: passage is %+v", mode, p)
		}
		if got := [2]bool{p.Scores.Dense != nil, p.Scores.Lexical != nil}; got != scored || p.Scores.Rerank != nil {
			t.Errorf("mode %q: dense and lexical scores are known: %v, want %v", mode, got, scored)
		}
	}
}

func TestRequestsThatMakeNoSenseAreRefusedWithAHint(t *testing.T) {
	l := newLibrary(t)
	for name, request := range map[string]retrieve.Request{
		"empty question":  {Question: " \n"},
		"too few":         {Question: "q", TopK: -1},
		"too many":        {Question: "q", TopK: 1001},
		"unknown mode":    {Question: "q", Mode: "magic"},
		"no embedder":     {Question: "q"},
		"no embedder too": {Question: "q", Mode: retrieve.ModeDense},
	} {
		r := l.retriever(t, func(c *retrieve.Config) { c.Embedder = nil })
		request.Collection = "c"
		if _, err := r.Retrieve(t.Context(), request); !errors.Is(err, corpus.ErrInvalid) || corpus.HintOf(err) == "" {
			t.Errorf("%s: error is %v with hint %q, want invalid with a hint", name, err, corpus.HintOf(err))
		}
	}
	r := l.retriever(t, nil)
	for _, mode := range []string{retrieve.ModeDense, retrieve.ModeLexical} {
		_, err := r.Retrieve(t.Context(), retrieve.Request{Scope: corpus.Scope{Collection: "c"}, Mode: mode, Question: strings.Repeat("字", 32001)})
		if !errors.Is(err, corpus.ErrLimit) || corpus.HintOf(err) == "" {
			t.Errorf("a question of 32,001 characters, %s: error is %v", mode, err)
		}
	}
	if _, err := retrieve.New(retrieve.Config{}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("without a store the error is %v", err)
	}
}

func TestLexicalSearchNeedsNoEmbedder(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "Everyone has thirty days of leave.")
	r := l.retriever(t, func(c *retrieve.Config) { c.Embedder = nil })
	if found := l.find(t, r, retrieve.Request{Question: "day", Mode: retrieve.ModeLexical}); len(found) != 1 {
		t.Errorf("found %d passages, want 1", len(found))
	}
}

func TestAMissingCollectionIsNotFound(t *testing.T) {
	l := newLibrary(t)
	request := retrieve.Request{Scope: corpus.Scope{Collection: "other"}, Question: "q"}
	if _, err := l.retriever(t, nil).Retrieve(t.Context(), request); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("error is %v, want not found", err)
	}
}

func TestVectorsOfAnotherModelAreAConflictThatNamesBoth(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "Everyone has thirty days of leave.")
	other := &topics{words: l.embedder.words, name: "newer"}
	r := l.retriever(t, func(c *retrieve.Config) { c.Embedder = other })
	_, err := r.Retrieve(t.Context(), retrieve.Request{Scope: corpus.Scope{Collection: "c"}, Question: "leave"})
	if !errors.Is(err, corpus.ErrConflict) {
		t.Fatalf("error is %v, want a conflict", err)
	}
	for _, part := range []string{"topics", "newer"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name %s", err, part)
		}
	}
	if !strings.Contains(corpus.HintOf(err), "grounded reindex") {
		t.Errorf("hint is %q", corpus.HintOf(err))
	}
	if found := l.find(t, r, retrieve.Request{Question: "leave", Mode: retrieve.ModeLexical}); len(found) != 1 {
		t.Error("words can't be searched, though they need no vectors")
	}
	if other.calls.Load() != 0 {
		t.Error("the question was embedded though its vector is of no use")
	}
}

// counting counts how often a collection is read.
type counting struct {
	store.Store
	reads atomic.Int32
}

func (c *counting) Collection(ctx context.Context, name string) (corpus.Collection, error) {
	c.reads.Add(1)
	return c.Store.Collection(ctx, name)
}

func TestACollectionThatIsKnownIsNotReadAgain(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "27 days of leave")
	known, err := l.store.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	other := known
	other.Name = "other"
	counted := &counting{Store: l.store}
	r := l.retriever(t, func(c *retrieve.Config) { c.Store = counted })
	for _, test := range []struct {
		known *corpus.Collection
		reads int32
	}{{&known, 0}, {nil, 1}, {&other, 1}} {
		counted.reads.Store(0)
		found := l.find(t, r, retrieve.Request{Question: "leave", Known: test.known})
		if len(found) != 1 || counted.reads.Load() != test.reads {
			t.Errorf("%d passages after %d reads, want %d", len(found), counted.reads.Load(), test.reads)
		}
	}
}

func TestAccessAndFilterHold(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "open.md", "en", nil, "Leave for all.")
	l.add(t, "secret.md", "en", []string{"board"}, "Leave for the board.")
	r := l.retriever(t, nil)
	if got := texts(l.find(t, r, retrieve.Request{Question: "leave"})); !cmp.Equal(got, []string{"Leave for all."}) {
		t.Errorf("without groups %q are found", got)
	}
	board := corpus.Scope{Collection: "c", Access: corpus.Access{Groups: []string{"board"}}}
	if got := l.find(t, r, retrieve.Request{Scope: board, Question: "leave"}); len(got) != 2 {
		t.Errorf("the board finds %d passages, want 2", len(got))
	}
	filter := corpus.Filter{{Key: "document", Op: corpus.OpEqual, Values: []any{"secret.md"}}}
	if got := l.find(t, r, retrieve.Request{Scope: board, Question: "leave", Filter: filter}); len(got) != 1 || got[0].Document != "secret.md" {
		t.Errorf("the filter passes %q", texts(got))
	}
}

func TestWordsAreFoundInEachLanguageOfTheCollection(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "Policies are reviewed.")
	l.add(t, "b.md", "de", nil, "Die Häuser sind verkauft.")
	r := l.retriever(t, nil)
	for question, want := range map[string]string{"policy": "a.md", "Haus": "b.md"} {
		found := l.find(t, r, retrieve.Request{Question: question, Mode: retrieve.ModeLexical})
		if len(found) != 1 || found[0].Document != want {
			t.Errorf("%q finds %q, want %s", question, texts(found), want)
		}
	}
}

func TestTextsSaidTwiceAreFoundOnce(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "v1.md", "en", nil, "Leave is 30 days. Leave must be asked for.")
	l.add(t, "v2.md", "en", nil, "LEAVE is 30 days.\nLeave must be asked for!")
	l.add(t, "v3.md", "en", nil, "Leave is 30 days.")
	l.add(t, "v4.md", "en", nil, "Leave is 25 days.")
	found := l.find(t, l.retriever(t, nil), retrieve.Request{Question: "Is leave to be asked for?", Mode: retrieve.ModeLexical})
	if diff := cmp.Diff([]string{"Leave is 30 days. Leave must be asked for.", "Leave is 25 days."}, texts(found)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	for i, p := range found {
		if p.Rank != i+1 {
			t.Errorf("passage %d has rank %d", i+1, p.Rank)
		}
	}
}

func TestNeighboursOnTheSubjectDecideBetweenEquals(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "alone.md", "en", nil, "Salary one.", "Leave, first.", "Salary two.")
	l.add(t, "together.md", "en", nil, "Leave, third and more.", "Leave, second.", "Salary three.")
	found := l.find(t, l.retriever(t, nil), retrieve.Request{Question: "leave", Mode: retrieve.ModeDense, TopK: 3})
	if len(found) != 3 || found[2].Text != "Leave, first." {
		t.Errorf("ranking is %q, want the one without neighbours on its subject last", texts(found))
	}
}

type reranker func(texts []string) ([]float64, error)

func (r reranker) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	return r(texts)
}

func TestARerankerHasTheLastWord(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "Leave leave leave.", "Leave and salary.", "Travel.")
	byLength := reranker(func(texts []string) ([]float64, error) {
		scores := make([]float64, len(texts))
		for i, text := range texts {
			scores[i] = -float64(len(text))
		}
		return scores, nil
	})
	r := l.retriever(t, func(c *retrieve.Config) { c.Reranker = byLength })
	found := l.find(t, r, retrieve.Request{Question: "leave", TopK: 2})
	if diff := cmp.Diff([]string{"Travel.", "Leave and salary."}, texts(found)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if p := found[0]; p.Rank != 1 || p.Scores.Rerank == nil || *p.Scores.Rerank != -7 || p.Score != -7 || p.Scores.Dense == nil {
		t.Errorf("scores of the first are %+v, %v", p.Scores, p.Score)
	}
}

func TestARerankerThatAnswersWrongIsAnError(t *testing.T) {
	l := newLibrary(t)
	l.add(t, "a.md", "en", nil, "Leave leave leave.", "Leave and salary.")
	for name, scores := range map[string][]float64{"too few": {1}, "not a number": {1, math.NaN()}} {
		r := l.retriever(t, func(c *retrieve.Config) {
			c.Reranker = reranker(func([]string) ([]float64, error) { return scores, nil })
		})
		if _, err := r.Retrieve(t.Context(), retrieve.Request{Scope: corpus.Scope{Collection: "c"}, Question: "leave"}); !errors.Is(err, corpus.ErrUnavailable) {
			t.Errorf("%s: error is %v, want unavailable", name, err)
		}
	}
}

func TestManyQuestionsAreEmbeddedInOneCall(t *testing.T) {
	l := newLibrary(t)
	for i, topic := range []string{"leave", "salary", "travel"} {
		l.add(t, fmt.Sprintf("%d.md", i), "en", nil, "All about "+topic+".")
	}
	r := l.retriever(t, nil)
	scope := corpus.Scope{Collection: "c"}
	results, err := r.RetrieveAll(t.Context(), []retrieve.Request{
		{Scope: scope, Question: "travel"}, {Scope: scope, Question: "leave", Mode: retrieve.ModeLexical}, {Scope: scope, Question: "salary"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2.md", "0.md", "1.md"} {
		if got := results[i].Passages; len(got) == 0 || got[0].Document != want {
			t.Errorf("question %d finds %q, want %s first", i, texts(got), want)
		}
	}
	if n := l.embedder.calls.Load(); n != 1 {
		t.Errorf("the embedder was called %d times, want once", n)
	}
	one, err := r.Retrieve(t.Context(), retrieve.Request{Scope: scope, Question: "travel and leave"})
	if err != nil || one.EmbeddingTokens == nil || *one.EmbeddingTokens != 3 {
		t.Errorf("tokens of one question are %v (%v), want 3", one.EmbeddingTokens, err)
	}
}

func TestFailuresOfTheEmbedderArePassedOn(t *testing.T) {
	l := newLibrary(t)
	l.embedder.err = corpus.Errorf(corpus.ErrLimit, "no more today")
	_, err := l.retriever(t, nil).Retrieve(t.Context(), retrieve.Request{Scope: corpus.Scope{Collection: "c"}, Question: "q"})
	if !errors.Is(err, corpus.ErrLimit) {
		t.Errorf("error is %v, want the embedder's", err)
	}
}

func TestACancelledSearchEnds(t *testing.T) {
	l := newLibrary(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.retriever(t, nil).Retrieve(ctx, retrieve.Request{Scope: corpus.Scope{Collection: "c"}, Question: "q"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want cancelled", err)
	}
}
