package main

import (
	"context"
	"errors"
	"slices"

	"grounded/client"
	"grounded/corpus"
	"grounded/store"
	"grounded/wire"
)

// library is where documents are kept: a store, or a server.
type library interface {
	Collections(ctx context.Context) ([]wire.Collection, error)
	Collection(ctx context.Context, name string) (wire.Collection, error)
	DropCollection(ctx context.Context, name string) error

	// What store.Store has.
	Documents(ctx context.Context, q store.DocumentQuery) (page []corpus.Document, next string, err error)
	Document(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (corpus.Document, error)
	Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error)
	DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error)
	Quarantined(ctx context.Context, collection string) ([]corpus.Quarantined, error)
	Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error
}

// shelf is a library with the collection that is meant.
type shelf struct {
	library
	scope corpus.Scope
}

// withShelf opens the library that is meant, uses it, and closes it.
func (p *program) withShelf(ctx context.Context, use func(shelf) error) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	server, err := p.connect(c)
	if err != nil {
		return err
	}
	if server != nil {
		return use(shelf{remoteLibrary{server, p.notef}, corpus.Scope{Collection: c.Collection}})
	}
	return p.withStore(ctx, func(s *services) error { return use(shelf{localLibrary{s.store}, s.scope()}) })
}

// localLibrary is a store.
type localLibrary struct{ store.Store }

func (l localLibrary) Collections(ctx context.Context) ([]wire.Collection, error) {
	all, err := l.Store.Collections(ctx)
	list := make([]wire.Collection, 0, len(all))
	for _, c := range all {
		list = append(list, viewed(c))
	}
	return list, err
}

func (l localLibrary) Collection(ctx context.Context, name string) (wire.Collection, error) {
	c, err := l.Store.Collection(ctx, name)
	return viewed(c), err
}

// viewed is a collection as its owner sees it.
func viewed(c corpus.Collection) wire.Collection {
	v := wire.Collection{Name: c.Name, Embedding: c.Embedding, CreatedAt: c.CreatedAt, Documents: c.Documents, Chunks: c.Chunks, Quarantined: &c.Quarantined, Languages: c.Languages}
	if v.Languages == nil {
		v.Languages = map[string]int{}
	}
	return v
}

// remoteLibrary is a server's, as its key sees it.
type remoteLibrary struct {
	server *client.Client
	notef  func(format string, args ...any)
}

func (l remoteLibrary) Collections(ctx context.Context) ([]wire.Collection, error) {
	return l.server.Collections(ctx)
}

func (l remoteLibrary) Collection(ctx context.Context, name string) (wire.Collection, error) {
	return l.server.Collection(ctx, name)
}

func (l remoteLibrary) DropCollection(ctx context.Context, name string) error {
	return l.server.DeleteCollection(ctx, name)
}

func (l remoteLibrary) Documents(ctx context.Context, q store.DocumentQuery) ([]corpus.Document, string, error) {
	page, err := l.server.Documents(ctx, q.Collection, client.DocumentQuery{Source: q.Source, Prefix: q.Prefix, Filter: q.Filter, Limit: q.Limit, Cursor: q.Cursor})
	return page.Data, string(page.Next), err
}

func (l remoteLibrary) Document(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (corpus.Document, error) {
	return l.server.Document(ctx, scope.Collection, id)
}

func (l remoteLibrary) Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error) {
	return l.server.Pages(ctx, scope.Collection, id, first, last)
}

func (l remoteLibrary) DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error) {
	return l.server.Chunks(ctx, scope.Collection, id, first, last)
}

// Quarantined lists nothing, and says so, where the key may not see it.
func (l remoteLibrary) Quarantined(ctx context.Context, collection string) ([]corpus.Quarantined, error) {
	list, err := l.server.Quarantined(ctx, collection)
	var refused *client.Error
	if errors.Is(err, corpus.ErrForbidden) && errors.As(err, &refused) && refused.Code == "forbidden" {
		l.notef("files that could not be read are not shown: the server tells them to an admin's key only\n")
		return nil, nil
	}
	return list, err
}

// Delete deletes documents one by one. What is inside of one goes with it.
func (l remoteLibrary) Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error {
	var gone []corpus.DocumentID
	for _, id := range ids {
		if slices.Contains(gone, id) {
			continue
		}
		deleted, err := l.server.DeleteDocument(ctx, collection, id)
		if err != nil {
			return err
		}
		gone = append(gone, deleted...)
	}
	return nil
}
