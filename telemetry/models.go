package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"grounded/model"
)

// Embedder tells of each call to the embedding model of a card.
func (t *Telemetry) Embedder(card model.Card, e model.Embedder) model.Embedder {
	return tracedEmbedder{e, t, card}
}

type tracedEmbedder struct {
	model.Embedder
	t    *Telemetry
	card model.Card
}

// Embed implements model.Embedder.
func (e tracedEmbedder) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	ctx, span := e.t.start(ctx, "embeddings "+e.card.ID, trace.SpanKindClient)
	began := time.Now()
	made, err := e.Embedder.Embed(ctx, kind, texts)
	m := e.t.metrics
	m.modelCalls.WithLabelValues(e.card.ID, "embeddings", outcome(ctx, err)).Observe(time.Since(began).Seconds())
	if err == nil {
		if made.Tokens == nil {
			m.unknownUsage.WithLabelValues(e.card.ID).Inc()
		} else {
			m.tokens.WithLabelValues(e.card.ID, "embedding").Add(float64(*made.Tokens))
			m.spent(e.card, *made.Tokens, 0)
		}
	}
	if span.IsRecording() {
		attributes := []attribute.KeyValue{
			semconv.GenAIOperationNameEmbeddings, provider(e.card), semconv.GenAIRequestModel(e.card.ID),
			attribute.Int("grounded.embeddings.texts", len(texts)), attribute.String("grounded.embeddings.kind", string(kind)),
		}
		if len(made.Vectors) > 0 {
			attributes = append(attributes, semconv.GenAIEmbeddingsDimensionCount(len(made.Vectors[0])))
		}
		if made.Tokens != nil {
			attributes = append(attributes, semconv.GenAIUsageInputTokens(*made.Tokens))
		}
		end(ctx, span, err, attributes...)
	}
	return made, err
}

// Reranker tells of each call to the reranker of a card.
func (t *Telemetry) Reranker(card model.Card, r model.Reranker) model.Reranker {
	return tracedReranker{r, t, card}
}

type tracedReranker struct {
	model.Reranker
	t    *Telemetry
	card model.Card
}

// Rerank implements model.Reranker.
func (r tracedReranker) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	ctx, span := r.t.start(ctx, "rerank "+r.card.ID, trace.SpanKindClient)
	began := time.Now()
	scores, err := r.Reranker.Rerank(ctx, query, texts)
	r.t.metrics.modelCalls.WithLabelValues(r.card.ID, "rerank", outcome(ctx, err)).Observe(time.Since(began).Seconds())
	end(ctx, span, err, semconv.GenAIOperationNameKey.String("rerank"), provider(r.card), semconv.GenAIRequestModel(r.card.ID),
		attribute.Int("grounded.rerank.texts", len(texts)))
	return scores, err
}
