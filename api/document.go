package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/store"
	"grounded/wire"
)

// listDocuments is GET /api/collections/{collection}/documents.
func (s *Server) listDocuments(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	q := store.DocumentQuery{Scope: scope, Source: k.echo.QueryParam("source"), Prefix: k.echo.QueryParam("prefix"), Cursor: k.echo.QueryParam("cursor"), Limit: k.number("limit", 100)}
	if text := k.echo.QueryParam("filter"); text != "" {
		if err := json.Unmarshal([]byte(text), &q.Filter); err != nil {
			return invalid("filter", "filter cannot be read: %s", err)
		}
	}
	docs, next, err := s.engine.Store.Documents(k.ctx, q)
	if err != nil {
		return missing(err, scope.Collection)
	}
	return k.json(wire.Page[corpus.Document]{Data: append([]corpus.Document{}, docs...), Next: corpus.Text(next)})
}

// listQuarantined is GET /api/collections/{collection}/quarantined. Who may see a file that can't be read is not known,
// so only those who see all are told.
func (s *Server) listQuarantined(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	if !scope.Access.Unrestricted {
		return &fault{status: http.StatusForbidden, kind: "permission_error", code: "forbidden", message: "files that could not be read are told to callers who see every document"}
	}
	if _, err := s.engine.Store.Collection(k.ctx, scope.Collection); err != nil {
		return missing(err, scope.Collection)
	}
	list, err := s.engine.Store.Quarantined(k.ctx, scope.Collection)
	if err != nil {
		return err
	}
	return k.json(wire.Page[corpus.Quarantined]{Data: append([]corpus.Quarantined{}, list...)})
}

// number is a query's, which the contract has checked.
func (k *call) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(k.echo.QueryParam(name)); err == nil {
		return n
	}
	return otherwise
}

// document is that of the path, if the caller may see it.
func (s *Server) document(k *call) (corpus.Scope, corpus.Document, error) {
	scope, err := s.named(k)
	if err != nil {
		return scope, corpus.Document{}, err
	}
	if _, err := s.engine.Store.Collection(k.ctx, scope.Collection); err != nil {
		return scope, corpus.Document{}, missing(err, scope.Collection)
	}
	d, err := s.engine.Store.Document(k.ctx, scope, corpus.DocumentID(k.param("id")))
	return scope, d, err
}

func (s *Server) getDocument(k *call) error {
	_, d, err := s.document(k)
	if err != nil {
		return err
	}
	return k.json(d)
}

func (s *Server) getPages(k *call) error {
	scope, d, err := s.document(k)
	if err != nil {
		return err
	}
	pages, err := s.engine.Store.Pages(k.ctx, scope, d.ID, k.number("first", 1), k.number("last", 0))
	if err != nil {
		return err
	}
	return k.json(wire.Page[corpus.Page]{Data: append([]corpus.Page{}, pages...)})
}

func (s *Server) getChunks(k *call) error {
	scope, d, err := s.document(k)
	if err != nil {
		return err
	}
	chunks, err := s.engine.Store.DocumentChunks(k.ctx, scope, d.ID, k.number("first", 0), k.number("last", -1))
	if err != nil {
		return err
	}
	return k.json(wire.Page[corpus.Chunk]{Data: append([]corpus.Chunk{}, chunks...)})
}

func (s *Server) getChunk(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	id := corpus.ChunkID(k.param("id"))
	chunks, err := s.engine.Store.Chunks(k.ctx, scope, id)
	if err != nil {
		return missing(err, scope.Collection)
	}
	if len(chunks) == 0 {
		return notFound("there is no chunk %s in collection %s", quoted(string(id)), scope.Collection)
	}
	return k.json(chunks[0])
}

// deleteDocument removes a document with what is inside of it, as far as the caller sees it.
func (s *Server) deleteDocument(k *call) error {
	scope, d, err := s.document(k)
	if err != nil {
		return err
	}
	inside, err := s.ids(k, store.DocumentQuery{Scope: scope, Source: d.Source, Prefix: d.Path + parse.PartSeparator})
	if err != nil {
		return err
	}
	ids := append([]corpus.DocumentID{d.ID}, inside...)
	if err := s.engine.Store.Delete(k.ctx, scope.Collection, ids...); err != nil {
		return err
	}
	return k.json(wire.Deleted{Deleted: ids})
}

// deleteByFilter removes the documents that the caller sees and that pass a filter, a source or a prefix, which must
// not be all empty.
func (s *Server) deleteByFilter(k *call) error {
	scope, err := s.named(k)
	if err != nil {
		return err
	}
	var r wire.DeleteDocuments
	if err := k.decode(&r); err != nil {
		return err
	}
	if len(r.Filter) == 0 && r.Source == "" && r.Prefix == "" {
		return invalid("filter", "name a filter, a source or a prefix; a whole collection is deleted by DELETE /api/collections/NAME")
	}
	ids, err := s.ids(k, store.DocumentQuery{Scope: scope, Filter: r.Filter, Source: r.Source, Prefix: r.Prefix})
	if err != nil {
		return missing(err, scope.Collection)
	}
	if len(ids) != r.Confirm {
		return invalid("confirm", "%d documents pass; send their number as confirm to delete them", len(ids))
	}
	if err := s.engine.Store.Delete(k.ctx, scope.Collection, ids...); err != nil {
		return err
	}
	return k.json(wire.Deleted{Deleted: append([]corpus.DocumentID{}, ids...)})
}

func (s *Server) ids(k *call, q store.DocumentQuery) (ids []corpus.DocumentID, err error) {
	q.Limit = 1000
	for {
		docs, next, err := s.engine.Store.Documents(k.ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			ids = append(ids, d.ID)
		}
		if q.Cursor = next; next == "" {
			return ids, nil
		}
	}
}
