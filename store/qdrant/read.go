package qdrant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
	"grounded/store"
)

// entry reads a document of a scope from the manifest, or fails with corpus.ErrNotFound.
func (s *Store) entry(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (record, entry, error) {
	r, err := s.near(ctx, scope.Collection)
	if err != nil {
		return record{}, entry{}, err
	}
	points, err := s.get(ctx, s.manifest(), everything(), nil, documentID(r.key, id))
	if err != nil {
		return record{}, entry{}, err
	}
	missing := corpus.Errorf(corpus.ErrNotFound, "there is no document %s", id)
	if len(points) == 0 {
		return record{}, entry{}, missing
	}
	e, err := r.readEntry(points[0].GetPayload())
	if err == nil && (e.state == stateDeleting || !scope.Access.Allows(e.document.Groups)) {
		err = missing
	}
	return r, e, err
}

// Document implements store.Store.
func (s *Store) Document(ctx context.Context, scope corpus.Scope, id corpus.DocumentID) (corpus.Document, error) {
	_, e, err := s.entry(ctx, scope, id)
	if err != nil {
		return corpus.Document{}, s.fail("read document", err)
	}
	return e.document, nil
}

// Pages implements store.Store.
func (s *Store) Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error) {
	var pages []corpus.Page
	err := s.readParts(ctx, scope, id, func(r record, e entry) error {
		if pages = nil; last <= 0 || last > e.pages {
			last = e.pages
		}
		var ids []*qdrant.PointId
		for number := max(first, 1); number <= last; number++ {
			ids = append(ids, pageID(r.key, id, e.version, number))
		}
		points, err := s.get(ctx, s.pages(), only(fieldOrdinal, fieldLabel, fieldText), nil, ids...)
		for _, p := range points {
			pages = append(pages, readPage(p.GetPayload()))
		}
		sort.Slice(pages, func(i, j int) bool { return pages[i].Number < pages[j].Number })
		return err
	})
	return pages, s.fail("read pages", err)
}

// DocumentChunks implements store.Store.
func (s *Store) DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error) {
	var chunks []corpus.Chunk
	err := s.readParts(ctx, scope, id, func(r record, e entry) error {
		chunks = nil
		end := e.chunks - 1
		if last >= 0 {
			end = min(end, last)
		}
		var ids []*qdrant.PointId
		for ordinal := max(first, 0); ordinal <= end; ordinal++ {
			ids = append(ids, chunkID(r.key, id, e.version, ordinal))
		}
		points, err := s.get(ctx, r.physical, only(chunkFields...), nil, ids...)
		for _, p := range points {
			chunks = append(chunks, readChunk(p.GetPayload()))
		}
		sort.Slice(chunks, func(i, j int) bool { return chunks[i].Ordinal < chunks[j].Ordinal })
		return err
	})
	return chunks, s.fail("read chunks", err)
}

// readParts reads parts of a document, again if it was switched over meanwhile.
func (s *Store) readParts(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, read func(record, entry) error) error {
	r, e, err := s.entry(ctx, scope, id)
	for try := 0; err == nil; try++ {
		if err := read(r, e); err != nil {
			return err
		}
		before := e.version
		if r, e, err = s.entry(ctx, scope, id); err == nil && (e.version == before || try == triesMoved) {
			return nil
		}
	}
	return err
}

// Vectors implements store.Store.
func (s *Store) Vectors(ctx context.Context, collection string, hashes []string) (map[string][]float32, error) {
	doing := "read vectors of " + collection
	r, err := s.near(ctx, collection)
	if err != nil {
		return nil, s.fail(doing, ignoreMissing(err))
	}
	wanted := map[string]bool{}
	var keys []int64
	for _, hash := range hashes {
		if n, ok := inputKey(hash); ok && !wanted[hash] {
			wanted[hash] = true
			keys = append(keys, n)
		}
	}
	vectors := map[string][]float32{}
	for part := range slices.Chunk(keys, 500) {
		filter := all(keyword(fieldCollection, r.key), qdrant.NewMatchInts(fieldInput, part...))
		err := s.scroll(ctx, r.physical, filter, only(fieldText, fieldContext), qdrant.NewWithVectorsInclude(vectorDense), func(p *qdrant.RetrievedPoint) error {
			hash := readChunk(p.GetPayload()).InputHash()
			if v := dense(p.GetVectors()); wanted[hash] && len(v) == r.embedding.Dimensions {
				vectors[hash] = v
			}
			return nil
		})
		if err != nil {
			return nil, s.fail(doing, err)
		}
	}
	return vectors, nil
}

// dense is the dense vector among those of a point.
func dense(v *qdrant.VectorsOutput) []float32 {
	return v.GetVectors().GetVectors()[vectorDense].GetDense().GetData()
}

// The path of a document is in the manifest as numbers, by which the server sorts: this many of six bytes each. What
// is equal in all of them is sorted here.
const pathLevels = 6

func pathField(level int) string { return fmt.Sprint(fieldPathBlock, level+1) }

// place is where a document is in a listing.
type place struct {
	Path   string
	Source string
}

func (p place) less(q place) bool {
	return p.Path < q.Path || p.Path == q.Path && p.Source < q.Source
}

// Documents implements store.Store.
func (s *Store) Documents(ctx context.Context, q store.DocumentQuery) ([]corpus.Document, string, error) {
	docs, next, err := s.documents(ctx, q)
	return docs, next, s.fail("list documents of "+q.Collection, err)
}

func (s *Store) documents(ctx context.Context, q store.DocumentQuery) ([]corpus.Document, string, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var after *place
	if q.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil || json.Unmarshal(raw, &after) != nil || after == nil {
			return nil, "", corpus.Errorf(corpus.ErrInvalid, "cursor %q is not one of ours", q.Cursor)
		}
	}
	r, err := s.find(ctx, q.Collection)
	if err != nil {
		return nil, "", err
	}
	filter, err := r.filter(q.Access, q.Filter)
	if err != nil {
		return nil, "", err
	}
	filter.Must = append(filter.Must, keyword(fieldKind, kindDocument))
	filter.MustNot = append(filter.MustNot, keyword(fieldState, stateDeleting))
	if q.Source != "" {
		filter.Must = append(filter.Must, keyword(fieldFacts, fact("source", q.Source)))
	}
	l := &listing{store: s, record: r, query: q, after: after, wanted: q.Limit + 1}
	filter.Must = append(filter.Must, prefixConditions(q.Prefix)...)
	if err := l.walk(ctx, filter, 0, after); err != nil {
		return nil, "", err
	}
	docs, next := l.found, ""
	if len(docs) > q.Limit {
		docs = docs[:q.Limit]
		last := docs[q.Limit-1]
		raw, err := json.Marshal(place{last.Path, last.Source})
		if err != nil {
			return nil, "", err
		}
		next = base64.RawURLEncoding.EncodeToString(raw)
	}
	return docs, next, nil
}

// prefixConditions say as much of a path's beginning as the numbers can.
func prefixConditions(prefix string) (must []*qdrant.Condition) {
	for level := range pathLevels {
		rest := len(prefix) - level*blockBytes
		if rest <= 0 {
			break
		}
		low := block(prefix, level)
		if rest >= blockBytes {
			must = append(must, qdrant.NewMatchInt(pathField(level), low))
			continue
		}
		gte, lt := float64(low), float64(low+1<<(8*(blockBytes-rest)))
		must = append(must, qdrant.NewRange(pathField(level), &qdrant.Range{Gte: &gte, Lt: &lt}))
	}
	return must
}

// listing collects documents in order.
type listing struct {
	store  *Store
	record record
	query  store.DocumentQuery
	after  *place
	wanted int
	found  []corpus.Document
}

// walk goes through the documents of a filter, whose paths are equal in the blocks before the level, in order. from is
// where to begin, if not at the first.
func (l *listing) walk(ctx context.Context, filter *qdrant.Filter, level int, from *place) error {
	if level == pathLevels {
		return l.rest(ctx, filter)
	}
	field := pathField(level)
	start := int64(0)
	if from != nil {
		start = block(from.Path, level)
	}
	for len(l.found) < l.wanted {
		limit := uint32(l.wanted - len(l.found) + 1)
		var points []*qdrant.RetrievedPoint
		err := l.store.call(ctx, func(ctx context.Context) (err error) {
			points, err = l.store.client().Scroll(ctx, &qdrant.ScrollPoints{
				CollectionName: l.store.manifest(), Filter: filter, Limit: &limit, WithPayload: everything(), ReadConsistency: l.store.read,
				OrderBy: &qdrant.OrderBy{Key: field, Direction: qdrant.Direction_Asc.Enum(), StartFrom: qdrant.NewStartFromInt(start)},
			})
			return err
		})
		if err != nil || len(points) == 0 {
			return err
		}
		value := func(i int) int64 { return points[i].GetPayload()[field].GetIntegerValue() }
		last, complete := value(len(points)-1), len(points) < int(limit)
		if !complete && value(0) == last {
			// More have this block than were asked for: go by the next.
			in := &qdrant.Filter{Must: append(slices.Clone(filter.Must), qdrant.NewMatchInt(field, last)), MustNot: filter.MustNot}
			inside := from
			if from == nil || block(from.Path, level) != last {
				inside = nil
			}
			if err := l.walk(ctx, in, level+1, inside); err != nil {
				return err
			}
			start, from = last+1, nil
			continue
		}
		var group []*qdrant.RetrievedPoint
		for i, p := range points {
			if complete || value(i) < last {
				group = append(group, p)
			}
		}
		if err := l.add(group); err != nil || complete {
			return err
		}
		start, from = last, nil
	}
	return nil
}

// rest lists the documents of a filter that the server can't sort.
func (l *listing) rest(ctx context.Context, filter *qdrant.Filter) error {
	var points []*qdrant.RetrievedPoint
	err := l.store.scroll(ctx, l.store.manifest(), filter, everything(), nil, func(p *qdrant.RetrievedPoint) error {
		points = append(points, p)
		return nil
	})
	if err != nil {
		return err
	}
	return l.add(points)
}

// add takes what comes next in order, all that is between what was added and what will be.
func (l *listing) add(points []*qdrant.RetrievedPoint) error {
	var docs []corpus.Document
	for _, p := range points {
		e, err := l.record.readEntry(p.GetPayload())
		if err != nil {
			return err
		}
		d := e.document
		if !strings.HasPrefix(d.Path, l.query.Prefix) || l.after != nil && !l.after.less(place{d.Path, d.Source}) {
			continue
		}
		docs = append(docs, d)
	}
	sort.Slice(docs, func(i, j int) bool {
		return place{docs[i].Path, docs[i].Source}.less(place{docs[j].Path, docs[j].Source})
	})
	l.found = append(l.found, docs...)
	return nil
}
