package api

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
	"grounded/retrieve"
	"grounded/store"
	"grounded/telemetry"
)

// Backend is what answers: the store, the models, and how they are used.
type Backend struct {
	Store   store.Store
	Catalog model.Catalog
	Model   model.Config // Transport and Concurrency have defaults for many callers at once

	Chat       string // the model of a request that names none
	Embedding  string // the model of new collections
	Rerank     string // none if empty
	Collection string // that of a request that names none

	TopK        int
	Mode        retrieve.Mode
	Fusion      store.Fusion
	MaxTokens   int
	Temperature *float64 // of grounded answers when the request has none; nil is 0
	Abstention  *answer.Abstention
	Prompts     *prompts.Set
	Examples    []prompts.Example // of the few-shot arm
}

// engine connects a backend's models when they are first used, and keeps them.
type engine struct {
	Backend
	mu        sync.Mutex
	chats     map[string]model.Chat
	relays    map[string]*model.Relay
	embedders map[string]model.Embedder
	askers    map[string]model.Embedder  // the same, for questions
	services  map[string]*answer.Service // by embedder
	searchers map[string]*retrieve.Retriever
	reranker  model.Reranker

	breakers  *model.Breakers
	queue     int                                  // requests that may wait for a model
	fell      func(from, to model.Card, err error) // hears of answers by another model
	telemetry *telemetry.Telemetry
}

// modelWait is how long a request may wait for a model that has enough to do.
const modelWait = time.Minute

// connections is how many requests at once a model takes whose catalog entry doesn't say.
const connections = 1024

func newEngine(b Backend, t *telemetry.Telemetry) *engine {
	if b.Model.Transport == nil {
		dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
		b.Model.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: 2 * connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 90 * time.Second,
			DisableCompression: true, // a stream must not be held back
		}
	}
	b.Model.Transport = t.Transport(b.Model.Transport)
	b.Store = t.Store(b.Store)
	if b.Model.Attempts == 0 {
		b.Model.Attempts = 3 // a client waits
	}
	return &engine{
		Backend: b, chats: map[string]model.Chat{}, relays: map[string]*model.Relay{}, embedders: map[string]model.Embedder{}, askers: map[string]model.Embedder{},
		services: map[string]*answer.Service{}, searchers: map[string]*retrieve.Retriever{},
		breakers: model.NewBreakers(model.BreakerConfig{}), telemetry: t,
	}
}

// modelConfig is the configuration of a card's connection.
func (e *engine) modelConfig(card model.Card) model.Config {
	c := e.Model
	if c.Concurrency == 0 && card.Concurrency == 0 {
		c.Concurrency = connections
	}
	c.Queue, c.QueueWait, c.Breakers = e.queue, modelWait, e.breakers
	return c
}

// card finds a model that does the task.
func (e *engine) card(id string, task model.Task) (model.Card, error) {
	card, err := e.Catalog.Get(id)
	if err != nil || !card.Does(task) {
		return card, modelNotFound(id, task)
	}
	return card, nil
}

// modelNotFound has the code that clients know a wrong name by.
func modelNotFound(id string, task model.Task) error {
	f := &fault{status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found", param: "model",
		message: "the model " + quoted(id) + " does not exist here; GET /v1/models lists those that do"}
	if task != "" {
		f.message = "the model " + quoted(id) + " does not exist here, or is no " + string(task) + " model; GET /v1/models lists those that do"
	}
	return f
}

// cached returns what is kept under a key, or makes it. One that fails is not kept: a key may be set later.
func cached[T any](mu *sync.Mutex, kept map[string]T, key string, make func() (T, error)) (T, error) {
	mu.Lock()
	defer mu.Unlock()
	if v, ok := kept[key]; ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		kept[key] = v
	}
	return v, err
}

// chat connects to a chat model of the catalog, with its fallbacks.
func (e *engine) chat(ctx context.Context, id string) (model.Chat, error) {
	if _, err := e.card(id, model.TaskChat); err != nil {
		return nil, err
	}
	cards, err := e.Catalog.Fallbacks(id)
	if err != nil {
		return nil, err
	}
	return e.chatOf(ctx, cards)
}

// alone connects to a chat model without its fallbacks, for comparisons.
func (e *engine) alone(ctx context.Context, id string) (model.Chat, error) {
	card, err := e.card(id, model.TaskChat)
	if err != nil {
		return nil, err
	}
	card.Fallback = nil
	return e.chatOf(ctx, []model.Card{card})
}

// chatOf connects to the first of the models, for which the others stand by.
func (e *engine) chatOf(ctx context.Context, cards []model.Card) (model.Chat, error) {
	ids := make([]string, len(cards))
	for i, card := range cards {
		ids[i] = card.ID
	}
	return cached(&e.mu, e.chats, strings.Join(ids, ","), func() (model.Chat, error) {
		return model.NewChats(cards, func(card model.Card) (model.Chat, error) {
			c, err := model.NewChat(context.WithoutCancel(ctx), card, e.modelConfig(card))
			if err != nil {
				return nil, upstream(err)
			}
			return e.telemetry.Chat(upstreamChat{c}), nil
		}, e.fell)
	})
}

// relay connects to a chat model whose server speaks OpenAI's protocol; nil for others.
func (e *engine) relay(id string) (*model.Relay, error) {
	card, err := e.card(id, model.TaskChat)
	if err != nil {
		return nil, err
	}
	r, err := cached(&e.mu, e.relays, id, func() (*model.Relay, error) { return model.NewRelay(card, e.modelConfig(card)) })
	if errors.Is(err, corpus.ErrUnsupported) {
		return nil, nil
	}
	return r, upstream(err)
}

// embedder connects to an embedding model of the catalog.
func (e *engine) embedder(ctx context.Context, id string) (model.Embedder, error) {
	card, err := e.card(id, model.TaskEmbedding)
	if err != nil {
		return nil, err
	}
	return cached(&e.mu, e.embedders, id, func() (model.Embedder, error) {
		m, err := model.NewEmbedder(context.WithoutCancel(ctx), card, e.modelConfig(card))
		if err != nil {
			return nil, upstream(err)
		}
		return e.telemetry.Embedder(card, upstreamEmbedder{m}), nil
	})
}

// rememberedQuestions is how many questions are not embedded again.
const rememberedQuestions = 4096

// asker connects to the embedding model of a collection, for questions.
func (e *engine) asker(ctx context.Context, c corpus.Collection) (model.Embedder, error) {
	embedder, err := e.embedder(ctx, c.Embedding.Model)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrUnavailable, "connect the embedding model %s of collection %s: %s", c.Embedding.Model, c.Name, err)
	}
	return cached(&e.mu, e.askers, c.Embedding.Model, func() (model.Embedder, error) {
		return model.RememberQueries(embedder, rememberedQuestions)
	})
}

// searcher is what searches a collection: with the embedding model that the collection has now.
func (e *engine) searcher(ctx context.Context, c corpus.Collection) (*retrieve.Retriever, error) {
	embedder, err := e.asker(ctx, c)
	if err != nil {
		return nil, err
	}
	return cached(&e.mu, e.searchers, c.Embedding.Model, func() (*retrieve.Retriever, error) {
		if e.Rerank != "" && e.reranker == nil {
			card, err := e.Catalog.Get(e.Rerank)
			if err != nil {
				return nil, corpus.Errorf(corpus.ErrUnavailable, "connect the reranker: %s", err)
			}
			reranker, err := model.NewReranker(context.WithoutCancel(ctx), card, e.modelConfig(card))
			if err != nil {
				return nil, upstream(err)
			}
			e.reranker = e.telemetry.Reranker(card, reranker)
		}
		return retrieve.New(retrieve.Config{Store: e.Store, Embedder: embedder, Reranker: e.reranker, Fusion: e.Fusion})
	})
}

// Retrieve finds passages. When a reindex swaps the collection under a request, it is asked once more.
func (e *engine) Retrieve(ctx context.Context, r retrieve.Request) (result retrieve.Result, err error) {
	ctx, done := e.telemetry.Retrieval(ctx, r.Question, cmp.Or(r.Mode, retrieve.ModeHybrid), r.TopK)
	defer func() { done(len(result.Passages), err) }()
	for attempt := 0; ; attempt++ {
		c, err := e.Store.Collection(ctx, r.Collection)
		if err != nil {
			return retrieve.Result{}, err
		}
		s, err := e.searcher(ctx, c)
		if err != nil {
			return retrieve.Result{}, err
		}
		r.Known = &c
		result, err = s.Retrieve(ctx, r)
		if attempt > 0 || !errors.Is(err, corpus.ErrConflict) {
			return result, err
		}
	}
}

// answerer answers from a collection.
func (e *engine) answerer(ctx context.Context, collection string) (*answer.Service, error) {
	c, err := e.Store.Collection(ctx, collection)
	if err != nil {
		return nil, err
	}
	embedder, err := e.asker(ctx, c)
	if err != nil {
		return nil, err
	}
	return cached(&e.mu, e.services, c.Embedding.Model, func() (*answer.Service, error) {
		return answer.New(context.WithoutCancel(ctx), answer.Config{
			Retriever: e, Pages: e.Store, Prompts: e.Prompts, Embedder: embedder, Abstention: e.Abstention,
		})
	})
}

// upstreamChat marks a chat model's errors as the upstream's.
type upstreamChat struct{ model.Chat }

func (c upstreamChat) Complete(ctx context.Context, r model.Request, stream func(model.Delta) error) (model.Response, error) {
	var own error // of the stream, which is no error of the model
	if stream != nil {
		inner := stream
		stream = func(d model.Delta) error {
			own = inner(d)
			return own
		}
	}
	response, err := c.Chat.Complete(ctx, r, stream)
	if err != nil && own == nil && ctx.Err() == nil {
		err = upstream(err)
	}
	return response, err
}

// upstreamEmbedder marks an embedding model's errors as the upstream's.
type upstreamEmbedder struct{ model.Embedder }

func (e upstreamEmbedder) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	made, err := e.Embedder.Embed(ctx, kind, texts)
	if err != nil && ctx.Err() == nil {
		err = upstream(err)
	}
	return made, err
}
