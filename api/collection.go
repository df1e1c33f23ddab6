package api

import (
	"context"
	"errors"
	"net/http"

	"grounded/corpus"
	"grounded/store"
	"grounded/wire"
)

// view is a collection as a caller sees it.
func (s *Server) view(ctx context.Context, k *call, c corpus.Collection) (wire.Collection, error) {
	v := wire.Collection{Name: c.Name, Embedding: c.Embedding, CreatedAt: c.CreatedAt}
	if k.caller.access.Unrestricted {
		v.Documents, v.Chunks, v.Quarantined, v.Languages = c.Documents, c.Chunks, &c.Quarantined, c.Languages
		if v.Languages == nil {
			v.Languages = map[string]int{}
		}
		return v, nil
	}
	q := store.DocumentQuery{Scope: corpus.Scope{Collection: c.Name, Access: k.caller.access}, Limit: 1000}
	for {
		list, next, err := s.engine.Store.Documents(ctx, q)
		if err != nil {
			return v, err
		}
		for _, d := range list {
			v.Documents++
			v.Chunks += d.ChunkCount
		}
		if q.Cursor = next; next == "" {
			return v, nil
		}
	}
}

func (s *Server) listCollections(k *call) error {
	all, err := s.engine.Store.Collections(k.ctx)
	if err != nil {
		return err
	}
	list := wire.Page[wire.Collection]{Data: []wire.Collection{}}
	for _, c := range all {
		if corpus.IsShadow(c.Name) || !k.caller.sees(c.Name) {
			continue
		}
		v, err := s.view(k.ctx, k, c)
		if errors.Is(err, corpus.ErrNotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return err
		}
		list.Data = append(list.Data, v)
	}
	return k.json(list)
}

// named is the collection of the path, if the caller may see it.
func (s *Server) named(k *call) (corpus.Scope, error) { return s.collection(k, k.param("collection")) }

func (s *Server) getCollection(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	c, err := s.engine.Store.Collection(k.ctx, scope.Collection)
	if err != nil {
		return missing(err, scope.Collection)
	}
	v, err := s.view(k.ctx, k, c)
	if err != nil {
		return missing(err, scope.Collection)
	}
	return k.json(v)
}

// createCollection makes one with the server's embedding model, or another.
func (s *Server) createCollection(k *call) error {
	var r wire.NewCollection
	if err := k.decode(&r); err != nil {
		return err
	}
	if err := corpus.CheckCollectionName(r.Name); err != nil {
		return err
	}
	if !k.caller.sees(r.Name) {
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "forbidden", param: "name", message: "this key may not use a collection of this name"}
	}
	if r.Embedding == "" {
		r.Embedding = s.config.Embedding
	}
	embedder, err := s.engine.embedder(k.ctx, r.Embedding)
	if err != nil {
		return err
	}
	embedding, err := embedder.Embedding(k.ctx)
	if err != nil {
		return upstream(err)
	}
	if _, err := s.engine.Store.Collection(k.ctx, r.Name); err == nil {
		return corpus.Errorf(corpus.ErrConflict, "there is a collection %s already", r.Name)
	} else if !errors.Is(err, corpus.ErrNotFound) {
		return err
	}
	if err := s.engine.Store.CreateCollection(k.ctx, corpus.Collection{Name: r.Name, Embedding: embedding}); err != nil {
		return err
	}
	c, err := s.engine.Store.Collection(k.ctx, r.Name)
	if err != nil {
		return err
	}
	v, err := s.view(k.ctx, k, c)
	if err != nil {
		return err
	}
	return writeJSON(k.echo.Response(), http.StatusCreated, "application/json", v)
}

// deleteCollection removes one with all that is in it, when its name is repeated.
func (s *Server) deleteCollection(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	c, err := s.engine.Store.Collection(k.ctx, scope.Collection)
	if err != nil {
		return missing(err, scope.Collection)
	}
	if k.echo.QueryParam("confirm") != scope.Collection {
		return invalid("confirm", "this deletes %d documents; add ?confirm=%s if that is meant", c.Documents, scope.Collection)
	}
	if err := s.engine.Store.DropCollection(k.ctx, scope.Collection); err != nil {
		return missing(err, scope.Collection)
	}
	return k.json(wire.DeletedCollection{Deleted: scope.Collection})
}
