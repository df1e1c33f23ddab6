package qdrant

import (
	"context"
	"errors"
	"math"

	"github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"grounded/corpus"
)

// write is a document on its way into the store.
type write struct {
	record   record
	id       corpus.DocumentID
	document *qdrant.PointStruct
	pages    []*qdrant.PointStruct
	chunks   []*qdrant.PointStruct
	numbers  []int // of the pages
	ordinals []int // of the chunks
	ctx      context.Context
	done     chan error
}

func (w *write) points() int { return len(w.pages) + len(w.chunks) + 1 }

// Replace implements store.Store.
func (s *Store) Replace(ctx context.Context, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) error {
	for try := 0; ; try++ {
		w, err := s.prepareWrite(ctx, d, pages, chunks)
		if err == nil {
			err = s.writer.submit(w)
		}
		if !errors.Is(err, errAnew) || try == triesMoved {
			return s.fail("replace "+d.Path, err)
		}
	}
}

// errAnew says that a collection is not the one that a write was made for.
var errAnew = corpus.Errorf(corpus.ErrConflict, "the collection was made anew or exchanged meanwhile")

// prepareWrite checks a document and makes its points.
func (s *Store) prepareWrite(ctx context.Context, d corpus.Document, pages []corpus.Page, chunks []corpus.EmbeddedChunk) (*write, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, known := s.records.get(d.Collection)
	if !known || d.EmbeddingFingerprint != r.embedding.Fingerprint() {
		var err error
		if r, err = s.find(ctx, d.Collection); err != nil {
			return nil, err
		}
	}
	if have := r.embedding.Fingerprint(); d.EmbeddingFingerprint != have {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrConflict, "its embedding %s is not that of collection %q, which is %s (%s)",
			d.EmbeddingFingerprint, r.name, have, r.embedding.Model), "use the collection's model, or embed it anew with: grounded reindex")
	}
	for i, c := range chunks {
		if len(c.Vector) != r.embedding.Dimensions {
			return nil, corpus.Errorf(corpus.ErrInvalid, "the vector of chunk %d has %d dimensions, the collection has %d", i, len(c.Vector), r.embedding.Dimensions)
		}
		if !finite(c.Vector) {
			return nil, corpus.Errorf(corpus.ErrInvalid, "the vector of chunk %d is not finite", i)
		}
	}
	shared := payload{}
	setFacts(shared, d)
	w := &write{record: r, id: d.ID, ctx: ctx, done: make(chan error, 1)}
	var err error
	if w.document, err = documentPoint(r.key, shared, d, pages, chunks); err != nil {
		return nil, err
	}
	for _, page := range pages {
		w.pages, w.numbers = append(w.pages, pagePoint(r.key, d.ID, page)), append(w.numbers, page.Number)
	}
	for _, c := range chunks {
		w.chunks, w.ordinals = append(w.chunks, chunkPoint(r.key, shared, d, c)), append(w.ordinals, c.Ordinal)
	}
	return w, nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return false
		}
	}
	return true
}

// commit writes a group. A call to it that failed may be repeated; what it left is not seen by readers.
func (s *Store) commit(group []*write) error {
	ctx := context.Background() // each call has a deadline; half a write serves nobody
	r := group[0].record
	now, err := s.find(ctx, r.name)
	if err != nil {
		return err
	}
	if now.key != r.key {
		return errAnew
	}
	ids := make([]corpus.DocumentID, len(group))
	for i, w := range group {
		ids[i] = w.id
	}
	have, quarantined, err := s.versions(ctx, r, ids)
	if err != nil {
		return err
	}
	last := int64(0)
	for _, v := range have {
		last = max(last, v)
	}
	version := s.writer.stamp(last)
	if err := s.putPoints(ctx, r, group, version); err != nil {
		return err
	}
	won, err := s.switchOver(ctx, r, group, version, have)
	if err != nil {
		return err
	}
	if err := s.removeStale(ctx, r, won, version); err != nil {
		return err
	}
	if len(have) > 0 {
		if err := s.markClean(ctx, r, won, version); err != nil {
			return err
		}
	}
	if err := s.removeLost(ctx, r, ids, won, version); err != nil {
		return err
	}
	s.counts.forget(r.key)
	return s.removeQuarantine(ctx, quarantined)
}

// versions reads those of documents that are in the manifest, and which have a quarantine entry.
func (s *Store) versions(ctx context.Context, r record, ids []corpus.DocumentID) (have map[corpus.DocumentID]int64, quarantined []*qdrant.PointId, err error) {
	points := make([]*qdrant.PointId, 0, 2*len(ids))
	for _, id := range ids {
		points = append(points, documentID(r.key, id), quarantineID(r.key, id))
	}
	found, err := s.get(ctx, s.manifest(), only(fieldKind, fieldDocument, fieldVersion), nil, points...)
	have = map[corpus.DocumentID]int64{}
	for _, p := range found {
		switch p.GetPayload()[fieldKind].GetStringValue() {
		case kindDocument:
			have[corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())] = version(p.GetPayload())
		case kindQuarantine:
			quarantined = append(quarantined, p.GetId())
		}
	}
	return have, quarantined, err
}

// putPoints writes pages and chunks of a version, which nobody reads yet.
func (s *Store) putPoints(ctx context.Context, r record, group []*write, version int64) error {
	var pages, chunks []*qdrant.PointStruct
	for _, w := range group {
		w.stamp(version)
		pages, chunks = append(pages, w.pages...), append(chunks, w.chunks...)
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.putAll(ctx, s.pages(), pages) })
	both.Go(func() error { return s.putAll(ctx, r.physical, chunks) })
	return both.Wait()
}

// stamp gives the points of pages and chunks their version, and their ids by it.
func (w *write) stamp(version int64) {
	v := qdrant.NewValueInt(version)
	for i, p := range w.pages {
		p.Id, p.Payload[fieldVersion] = pageID(w.record.key, w.id, version, w.numbers[i]), v
	}
	for i, p := range w.chunks {
		p.Id, p.Payload[fieldVersion] = chunkID(w.record.key, w.id, version, w.ordinals[i]), v
	}
}

// putAll upserts points in batches, by number and size.
func (s *Store) putAll(ctx context.Context, physical string, points []*qdrant.PointStruct) error {
	for len(points) > 0 {
		n, bytes := 0, 0
		for n < len(points) && n < s.config.BatchPoints {
			if bytes += proto.Size(points[n]); n > 0 && bytes > maxBatchBytes {
				break
			}
			n++
		}
		if err := s.upsert(ctx, &qdrant.UpsertPoints{CollectionName: physical, Points: points[:n]}); err != nil {
			return err
		}
		points = points[n:]
	}
	return nil
}

// switchOver makes the version that of the documents, but of those that have a later one by now, and returns the
// others.
func (s *Store) switchOver(ctx context.Context, r record, group []*write, v int64, have map[corpus.DocumentID]int64) (won []corpus.DocumentID, err error) {
	var points []*qdrant.PointStruct
	var ids []*qdrant.PointId
	for _, w := range group {
		state := stateClean
		if _, there := have[w.id]; there {
			state = stateStale
		}
		w.document.Payload[fieldVersion], w.document.Payload[fieldState] = qdrant.NewValueInt(v), text(state)
		points, ids = append(points, w.document), append(ids, w.document.GetId())
	}
	err = s.upsert(ctx, &qdrant.UpsertPoints{
		CollectionName: s.manifest(), Points: points, UpdateFilter: all(below(fieldVersion, v)), Ordering: inOrder(),
	})
	if err != nil {
		return nil, err
	}
	found, err := s.get(ctx, s.manifest(), only(fieldDocument, fieldVersion), nil, ids...)
	for _, p := range found {
		if version(p.GetPayload()) == v {
			won = append(won, corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue()))
		}
	}
	return won, err
}

// removeStale deletes the points of earlier versions, those too that a write left which came to no end.
func (s *Store) removeStale(ctx context.Context, r record, ids []corpus.DocumentID, v int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.removeBoth(ctx, r, all(keyword(fieldCollection, r.key), ofDocuments(ids), below(fieldVersion, v)))
}

// markClean notes that nothing of earlier versions is left.
func (s *Store) markClean(ctx context.Context, r record, ids []corpus.DocumentID, v int64) error {
	if len(ids) == 0 {
		return nil
	}
	points := documentIDs(r, ids)
	wait := true
	return s.call(ctx, func(ctx context.Context) error {
		_, err := s.client().SetPayload(ctx, &qdrant.SetPayloadPoints{
			CollectionName: s.manifest(), Wait: &wait, Payload: payload{fieldState: text(stateClean)},
			PointsSelector: qdrant.NewPointsSelectorFilter(all(qdrant.NewHasID(points...), keyword(fieldState, stateStale), versionIs(v))),
		})
		return err
	})
}

// versionIs is a condition that the version is this one.
func versionIs(v int64) *qdrant.Condition {
	x := float64(v)
	return qdrant.NewRange(fieldVersion, &qdrant.Range{Gte: &x, Lte: &x})
}

func documentIDs(r record, ids []corpus.DocumentID) []*qdrant.PointId {
	points := make([]*qdrant.PointId, len(ids))
	for i, id := range ids {
		points[i] = documentID(r.key, id)
	}
	return points
}

// removeLost deletes what was written of documents of which somebody else has written a later version.
func (s *Store) removeLost(ctx context.Context, r record, ids, won []corpus.DocumentID, v int64) error {
	kept := map[corpus.DocumentID]bool{}
	for _, id := range won {
		kept[id] = true
	}
	var lost []corpus.DocumentID
	for _, id := range ids {
		if !kept[id] {
			lost = append(lost, id)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return s.removeBoth(ctx, r, all(keyword(fieldCollection, r.key), ofDocuments(lost), versionIs(v)))
}

// removeBoth deletes chunks and pages.
func (s *Store) removeBoth(ctx context.Context, r record, which *qdrant.Filter) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.remove(ctx, r.physical, which) })
	both.Go(func() error { return s.remove(ctx, s.pages(), which) })
	return both.Wait()
}

func (s *Store) removeQuarantine(ctx context.Context, ids []*qdrant.PointId) error {
	if len(ids) == 0 {
		return nil
	}
	return s.delete(ctx, s.manifest(), qdrant.NewPointsSelectorIDs(ids))
}
