package qdrant

import (
	"context"
	"fmt"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, collection string, ids ...corpus.DocumentID) error {
	doing := fmt.Sprintf("delete from collection %q", collection)
	r, err := s.find(ctx, collection)
	if err != nil {
		return s.fail(doing, ignoreMissing(err))
	}
	const most = 256
	for len(ids) > 0 {
		n := min(len(ids), most)
		if err := s.deleteSome(ctx, r, ids[:n]); err != nil {
			return s.fail(doing, err)
		}
		ids = ids[n:]
	}
	return nil
}

// deleteSome marks the documents as gone, deletes their points, and then their entries.
func (s *Store) deleteSome(ctx context.Context, r record, ids []corpus.DocumentID) error {
	have, quarantined, err := s.versions(ctx, r, ids)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		last := int64(0)
		var points []*qdrant.PointId
		var there []corpus.DocumentID
		for id, v := range have {
			last = max(last, v)
			points, there = append(points, documentID(r.key, id)), append(there, id)
		}
		v, wait := s.writer.stamp(last), true
		err := s.call(ctx, func(ctx context.Context) error {
			_, err := s.client().SetPayload(ctx, &qdrant.SetPayloadPoints{
				CollectionName: s.manifest(), Wait: &wait, Ordering: inOrder(),
				Payload:        payload{fieldState: text(stateDeleting), fieldVersion: qdrant.NewValueInt(v)},
				PointsSelector: qdrant.NewPointsSelectorFilter(all(qdrant.NewHasID(points...), below(fieldVersion, v))),
			})
			return err
		})
		if err != nil {
			return err
		}
		if err := s.finishDeletion(ctx, r, there, v); err != nil {
			return err
		}
	}
	s.counts.forget(r.key)
	return s.removeQuarantine(ctx, quarantined)
}

// finishDeletion deletes the points of documents that are marked as gone since a version, then their entries.
func (s *Store) finishDeletion(ctx context.Context, r record, ids []corpus.DocumentID, v int64) error {
	if err := s.removeBoth(ctx, r, all(keyword(fieldCollection, r.key), ofDocuments(ids), below(fieldVersion, v))); err != nil {
		return err
	}
	return s.remove(ctx, s.manifest(), all(qdrant.NewHasID(documentIDs(r, ids)...), keyword(fieldState, stateDeleting), versionIs(v)))
}

// Recover implements store.Store.
func (s *Store) Recover(ctx context.Context, collection string) error {
	doing := fmt.Sprintf("recover collection %q", collection)
	r, err := s.find(ctx, collection)
	if err != nil {
		return s.fail(doing, ignoreMissing(err))
	}
	type left struct {
		id    corpus.DocumentID
		state string
		v     int64
	}
	var entries []left
	unfinished := all(keyword(fieldCollection, r.key), keyword(fieldKind, kindDocument), qdrant.NewMatchKeywords(fieldState, stateStale, stateDeleting))
	err = s.scroll(ctx, s.manifest(), unfinished, only(fieldDocument, fieldState, fieldVersion), nil, func(p *qdrant.RetrievedPoint) error {
		of := p.GetPayload()
		entries = append(entries, left{corpus.DocumentID(of[fieldDocument].GetStringValue()), of[fieldState].GetStringValue(), version(of)})
		return nil
	})
	for _, e := range entries {
		if err != nil {
			break
		}
		if ids := []corpus.DocumentID{e.id}; e.state == stateDeleting {
			err = s.finishDeletion(ctx, r, ids, e.v)
		} else if err = s.removeStale(ctx, r, ids, e.v); err == nil {
			err = s.markClean(ctx, r, ids, e.v)
		}
	}
	return s.fail(doing, err)
}
