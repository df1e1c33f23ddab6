package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"grounded/corpus"
	"grounded/store"
)

const documentColumns = `d.key, d.id, d.source, d.path, d.uri, d.title, d.media_type, d.language, d.metadata, d.groups, d.bytes, d.content_hash,
	d.pipeline_fingerprint, d.page_count, d.chunk_count, d.modified_at, d.ingested_at, c.name, c.fingerprint`

// scanDocument reads documentColumns.
func scanDocument(scan func(...any) error) (key int64, d corpus.Document, err error) {
	err = scan(&key, (*idColumn)(&d.ID), &d.Source, &d.Path, &d.URI, &d.Title, &d.MediaType, &d.Language,
		jsonColumn{&d.Metadata}, jsonColumn{&d.Groups}, &d.Bytes, &d.ContentHash,
		&d.PipelineFingerprint, &d.PageCount, &d.ChunkCount, (*timeColumn)(&d.ModifiedAt), (*timeColumn)(&d.IngestedAt),
		&d.Collection, &d.EmbeddingFingerprint)
	return key, d, err
}

const documentQuery = "SELECT " + documentColumns + ` FROM documents d JOIN collections c ON c.key = d.collection
	WHERE c.name = ? AND d.id = ?`

// visible returns a document of the scope with its number, or corpus.ErrNotFound, no matter whether it is
// missing or hidden.
func (s *Store) visible(ctx context.Context, tx *sql.Tx, scope corpus.Scope, id corpus.DocumentID) (int64, corpus.Document, error) {
	key, d, err := scanDocument(tx.StmtContext(ctx, s.prepared.document).QueryRowContext(ctx, scope.Collection, encodeID(id)).Scan)
	missing := errors.Is(err, sql.ErrNoRows)
	if missing {
		if _, err := collectionKey(ctx, tx, scope.Collection); err != nil {
			return 0, corpus.Document{}, err
		}
	}
	if missing || err == nil && !scope.Access.Allows(d.Groups) {
		return 0, corpus.Document{}, corpus.Errorf(corpus.ErrNotFound, "document %q is not in collection %q", id, scope.Collection)
	}
	return key, d, err
}

// Document implements store.Store.
func (s *Store) Document(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (d corpus.Document, err error) {
	err = s.read(ctx, "read document", func(tx *sql.Tx) (err error) {
		_, d, err = s.visible(ctx, tx, scope, id)
		return err
	})
	return d, err
}

// cursor is the last document of a page of Documents.
type cursor struct {
	Path   string            `json:"p"`
	Source string            `json:"s"`
	ID     corpus.DocumentID `json:"i"`
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return c, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "cursor %q is none that was given out", s),
			"pass on next as it was, or begin without a cursor")
	}
	return c, nil
}

// Documents implements store.Store.
func (s *Store) Documents(ctx context.Context, q store.DocumentQuery) (docs []corpus.Document, next string, err error) {
	doing := "list documents of " + q.Collection
	if q.Limit <= 0 {
		q.Limit = 100
	}
	where, args := "d.collection = ?", []any(nil)
	if q.Source != "" {
		where, args = where+" AND d.source = ?", append(args, q.Source)
	}
	if q.Prefix != "" {
		where, args = where+" AND d.path >= ?", append(args, q.Prefix)
	}
	if q.Cursor != "" {
		after, err := parseCursor(q.Cursor)
		if err != nil {
			return nil, "", s.fail(doing, err)
		}
		where, args = where+" AND (d.path, d.source, d.id) > (?, ?, ?)", append(args, after.Path, after.Source, encodeID(after.ID))
	}
	err = s.read(ctx, doing, func(tx *sql.Tx) error {
		collection, err := collectionKey(ctx, tx, q.Collection)
		if err != nil {
			return err
		}
		return each(ctx, tx, "SELECT "+documentColumns+" FROM documents d JOIN collections c ON c.key = d.collection WHERE "+where+
			" ORDER BY d.path, d.source, d.id", append([]any{collection}, args...), func(scan func(...any) error) error {
			_, d, err := scanDocument(scan)
			switch {
			case err != nil:
				return err
			case !strings.HasPrefix(d.Path, q.Prefix):
				return errStop
			case !q.Access.Allows(d.Groups) || !q.Filter.Match(d):
				return nil
			case len(docs) == q.Limit:
				last := docs[len(docs)-1]
				next = cursor{last.Path, last.Source, last.ID}.String()
				return errStop
			}
			docs = append(docs, d)
			return nil
		})
	})
	if err != nil {
		return nil, "", err
	}
	return docs, next, nil
}

// Pages implements store.Store.
func (s *Store) Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) (pages []corpus.Page, err error) {
	if last == 0 {
		last = 1<<31 - 1
	}
	err = s.read(ctx, "read pages", func(tx *sql.Tx) error {
		key, _, err := s.visible(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		return each(ctx, tx, "SELECT number, label, text FROM pages WHERE document = ? AND number BETWEEN ? AND ? ORDER BY number",
			[]any{key, first, last}, func(scan func(...any) error) error {
				var p corpus.Page
				err := scan(&p.Number, &p.Label, &p.Text)
				pages = append(pages, p)
				return err
			})
	})
	return pages, err
}
