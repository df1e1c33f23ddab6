package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"grounded/config"
	"grounded/corpus"
	"grounded/model"
	"grounded/model/local"
	"grounded/retrieve"
	"grounded/store"
	"grounded/telemetry"
)

// services are the parts that a command works with. Models are reached, and local ones started, when they are
// first used.
type services struct {
	config     config.Config
	env        func(string) (string, bool)
	store      store.Store
	catalog    model.Catalog
	supervisor *local.Supervisor
	model      model.Config
	telemetry  *telemetry.Telemetry             // of a process that runs on, else nil
	notef      func(format string, args ...any) // tells a person
}

// withStore opens the store that is there, uses it, and closes it.
func (p *program) withStore(ctx context.Context, use func(*services) error) error {
	return p.with(ctx, mustExist, use)
}

type presence int

const (
	mustExist presence = iota // the store must be there already
	mayCreate
)

func (p *program) with(ctx context.Context, presence presence, use func(*services) error) (err error) {
	c, err := p.config()
	if err != nil {
		return err
	}
	s, err := p.services(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.supervisor.Close()) }()
	if s.store, err = openStore(ctx, "", presence, c); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return use(s)
}

// services prepares everything but the store.
func (p *program) services(c config.Config) (*services, error) {
	var files []string
	if own := ownModels(c); isThere(own) {
		files = append(files, own)
	}
	if c.Models.Catalog != "" {
		files = append(files, c.Models.Catalog)
	}
	catalog, err := model.Load(files...)
	if err != nil {
		return nil, err
	}
	env := func(name string) (string, bool) {
		if name == "GROUNDED_VENV" && c.Models.VirtualEnv != "" {
			return c.Models.VirtualEnv, true
		}
		return p.env(name)
	}
	venv, _ := model.FindVenv(env)
	s := &services{config: c, env: env, catalog: catalog, notef: p.notef}
	s.supervisor = local.New(local.Config{Venv: venv, LogDir: filepath.Join(c.Data, "logs")})
	s.model = model.Config{
		LookupEnv: env,
		Attempts:  c.Models.Attempts,
		Timeout:   time.Duration(c.Models.Timeout),
		Start:     s.supervisor.Start,
	}
	return s, nil
}

// ownModels is the file of models that were registered here.
func ownModels(c config.Config) string { return filepath.Join(c.Data, "models.yaml") }

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// detect finds out which models are used when none is named.
func (s *services) detect(ctx context.Context) local.Found {
	return local.Detect(ctx, local.DetectConfig{LookupEnv: s.env})
}

func noModel(task string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "there is no %s model", task),
		"set OPENAI_API_KEY, run Ollama, install the local models with `make models`, or name a model in the configuration (models."+task+")")
}

// scope is the collection as its owner sees it.
func (s *services) scope() corpus.Scope {
	return corpus.Scope{Collection: s.config.Collection, Access: corpus.Access{Unrestricted: true}}
}

// embedder connects to the embedding model of the collection if it has one, else to the configured, else to
// what is there.
func (s *services) embedder(ctx context.Context) (model.Embedder, error) {
	id := s.config.Models.Embedding
	if id == "" {
		c, err := s.store.Collection(ctx, s.config.Collection)
		switch {
		case err == nil:
			id = c.Embedding.Model
		case !errors.Is(err, corpus.ErrNotFound):
			return nil, err
		default:
			if id = s.detect(ctx).Embedding; id == "" {
				return nil, noModel("embedding")
			}
		}
	}
	return s.embedderOf(ctx, id)
}

// embedderOf connects to an embedding model of the catalog.
func (s *services) embedderOf(ctx context.Context, id string) (model.Embedder, error) {
	card, err := s.catalog.Get(id)
	if err != nil {
		return nil, err
	}
	if n := s.config.Models.EmbeddingBatch; n > 0 {
		card.BatchTexts = n
	}
	e, err := model.NewEmbedder(ctx, card, s.model)
	if err != nil || s.telemetry == nil {
		return e, err
	}
	return s.telemetry.Embedder(card, e), nil
}

// questionEmbedder connects to the embedding model that questions to the collection need: the one that it was made
// with, even when another is configured and the collection was not reindexed yet.
func (s *services) questionEmbedder(ctx context.Context) (model.Embedder, error) {
	c, err := s.store.Collection(ctx, s.config.Collection)
	configured := s.config.Models.Embedding
	if err != nil || configured == "" || configured == c.Embedding.Model {
		return s.embedder(ctx)
	}
	own, err := s.embedderOf(ctx, c.Embedding.Model)
	if err != nil { // it has left the catalog: the configured one is refused with both named
		return s.embedder(ctx)
	}
	if e, err := own.Embedding(ctx); err != nil || e.Fingerprint() != c.Embedding.Fingerprint() {
		return s.embedder(ctx)
	}
	s.notef("collection %s has embeddings of %s, so that model is used; `grounded reindex` brings it to %s\n", c.Name, c.Embedding.Model, configured)
	return own, nil
}

// chat connects to a chat model alone, whose own answers are wanted: the one named, else the configured, else what is
// there.
func (s *services) chat(ctx context.Context, id string) (model.Chat, error) {
	card, err := s.chatCard(ctx, id)
	if err != nil {
		return nil, err
	}
	card.Fallback = nil
	return s.connectChat(ctx, card)
}

func (s *services) connectChat(ctx context.Context, card model.Card) (model.Chat, error) {
	c, err := model.NewChat(ctx, card, s.model)
	if err != nil || s.telemetry == nil {
		return c, err
	}
	return s.telemetry.Chat(c), nil
}

// answeringChat connects to a chat model with its fallbacks, and tells when one is asked.
func (s *services) answeringChat(ctx context.Context, id string) (model.Chat, error) {
	card, err := s.chatCard(ctx, id)
	if err != nil {
		return nil, err
	}
	cards, err := s.catalog.Fallbacks(card.ID)
	if err != nil {
		return nil, err
	}
	return model.NewChats(cards, func(c model.Card) (model.Chat, error) { return s.connectChat(ctx, c) }, func(from, to model.Card, err error) {
		s.notef("%s does not answer, %s is asked: %s\n", from.ID, to.ID, err)
	})
}

func (s *services) chatCard(ctx context.Context, id string) (model.Card, error) {
	if id == "" {
		id = s.config.Models.Chat
	}
	if id == "" {
		if id = s.detect(ctx).Chat; id == "" {
			return model.Card{}, noModel("chat")
		}
	}
	card, err := s.catalog.Get(id)
	if err == nil && !card.Does(model.TaskChat) {
		err = corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "model %q is not for chat", id),
			"`grounded models --task chat` lists those that do; a model of your own needs chat among its tasks")
	}
	return card, err
}

// vision connects to the model that reads scans; nil if none is configured.
func (s *services) vision(ctx context.Context) (model.Chat, error) {
	id := s.config.Ingest.VisionModel
	if id == "" {
		return nil, nil
	}
	card, err := s.catalog.Get(id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(card.Tasks, model.TaskVision) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest.vision_model is %s, which does not see", id),
			"`grounded models --task vision` lists those that do; a model of your own needs vision among its tasks")
	}
	return model.NewChat(ctx, card, s.model)
}

// transcriber connects to the model that listens to recordings; nil if none is configured.
func (s *services) transcriber(ctx context.Context) (model.Transcriber, error) {
	id := s.config.Ingest.Transcription
	if id == "" {
		return nil, nil
	}
	card, err := s.catalog.Get(id)
	if err != nil {
		return nil, err
	}
	if !card.Does(model.TaskTranscription) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "ingest.transcription_model is %s, which does not transcribe", id),
			"`grounded models --task transcription` lists those that do; a model of your own needs transcription among its tasks")
	}
	c := s.model
	c.Timeout = max(c.Timeout, 10*time.Minute) // an hour of speech takes minutes
	return model.NewTranscriber(ctx, card, c)
}

// retriever connects what searches.
func (s *services) retriever(ctx context.Context) (*retrieve.Retriever, error) {
	embedder, err := s.questionEmbedder(ctx)
	if err != nil {
		return nil, err
	}
	return s.retrieverBy(ctx, s.store, embedder, store.Fusion{Method: s.config.Retrieve.Fusion, DenseWeight: s.config.Retrieve.DenseWeight})
}

// retrieverBy connects what searches a store with an embedder and fuses in a certain way.
func (s *services) retrieverBy(ctx context.Context, in store.Store, embedder model.Embedder, fusion store.Fusion) (*retrieve.Retriever, error) {
	var reranker model.Reranker
	if id := s.config.Models.Rerank; id != "" {
		card, err := s.catalog.Get(id)
		if err != nil {
			return nil, err
		}
		if reranker, err = model.NewReranker(ctx, card, s.model); err != nil {
			return nil, err
		}
	}
	return retrieve.New(retrieve.Config{Store: in, Embedder: embedder, Reranker: reranker, Fusion: fusion})
}
