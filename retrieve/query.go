package retrieve

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/model"
)

const (
	defaultTopK = 10
	maxTopK     = 1000
	// maxQuestion is how many characters a search is made from, about 8,000 tokens, which is what embedding services take
	// of one text.
	maxQuestion = 32000
)

// query is a request with its defaults, and what it is searched by.
type query struct {
	Request
	terms  []corpus.Term
	vector []float32
}

func newQuery(r Request) (query, error) {
	r.Question = strings.TrimSpace(r.Question)
	if r.TopK == 0 {
		r.TopK = defaultTopK
	}
	if r.Mode == "" {
		r.Mode = ModeHybrid
	}
	switch {
	case r.Question == "":
		return query{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "retrieve: the question is empty"), "ask something")
	case utf8.RuneCountInString(r.Question) > maxQuestion:
		return query{}, corpus.Hint(corpus.Errorf(corpus.ErrLimit, "retrieve: the question has more than %d characters", maxQuestion),
			"ask about less at once; what the answer is to keep in mind can stand in a message before the question")
	case r.TopK < 1 || r.TopK > maxTopK:
		return query{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "retrieve: %d passages were asked for", r.TopK), "ask for 1 to 1000")
	case r.Mode != ModeHybrid && r.Mode != ModeDense && r.Mode != ModeLexical:
		return query{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "retrieve: unknown mode %q", r.Mode), "use hybrid, dense or lexical")
	}
	return query{Request: r}, nil
}

// analyse reads the queries' collections, checks that the embedder fits each that is searched by vector, and
// makes the terms of those that are searched by words.
func (r *Retriever) analyse(ctx context.Context, queries []query) error {
	collections := map[string]corpus.Collection{}
	for i := range queries {
		q := &queries[i]
		c, known := collections[q.Collection]
		switch {
		case known:
		case q.Known != nil && q.Known.Name == q.Collection:
			c = *q.Known
		default:
			var err error
			if c, err = r.Store.Collection(ctx, q.Collection); err != nil {
				return err
			}
			collections[q.Collection] = c
		}
		if q.Mode != ModeLexical {
			if err := r.checkEmbedding(ctx, c); err != nil {
				return err
			}
		}
		if q.Mode != ModeDense {
			q.terms = analyze.QueryTerms(q.Question, byCount(c.Languages))
		}
	}
	return nil
}

// byCount returns the languages of most chunks first.
func byCount(languages map[string]int) []string {
	return slices.SortedFunc(maps.Keys(languages), func(a, b string) int {
		return cmp.Or(cmp.Compare(languages[b], languages[a]), cmp.Compare(a, b))
	})
}

// checkEmbedding refuses to compare a question's vector with those of another model.
func (r *Retriever) checkEmbedding(ctx context.Context, c corpus.Collection) error {
	if r.Embedder == nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "search %s: there is no embedding model", c.Name),
			"configure one, or search with mode lexical")
	}
	mine, err := r.Embedder.Embedding(ctx)
	if err != nil {
		return err
	}
	if mine.Fingerprint() == c.Embedding.Fingerprint() {
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "search %s: its vectors are of %s, the questions' would be of %s",
		c.Name, describe(c.Embedding), describe(mine)),
		"run `grounded reindex` to embed the collection with the new model, or configure the one it was made with")
}

func describe(e corpus.Embedding) string { return e.Model + " (fingerprint " + e.Fingerprint() + ")" }

// embed gives their vectors to the queries that are searched by vector, in one call. It returns the tokens that
// were used.
func (r *Retriever) embed(ctx context.Context, queries []query) (tokens *int, err error) {
	var texts []string
	var at []int
	for i, q := range queries {
		if q.Mode != ModeLexical {
			texts, at = append(texts, q.Question), append(at, i)
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	made, err := r.Embedder.Embed(ctx, model.Query, texts)
	if err != nil {
		return nil, err
	}
	for i, vector := range made.Vectors {
		queries[at[i]].vector = vector
	}
	return made.Tokens, nil
}
