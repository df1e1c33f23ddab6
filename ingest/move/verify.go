package move

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"grounded/analyze"
	"grounded/corpus"
	"grounded/store"
)

// settle makes to the same as from, and compares them, until nothing has changed since the comparison.
func (m *mover) settle(ctx context.Context) error {
	compared, miscounted := false, 0
	for range rounds {
		changes, err := m.pass(ctx, exact)
		if err != nil {
			return err
		}
		m.firstPassDone()
		switch {
		case changes > 0:
			compared = false
		case !compared:
			if err := m.compare(ctx); err != nil {
				return err
			}
			compared = true
		default:
			disagreement, err := m.compareCounts(ctx)
			if err != nil || disagreement == nil {
				return err
			}
			if miscounted++; miscounted == 3 { // else something changed between two counts
				return disagreement
			}
		}
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the collection changes faster than it can be copied"),
		"run the same command again when fewer documents are being ingested")
}

// compare fails with corpus.ErrCorrupt when to is not sound, or not what from is: in the counts, and in a sample of
// documents in all that is stored of them and in what is found.
func (m *mover) compare(ctx context.Context) error {
	faults, err := m.to.Inspect(ctx, m.to.collection, false)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return damaged(corpus.Errorf(corpus.ErrCorrupt, "%d faults are in what was copied; the first: %s %s", len(faults), faults[0].Path, faults[0].Problem))
	}
	for _, d := range m.sample.docs {
		if err := m.compareDocument(ctx, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// compareCounts returns in what the numbers of documents, chunks and quarantined files disagree; nil if they agree.
func (m *mover) compareCounts(ctx context.Context) (disagreement, err error) {
	from, err := m.from.Collection(ctx, m.from.collection)
	if err != nil {
		return nil, err
	}
	to, err := m.to.Collection(ctx, m.to.collection)
	if err != nil || from.Documents == to.Documents && from.Chunks == to.Chunks && from.Quarantined == to.Quarantined {
		return nil, err
	}
	return damaged(corpus.Errorf(corpus.ErrCorrupt, "of %d documents, %d chunks and %d quarantined files, %d, %d and %d were copied",
		from.Documents, from.Chunks, from.Quarantined, to.Documents, to.Chunks, to.Quarantined)), nil
}

// compareDocument compares one document, if it has not changed meanwhile, and searches for a chunk of it.
func (m *mover) compareDocument(ctx context.Context, id corpus.DocumentID) error {
	want, isThere, err := m.from.whole(ctx, id)
	if err != nil || !isThere {
		return err
	}
	got, isThere, err := m.to.whole(ctx, id)
	if err != nil {
		return err
	}
	if !isThere || !same(got.doc, want.doc) {
		return nil // the next pass brings it
	}
	wrong := func(what string) error {
		return corpus.Errorf(corpus.ErrCorrupt, "%s: %s", want.doc.Path, what)
	}
	for part, equal := range map[string]bool{
		"title, metadata or access": equalDocuments(got.doc, want.doc),
		"pages":                     slices.Equal(got.pages, want.pages),
		"chunks":                    slices.EqualFunc(got.chunks, want.chunks, equalChunks),
	} {
		if !equal {
			return wrong("its " + part + " are not what was copied")
		}
	}
	if len(got.chunks) == 0 {
		return nil
	}
	k := got.chunks[len(got.chunks)/2]
	vectors, err := m.to.vectorsOf(ctx, []corpus.Chunk{k})
	if err != nil {
		return err
	}
	if m.vectors == nil {
		copied, err := m.from.vectorsOf(ctx, []corpus.Chunk{k})
		if err != nil {
			return err
		}
		if cosine(copied[k.InputHash()], vectors[k.InputHash()]) < .999 { // a store may round
			return wrong("a vector of it is not what was copied")
		}
	}
	for what, q := range map[string]store.Query{
		"meaning": {Vector: vectors[k.InputHash()]},
		"words":   {Terms: analyze.Terms(k.Input(), k.Language)},
	} {
		if what == "words" && len(q.Terms) == 0 {
			continue
		}
		q.Scope, q.Limit = m.to.scope(), 100
		hits, err := m.to.Search(ctx, q)
		if err != nil {
			return err
		}
		found := what == "words" && len(hits) > 0 // its words may be in many
		for _, h := range hits {
			found = found || h.Chunk.Text == k.Text
		}
		if !found {
			return wrong("a chunk of it is not found by its " + what)
		}
	}
	return nil
}

// equalDocuments compares what is stored of a document but for its collection and embedding. Stores keep metadata as
// JSON, and times with more or fewer digits.
func equalDocuments(a, b corpus.Document) bool {
	var encoded [2]string
	for i, d := range []corpus.Document{a, b} {
		d.Collection, d.EmbeddingFingerprint, d.IngestedAt, d.ModifiedAt = "", "", time.Time{}, d.ModifiedAt.UTC().Truncate(time.Millisecond)
		text, err := json.Marshal(d)
		if err != nil {
			return false
		}
		encoded[i] = string(text)
	}
	return encoded[0] == encoded[1]
}

// equalChunks compares what is stored of a chunk but for its length, which depends on the embedder.
func equalChunks(a, b corpus.Chunk) bool {
	headings := slices.Equal(a.Heading, b.Heading)
	a.Tokens, a.Heading, b.Heading = b.Tokens, nil, nil
	return headings && reflect.DeepEqual(a, b)
}

// cosine is that of two vectors of unit length; 0 if their dimensions differ.
func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
