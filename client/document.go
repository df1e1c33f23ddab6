package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"

	"grounded/corpus"
	"grounded/wire"
)

// Collections lists the collections of the key.
func (c *Client) Collections(ctx context.Context) ([]wire.Collection, error) {
	page, err := call[wire.Page[wire.Collection]](ctx, c, request{method: "GET", path: []string{"api", "collections"}})
	return page.Data, err
}

// Collection returns one.
func (c *Client) Collection(ctx context.Context, name string) (wire.Collection, error) {
	return call[wire.Collection](ctx, c, request{method: "GET", path: []string{"api", "collections", name}})
}

// CreateCollection makes one (admin). One of the name that is there is corpus.ErrConflict.
func (c *Client) CreateCollection(ctx context.Context, n wire.NewCollection) (wire.Collection, error) {
	return call[wire.Collection](ctx, c, request{method: "POST", path: []string{"api", "collections"}, body: n, once: true})
}

// DeleteCollection deletes one with all that is in it (admin).
func (c *Client) DeleteCollection(ctx context.Context, name string) error {
	_, err := call[wire.DeletedCollection](ctx, c, request{method: "DELETE", path: []string{"api", "collections", name}, query: url.Values{"confirm": {name}}, once: true})
	return err
}

// DocumentQuery chooses documents. Empty fields are all.
type DocumentQuery struct {
	Source string
	Prefix string // of the path
	Filter corpus.Filter
	Limit  int // of one page, at most 1000; default 100
	Cursor string
}

// Documents lists one page of a collection's documents, by path.
func (c *Client) Documents(ctx context.Context, collection string, q DocumentQuery) (wire.Page[corpus.Document], error) {
	query := url.Values{}
	for name, value := range map[string]string{"source": q.Source, "prefix": q.Prefix, "cursor": q.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(q.Filter) > 0 {
		text, err := json.Marshal(q.Filter)
		if err != nil {
			return wire.Page[corpus.Document]{}, unwritable("filter", err)
		}
		query.Set("filter", string(text))
	}
	if q.Limit > 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	return call[wire.Page[corpus.Document]](ctx, c, request{method: "GET", path: []string{"api", "collections", collection, "documents"}, query: query})
}

// AllDocuments lists page after page. It ends with the first error.
func (c *Client) AllDocuments(ctx context.Context, collection string, q DocumentQuery) iter.Seq2[corpus.Document, error] {
	return func(yield func(corpus.Document, error) bool) {
		for {
			page, err := c.Documents(ctx, collection, q)
			if err != nil {
				yield(corpus.Document{}, err)
				return
			}
			for _, d := range page.Data {
				if !yield(d, nil) {
					return
				}
			}
			if q.Cursor = string(page.Next); q.Cursor == "" {
				return
			}
		}
	}
}

// Document returns what is known of one.
func (c *Client) Document(ctx context.Context, collection string, id corpus.DocumentID) (corpus.Document, error) {
	return call[corpus.Document](ctx, c, documentRequest("GET", collection, id))
}

func documentRequest(method, collection string, id corpus.DocumentID, more ...string) request {
	return request{method: method, path: append([]string{"api", "collections", collection, "documents", string(id)}, more...)}
}

// Pages returns the stored text of a document, from page first, counted from 1, to last; last 0 is the end.
func (c *Client) Pages(ctx context.Context, collection string, id corpus.DocumentID, first, last int) ([]corpus.Page, error) {
	r := documentRequest("GET", collection, id, "pages")
	r.query = url.Values{"first": {strconv.Itoa(max(1, first))}}
	if last > 0 {
		r.query.Set("last", strconv.Itoa(last))
	}
	page, err := call[wire.Page[corpus.Page]](ctx, c, r)
	return page.Data, err
}

// Chunks returns those of a document by their place in it, from 0; a negative last is the end.
func (c *Client) Chunks(ctx context.Context, collection string, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error) {
	r := documentRequest("GET", collection, id, "chunks")
	r.query = url.Values{"first": {strconv.Itoa(max(0, first))}}
	if last >= 0 {
		r.query.Set("last", strconv.Itoa(last))
	}
	page, err := call[wire.Page[corpus.Chunk]](ctx, c, r)
	return page.Data, err
}

// Quarantined lists the files of a collection that could not be read, and why, to keys that see every document.
func (c *Client) Quarantined(ctx context.Context, collection string) ([]corpus.Quarantined, error) {
	page, err := call[wire.Page[corpus.Quarantined]](ctx, c, request{method: "GET", path: []string{"api", "collections", collection, "quarantined"}})
	return page.Data, err
}

// DeleteDocument deletes one with what is inside of it, and returns the ids of all that.
func (c *Client) DeleteDocument(ctx context.Context, collection string, id corpus.DocumentID) ([]corpus.DocumentID, error) {
	r := documentRequest("DELETE", collection, id)
	r.once = true // repeated after it was done, it would not be found
	d, err := call[wire.Deleted](ctx, c, r)
	return d.Deleted, err
}

// DeleteDocuments deletes those that a filter, a source or a prefix chooses, if they are as many as Confirm says.
func (c *Client) DeleteDocuments(ctx context.Context, collection string, which wire.DeleteDocuments) ([]corpus.DocumentID, error) {
	d, err := call[wire.Deleted](ctx, c, request{method: "POST", path: []string{"api", "collections", collection, "documents", "delete"}, body: which, once: true})
	return d.Deleted, err
}
