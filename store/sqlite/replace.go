package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"grounded/corpus"
)

// documentWrite is a document as it goes into the file, as far as it can be made outside the transaction.
type documentWrite struct {
	doc              corpus.Document
	metadata, groups string
	pages            []corpus.Page
	chunks           []chunkWrite
}

type chunkWrite struct {
	chunkRow
	terms  []corpus.Term
	vector []byte
}

// chunkRow is a chunk's row but for its number and document.
type chunkRow struct {
	id      corpus.ChunkID
	ordinal int
	input   int64
	pageStart, pageEnd, start, end,
	tokens int
	language, heading, context, text string
}

// Replace implements store.Store. Metadata is kept as JSON: numbers come back as float64, times as text.
func (s *Store) Replace(ctx context.Context, doc corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error {
	doing := "replace document " + doc.Path
	d, size, err := prepareDocument(doc, pages, chunks)
	if err != nil {
		return s.fail(doing, err)
	}
	var c *collectionState
	return s.write(ctx, doing, &write{
		bytes: size,
		check: func(t *transaction) (err error) {
			if c, err = t.collection(doc.Collection); err != nil {
				return err
			}
			if doc.EmbeddingFingerprint != c.fingerprint {
				return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "document has embedding fingerprint %q, collection %q has %q",
					doc.EmbeddingFingerprint, doc.Collection, c.fingerprint),
					"use the collection's embedding model, another collection, or grounded reindex")
			}
			for _, k := range d.chunks {
				if len(k.vector) != 4*c.dimensions {
					return corpus.Errorf(corpus.ErrInvalid, "vector of chunk %d has %d dimensions, collection %q has %d",
						k.ordinal, len(k.vector)/4, doc.Collection, c.dimensions)
				}
			}
			return nil
		},
		apply: func(t *transaction) error { return t.replace(c, d) },
	})
}

// prepareDocument checks a document and encodes it. size is about how many bytes it is.
func prepareDocument(doc corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) (d *documentWrite, size int, err error) {
	invalid := func(format string, args ...any) (*documentWrite, int, error) {
		return nil, 0, corpus.Errorf(corpus.ErrInvalid, format, args...)
	}
	if doc.ID == "" {
		return invalid("document has no id")
	}
	d = &documentWrite{doc: doc, pages: pages, chunks: make([]chunkWrite, len(chunks))}
	if d.metadata, err = encodeMetadata(doc.Metadata); err != nil {
		return nil, 0, err
	}
	if d.groups, err = encodeStrings(doc.Groups); err != nil {
		return nil, 0, err
	}
	for i, p := range pages {
		if p.Number < 1 || i > 0 && p.Number <= pages[i-1].Number {
			return invalid("page numbers don't count up from 1: %d at place %d", p.Number, i)
		}
		size += len(p.Text)
	}
	ids := make(map[corpus.ChunkID]bool, len(chunks))
	for i, c := range chunks {
		switch {
		case c.ID == "" || ids[c.ID]:
			return invalid("chunk id %q is empty or there twice", c.ID)
		case c.DocumentID != "" && c.DocumentID != doc.ID:
			return invalid("chunk %q is of document %q", c.ID, c.DocumentID)
		case i > 0 && c.Ordinal <= chunks[i-1].Ordinal:
			return invalid("chunks are not in order of ordinal: %d after %d", c.Ordinal, chunks[i-1].Ordinal)
		}
		ids[c.ID] = true
		for _, x := range c.Vector {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return invalid("vector of chunk %d is not finite", c.Ordinal)
			}
		}
		for _, term := range c.Terms {
			if !(term.Count > 0) || math.IsInf(float64(term.Count), 0) {
				return invalid("term %q of chunk %d has count %v", term.Text, c.Ordinal, term.Count)
			}
		}
		heading, err := encodeStrings(c.Heading)
		if err != nil {
			return nil, 0, err
		}
		d.chunks[i] = chunkWrite{
			chunkRow: chunkRow{
				id: c.ID, ordinal: c.Ordinal, input: inputKey(c.Input()),
				pageStart: c.PageStart, pageEnd: c.PageEnd, start: c.Start, end: c.End, tokens: c.Tokens,
				language: c.Language, heading: heading, context: c.Context, text: c.Text,
			},
			terms: c.Terms, vector: encodeVector(c.Vector),
		}
		size += len(c.Text) + len(c.Context) + 4*len(c.Vector) + 4*len(c.Terms) + 200
	}
	return d, size, nil
}

func (t *transaction) replace(c *collectionState, d *documentWrite) error {
	c.touch()
	key, old, err := t.putDocument(c, d)
	if err != nil {
		return err
	}
	for _, p := range d.pages {
		if _, err := t.exec("INSERT INTO pages VALUES (?, ?, ?, ?)", key, p.Number, p.Label, p.Text); err != nil {
			return err
		}
	}
	for _, k := range d.chunks {
		terms, err := t.numberTerms(c, k.terms)
		if err != nil {
			return err
		}
		if err := t.putChunk(c, key, k, encodeTerms(terms), old); err != nil {
			return err
		}
	}
	for _, o := range old {
		if err := t.deleteChunk(c, o); err != nil {
			return err
		}
	}
	_, err = t.exec("DELETE FROM quarantine WHERE collection = ? AND document_id = ?", c.key, encodeID(d.doc.ID))
	return err
}

// putDocument writes the document's row, takes its old pages away and returns its old chunks, if it was there.
func (t *transaction) putDocument(c *collectionState, d *documentWrite) (key int64, old map[corpus.ChunkID]storedChunk, err error) {
	id := encodeID(d.doc.ID)
	fields := []any{d.doc.Source, d.doc.Path, d.doc.URI, d.doc.Title, d.doc.MediaType, d.doc.Language, d.metadata, d.groups,
		d.doc.Bytes, d.doc.ContentHash, d.doc.PipelineFingerprint, len(d.pages), len(d.chunks),
		encodeTime(d.doc.ModifiedAt), encodeTime(d.doc.IngestedAt), c.seq}
	err = t.queryRow("SELECT key FROM documents WHERE collection = ? AND id = ?", []any{c.key, id}, []any{&key})
	if errors.Is(err, sql.ErrNoRows) {
		key = firstKey(c.key) + c.nextDocument
		c.nextDocument++
		c.documents++
		_, err = t.exec("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			append([]any{key, c.key, id}, fields...)...)
		return key, nil, err
	}
	if err != nil {
		return 0, nil, err
	}
	if _, err := t.exec(`UPDATE documents SET source = ?, path = ?, uri = ?, title = ?, media_type = ?, language = ?, metadata = ?, groups = ?,
		bytes = ?, content_hash = ?, pipeline_fingerprint = ?, page_count = ?, chunk_count = ?, modified_at = ?, ingested_at = ?, seq = ?
		WHERE key = ?`, append(fields, key)...); err != nil {
		return 0, nil, err
	}
	if _, err := t.exec("DELETE FROM pages WHERE document = ?", key); err != nil {
		return 0, nil, err
	}
	old, doubles, err := t.storedChunks(key)
	if err != nil {
		return 0, nil, err
	}
	for _, double := range doubles {
		if err := t.deleteChunk(c, double); err != nil {
			return 0, nil, err
		}
	}
	return key, old, nil
}

// storedChunk is a chunk that is in the file.
type storedChunk struct {
	chunkRow
	key           int64
	vector, terms []byte
}

// storedChunks returns a document's chunks, in a damaged file those without a vector too, and others of the same id.
func (t *transaction) storedChunks(document int64) (stored map[corpus.ChunkID]storedChunk, doubles []storedChunk, err error) {
	rows, err := t.query(`SELECT c.key, id, ordinal, input, page_start, page_end, start, "end", tokens, language, heading, context, text, vector, terms
		FROM chunks c LEFT JOIN vectors v ON v.key = c.key WHERE c.document = ?`, document)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	stored = map[corpus.ChunkID]storedChunk{}
	for rows.Next() {
		var k storedChunk
		if err := rows.Scan(&k.key, (*idColumn)(&k.id), &k.ordinal, &k.input, &k.pageStart, &k.pageEnd, &k.start, &k.end, &k.tokens,
			&k.language, &k.heading, &k.context, &k.text, &k.vector, &k.terms); err != nil {
			return nil, nil, err
		}
		if _, double := stored[k.id]; double {
			doubles = append(doubles, k)
			continue
		}
		stored[k.id] = k
	}
	return stored, doubles, rows.Err()
}

// putChunk writes a chunk and takes it out of old. It keeps its number if its vector and terms are what they
// were; a number stands for one vector and one list of terms, so that the index has nothing to do.
func (t *transaction) putChunk(c *collectionState, document int64, k chunkWrite, terms []byte, old map[corpus.ChunkID]storedChunk) error {
	was, there := old[k.id]
	if there && bytes.Equal(was.vector, k.vector) && bytes.Equal(was.terms, terms) {
		delete(old, k.id)
		if was.chunkRow == k.chunkRow {
			return nil
		}
		c.languages[was.language]--
		c.languages[k.language]++
		_, err := t.exec(`UPDATE chunks SET ordinal = ?, input = ?, page_start = ?, page_end = ?, start = ?, "end" = ?,
			tokens = ?, language = ?, heading = ?, context = ?, text = ? WHERE key = ?`,
			k.ordinal, k.input, k.pageStart, k.pageEnd, k.start, k.end, k.tokens, k.language, k.heading, k.context, k.text, was.key)
		return err
	}
	key := firstKey(c.key) + c.nextChunk
	c.nextChunk++
	c.chunks++
	c.languages[k.language]++
	if _, err := t.exec("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", key, document, k.ordinal, encodeID(k.id),
		k.input, k.pageStart, k.pageEnd, k.start, k.end, k.tokens, k.language, k.heading, k.context, k.text); err != nil {
		return fmt.Errorf("chunk %d: %w", k.ordinal, err)
	}
	if _, err := t.exec("INSERT INTO vectors VALUES (?, ?, ?, ?)", key, document, k.vector, terms); err != nil {
		return fmt.Errorf("vector of chunk %d: %w", k.ordinal, err)
	}
	return nil
}

func (t *transaction) deleteChunk(c *collectionState, k storedChunk) error {
	c.chunks--
	c.languages[k.language]--
	_, err := t.exec("DELETE FROM chunks WHERE key = ?", k.key)
	return err
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error {
	var c *collectionState
	return s.write(ctx, "delete documents of "+collection, &write{
		check: func(t *transaction) (err error) {
			c, err = t.collection(collection)
			if errors.Is(err, corpus.ErrNotFound) {
				err = nil // there is nothing to delete
			}
			return err
		},
		apply: func(t *transaction) error {
			if c == nil {
				return nil
			}
			for _, id := range ids {
				if err := t.deleteDocument(c, id); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

func (t *transaction) deleteDocument(c *collectionState, id corpus.DocumentID) error {
	if _, err := t.exec("DELETE FROM quarantine WHERE collection = ? AND document_id = ?", c.key, encodeID(id)); err != nil {
		return err
	}
	var key int64
	err := t.queryRow("SELECT key FROM documents WHERE collection = ? AND id = ?", []any{c.key, encodeID(id)}, []any{&key})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := t.query("SELECT language, count(*) FROM chunks WHERE document = ? GROUP BY language", key)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var language string
		var n int
		if err := rows.Scan(&language, &n); err != nil {
			return err
		}
		c.languages[language] -= n
		c.chunks -= n
	}
	if err := rows.Err(); err != nil {
		return err
	}
	c.touch()
	c.deleted = c.seq
	c.documents--
	_, err = t.exec("DELETE FROM documents WHERE key = ?", key)
	return err
}
