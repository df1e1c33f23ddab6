package model

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
)

// overhead is reserved of an embedder's context for the special tokens and a prefix that the server puts in front.
const overhead = 8

type embedder struct {
	connection
	clients map[Kind]embeddingClient
	count   func(string) int

	mu         sync.Mutex
	dimensions int // of the card, or as the model answered
}

// NewEmbedder connects to an embedding model. It makes no request; a key that is missing is ErrForbidden, a
// provider without embeddings ErrUnsupported.
func NewEmbedder(ctx context.Context, card Card, cfg Config) (Embedder, error) {
	c, err := connect(card, cfg, 2*time.Minute)
	if err != nil {
		return nil, err
	}
	e := &embedder{connection: c, clients: map[Kind]embeddingClient{}, dimensions: card.Dimensions}
	for kind, name := range map[Kind]string{Query: card.QueryModel, Passage: card.PassageModel} {
		if name == "" {
			name = c.card.Model
		}
		if e.clients[kind], err = c.embeddingClient(name); err != nil {
			return nil, err
		}
	}
	if e.count, err = counter(c.card, c.wire.cfg.LookupEnv); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *embedder) CountTokens(text string) int { return e.count(text) }

func (e *embedder) MaxTokens() int {
	limit := e.card.Context
	if limit == 0 {
		limit = 512
	}
	prefix := max(len(e.card.QueryPrefix), len(e.card.PassagePrefix)) // bytes; no prefix has more tokens than bytes
	return max(1, limit-overhead-prefix)
}

func (e *embedder) Embedding(ctx context.Context) (corpus.Embedding, error) {
	e.mu.Lock()
	dimensions := e.dimensions
	e.mu.Unlock()
	if dimensions == 0 {
		found, err := e.Embed(ctx, Query, []string{"dimensions"})
		if err != nil {
			return corpus.Embedding{}, err
		}
		dimensions = len(found.Vectors[0])
	}
	return corpus.Embedding{
		Model:         e.card.ID,
		Dimensions:    dimensions,
		QueryPrefix:   prefixName(e.card.QueryPrefix, e.card.QueryModel),
		PassagePrefix: prefixName(e.card.PassagePrefix, e.card.PassageModel),
		Normalised:    true,
	}, nil
}

// prefixName tells prefixes apart in a fingerprint, also those that the server puts in front by the model's name.
func prefixName(prefix, model string) string {
	if model == "" {
		return prefix
	}
	return "{" + model + "}" + prefix
}

func (e *embedder) Embed(ctx context.Context, kind Kind, texts []string) (Embeddings, error) {
	var parts []part
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return Embeddings{}, corpus.Errorf(corpus.ErrInvalid, "embed with %s: text %d is empty", e.card.ID, i)
		}
		parts = append(parts, e.parts(text, e.MaxTokens(), i)...)
	}
	vectors := make([][]float32, len(parts))
	var tokens tally
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(cap(e.wire.slots))
	for from := 0; from < len(parts); {
		to := e.batchEnd(parts, from)
		batch, into := parts[from:to], vectors[from:to]
		group.Go(func() error { return e.embedBatch(groupCtx, kind, batch, into, &tokens) })
		from = to
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return Embeddings{}, ctx.Err()
		}
		return Embeddings{}, fmt.Errorf("embed %d texts with %s: %w", len(texts), e.card.ID, err)
	}
	return Embeddings{Vectors: average(parts, vectors, len(texts)), Tokens: tokens.sum()}, nil
}

// part is a text or a piece of one that is too long.
type part struct {
	text   string // without prefix
	tokens int
	owner  int // index of the text
}

// parts is the text as one part, or as several of at most limit tokens.
func (e *embedder) parts(text string, limit, owner int) []part {
	if n := e.count(text); n <= limit {
		return []part{{text, n, owner}}
	}
	var parts []part
	for _, piece := range splitText(text, limit, e.count) {
		parts = append(parts, part{piece, e.count(piece), owner})
	}
	return parts
}

// batchEnd is the end of the batch that begins at from: no more texts or tokens than the server takes at once.
func (e *embedder) batchEnd(parts []part, from int) int {
	most := e.card.BatchTexts
	if most == 0 {
		most = 32
	}
	to, tokens := from, 0
	for to < len(parts) && to-from < most {
		tokens += parts[to].tokens
		if to > from && e.card.BatchTokens > 0 && tokens > e.card.BatchTokens {
			break
		}
		to++
	}
	return to
}

// embedBatch fills in the vectors of a batch. A batch that is more than the server takes is halved, and a
// single text that is, too.
func (e *embedder) embedBatch(ctx context.Context, kind Kind, batch []part, into [][]float32, tokens *tally) error {
	prefix := e.card.PassagePrefix
	if kind == Query {
		prefix = e.card.QueryPrefix
	}
	texts := make([]string, len(batch))
	for i, p := range batch {
		texts[i] = prefix + p.text
	}
	vectors, used, err := e.request(ctx, kind, texts)
	switch {
	case err == nil:
		tokens.add(used)
		copy(into, vectors)
		return nil
	case !TooLong(err):
		return err
	case len(batch) > 1:
		half := len(batch) / 2
		if err := e.embedBatch(ctx, kind, batch[:half], into[:half], tokens); err != nil {
			return err
		}
		return e.embedBatch(ctx, kind, batch[half:], into[half:], tokens)
	}
	if batch[0].tokens < 16 {
		return err // it is not the length
	}
	parts := e.parts(batch[0].text, batch[0].tokens*2/3, 0)
	halves := make([][]float32, len(parts))
	for i := range parts {
		if err := e.embedBatch(ctx, kind, parts[i:i+1], halves[i:i+1], tokens); err != nil {
			return err
		}
	}
	into[0] = average(parts, halves, 1)[0]
	return nil
}

// request embeds texts in one call and checks the reply: as many vectors as texts, all of the same dimensions,
// finite and not zero. They are given unit length.
func (e *embedder) request(ctx context.Context, kind Kind, texts []string) ([][]float32, *int, error) {
	var reader embeddingReader
	ex := &exchange{read: reader.read}
	if e.card.Provider == "ollama" {
		ex.edit = func(body map[string]any) { body["truncate"] = false } // else it cuts long texts
	}
	_, err := e.clients[kind].CreateEmbedding(withExchange(ctx, ex), texts)
	vectors := reader.vectors
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case ex.err != nil:
		return nil, nil, ex.err
	case len(vectors) != len(texts):
		return nil, nil, badReply("the server gave %d vectors for %d texts", len(vectors), len(texts))
	case err != nil:
		return nil, nil, badReply("the reply cannot be read: %w", err)
	}
	for i, v := range vectors {
		if err := e.checkVector(v); err != nil {
			return nil, nil, err
		}
		vectors[i] = normalise(v)
	}
	return vectors, reader.used.sum(), nil
}

func badReply(format string, args ...any) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, format, args...),
		"the embedding server does not keep to its protocol: check that model and base_url of its catalog entry name an embedding model")
}

func (e *embedder) checkVector(v []float32) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(v) == 0 {
		return badReply("the server gave an empty vector")
	}
	if e.dimensions == 0 {
		e.dimensions = len(v)
	}
	if len(v) != e.dimensions {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the server gave a vector of %d dimensions, expected %d", len(v), e.dimensions),
			"check model and dimensions in the model's catalog entry")
	}
	if n := length(v); n == 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return badReply("the server gave a vector of length %v", n)
	}
	return nil
}

func length(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// normalise gives the vector unit length, in place.
func normalise(v []float32) []float32 {
	n := length(v)
	if math.Abs(n-1) < 1e-6 {
		return v
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / n)
	}
	return v
}

// average is one unit vector a text: of its parts' vectors, weighted by their tokens.
func average(parts []part, vectors [][]float32, texts int) [][]float32 {
	out := make([][]float32, texts)
	for i := 0; i < len(parts); {
		owner, to := parts[i].owner, i+1
		for to < len(parts) && parts[to].owner == owner {
			to++
		}
		if to == i+1 {
			out[owner] = vectors[i]
			i = to
			continue
		}
		mean := make([]float32, len(vectors[i]))
		for ; i < to; i++ {
			for d, x := range vectors[i] {
				mean[d] += x * float32(max(1, parts[i].tokens))
			}
		}
		out[owner] = normalise(mean)
	}
	return out
}

// tally sums tokens; once a server did not say, the sum is not known.
type tally struct {
	mu      sync.Mutex
	n       int
	unknown bool
}

func (t *tally) add(n *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n == nil {
		t.unknown = true
		return
	}
	t.n += *n
}

func (t *tally) sum() *int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unknown {
		return nil
	}
	n := t.n
	return &n
}
