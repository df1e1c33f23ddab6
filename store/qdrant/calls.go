package qdrant

import (
	"context"

	"github.com/qdrant/go-client/qdrant"
)

// get reads points by their ids. Those that are not there are left out.
func (s *Store) get(ctx context.Context, physical string, fields *qdrant.WithPayloadSelector, vectors *qdrant.WithVectorsSelector, ids ...*qdrant.PointId) (points []*qdrant.RetrievedPoint, err error) {
	const most = 1000
	for len(ids) > 0 {
		n := min(len(ids), most)
		err := s.call(ctx, func(ctx context.Context) error {
			part, err := s.client().Get(ctx, &qdrant.GetPoints{
				CollectionName: physical, Ids: ids[:n], WithPayload: fields, WithVectors: vectors, ReadConsistency: s.read,
			})
			if err == nil {
				points = append(points, part...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return points, nil
}

// scroll passes on the points that meet a filter, in the order of their ids.
func (s *Store) scroll(ctx context.Context, physical string, filter *qdrant.Filter, fields *qdrant.WithPayloadSelector, vectors *qdrant.WithVectorsSelector, visit func(*qdrant.RetrievedPoint) error) error {
	limit := uint32(500)
	for offset := (*qdrant.PointId)(nil); ; {
		var points []*qdrant.RetrievedPoint
		var next *qdrant.PointId
		err := s.call(ctx, func(ctx context.Context) (err error) {
			points, next, err = s.client().ScrollAndOffset(ctx, &qdrant.ScrollPoints{
				CollectionName: physical, Filter: filter, Offset: offset, Limit: &limit, WithPayload: fields, WithVectors: vectors, ReadConsistency: s.read,
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range points {
			if err := visit(p); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		offset = next
	}
}

// upsert writes points and waits until they are there.
func (s *Store) upsert(ctx context.Context, request *qdrant.UpsertPoints) error {
	wait := true
	request.Wait = &wait
	return s.call(ctx, func(ctx context.Context) error {
		_, err := s.client().Upsert(ctx, request)
		return err
	})
}

// remove deletes points by a filter, and waits until they are gone.
func (s *Store) remove(ctx context.Context, physical string, filter *qdrant.Filter) error {
	return s.delete(ctx, physical, qdrant.NewPointsSelectorFilter(filter))
}

func (s *Store) delete(ctx context.Context, physical string, which *qdrant.PointsSelector) error {
	wait := true
	return s.call(ctx, func(ctx context.Context) error {
		_, err := s.client().Delete(ctx, &qdrant.DeletePoints{CollectionName: physical, Points: which, Wait: &wait, Ordering: inOrder()})
		return err
	})
}

func inOrder() *qdrant.WriteOrdering {
	return &qdrant.WriteOrdering{Type: qdrant.WriteOrderingType_Strong}
}
