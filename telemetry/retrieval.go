package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"grounded/corpus"
	"grounded/store"
)

// Retrieval begins a retrieval in a mode, and returns the context to make it with. done ends it with the number of
// passages that were found.
func (t *Telemetry) Retrieval(ctx context.Context, question, mode string, topK int) (_ context.Context, done func(passages int, err error)) {
	ctx, span := t.start(ctx, "retrieval", trace.SpanKindInternal)
	began := time.Now()
	return ctx, func(passages int, err error) {
		t.metrics.retrieval.WithLabelValues(mode, outcome(ctx, err)).Observe(time.Since(began).Seconds())
		if !span.IsRecording() {
			return
		}
		if t.content {
			span.SetAttributes(semconv.GenAIRetrievalQueryText(question))
		}
		end(ctx, span, err, semconv.GenAIOperationNameRetrieval, attribute.String("grounded.retrieval.mode", mode),
			attribute.Int("grounded.retrieval.top_k", topK), attribute.Int("grounded.retrieval.passages", passages))
	}
}

// Store tells of the searches in a store and of what is written to it.
func (t *Telemetry) Store(s store.Store) store.Store {
	traced := tracedStore{s, t}
	if scorer, ok := s.(store.Scorer); ok {
		return tracedScorer{traced, scorer}
	}
	return traced
}

type tracedStore struct {
	store.Store
	t *Telemetry
}

// call tells of one call to the store.
func (s tracedStore) call(ctx context.Context, operation string, do func(context.Context) error) error {
	ctx, span := s.t.start(ctx, "store "+operation, trace.SpanKindClient)
	began := time.Now()
	err := do(ctx)
	s.t.metrics.storeCalls.WithLabelValues(operation, outcome(ctx, err)).Observe(time.Since(began).Seconds())
	if span.IsRecording() {
		end(ctx, span, err, semconv.DBOperationName(operation))
	}
	return err
}

// Search implements store.Store.
func (s tracedStore) Search(ctx context.Context, q store.Query) (hits []store.Hit, err error) {
	err = s.call(ctx, "search", func(ctx context.Context) (err error) {
		hits, err = s.Store.Search(ctx, q)
		return err
	})
	return hits, err
}

// Replace implements store.Store.
func (s tracedStore) Replace(ctx context.Context, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error {
	return s.call(ctx, "replace", func(ctx context.Context) error { return s.Store.Replace(ctx, d, pages, chunks) })
}

// Delete implements store.Store.
func (s tracedStore) Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error {
	return s.call(ctx, "delete", func(ctx context.Context) error { return s.Store.Delete(ctx, collection, ids...) })
}

// tracedScorer is a store that tells its scores by a call of its own.
type tracedScorer struct {
	tracedStore
	scorer store.Scorer
}

// Score implements store.Scorer.
func (s tracedScorer) Score(ctx context.Context, q store.Query, ids ...corpus.ChunkID) (scores map[corpus.ChunkID]store.Scores, err error) {
	err = s.call(ctx, "score", func(ctx context.Context) (err error) {
		scores, err = s.scorer.Score(ctx, q, ids...)
		return err
	})
	return scores, err
}
