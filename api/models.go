package api

import (
	"strings"

	"grounded/model"
)

type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// entries are the models as OpenAI lists them: each chat model with and without documents, and the embedders.
func (s *Server) entries() []modelEntry {
	list := []modelEntry{}
	add := func(id, owner string) {
		list = append(list, modelEntry{ID: id, Object: "model", Created: s.started.Unix(), OwnedBy: owner})
	}
	for _, card := range s.engine.Catalog.All() {
		if s.engine.Model.LookupEnv != nil && !usable(card, s.engine.Model.LookupEnv) {
			continue
		}
		if card.Does(model.TaskChat) {
			add(card.ID, card.Provider)
			add(card.ID+groundedSuffix, card.Provider)
		} else if card.Does(model.TaskEmbedding) {
			add(card.ID, card.Provider)
		}
	}
	return list
}

// usable reports whether a model's key is there.
func usable(card model.Card, env func(string) (string, bool)) bool {
	if card.APIKeyEnv == "" {
		return true
	}
	key, _ := env(card.APIKeyEnv)
	return strings.TrimSpace(key) != ""
}

func (s *Server) listModels(k *call) error {
	return k.json(struct {
		Object string       `json:"object"`
		Data   []modelEntry `json:"data"`
	}{"list", s.entries()})
}

func (s *Server) getModel(k *call) error {
	id := k.pathParameter("id")
	for _, m := range s.entries() {
		if m.ID == id {
			return k.json(m)
		}
	}
	return modelNotFound(id, "")
}
