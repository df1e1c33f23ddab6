package qdrant

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// counts remembers how much is in collections, since each question asks for it.
type counts struct {
	mu    sync.Mutex
	byKey map[string]counted
}

type counted struct {
	documents, chunks, quarantined int
	languages                      map[string]int
	at                             time.Time
}

// countsLast is how long counts that another process may have changed are believed.
const countsLast = 2 * time.Second

func (c *counts) get(key string) (counted, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.byKey[key]
	return n, ok && time.Since(n.at) < countsLast
}

func (c *counts) put(key string, n counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]counted{}
	}
	c.byKey[key] = n
}

func (c *counts) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
}

// Collection implements store.Store.
func (s *Store) Collection(ctx context.Context, name string) (corpus.Collection, error) {
	doing := fmt.Sprintf("read collection %q", name)
	r, err := s.find(ctx, name)
	if err != nil {
		return corpus.Collection{}, s.fail(doing, err)
	}
	c, err := s.withCounts(ctx, r)
	return c, s.fail(doing, err)
}

// Collections implements store.Store.
func (s *Store) Collections(ctx context.Context) ([]corpus.Collection, error) {
	const doing = "list collections"
	records, err := s.allRecords(ctx)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	var list []corpus.Collection
	for _, r := range records {
		if r.dropping {
			continue
		}
		c, err := s.withCounts(ctx, r)
		if err != nil {
			return nil, s.fail(doing, err)
		}
		list = append(list, c)
	}
	return list, nil
}

func (s *Store) withCounts(ctx context.Context, r record) (corpus.Collection, error) {
	n, fresh := s.counts.get(r.key)
	if !fresh {
		var err error
		if n, err = s.count(ctx, r); err != nil {
			return corpus.Collection{}, err
		}
		s.counts.put(r.key, n)
	}
	c := r.collection()
	c.Documents, c.Chunks, c.Quarantined, c.Languages = n.documents, n.chunks, n.quarantined, map[string]int{}
	for language, chunks := range n.languages {
		c.Languages[language] = chunks
	}
	return c, nil
}

// count asks the manifest.
func (s *Store) count(ctx context.Context, r record) (n counted, err error) {
	n = counted{at: time.Now(), languages: map[string]int{}}
	documents := all(keyword(fieldCollection, r.key), keyword(fieldKind, kindDocument))
	documents.MustNot = []*qdrant.Condition{keyword(fieldState, stateDeleting)}
	if n.documents, err = s.countPoints(ctx, s.manifest(), documents); err != nil {
		return n, err
	}
	if n.quarantined, err = s.countPoints(ctx, s.manifest(), all(keyword(fieldCollection, r.key), keyword(fieldKind, kindQuarantine))); err != nil {
		return n, err
	}
	var hits []*qdrant.FacetHit
	exact, limit := true, uint64(1_000_000)
	err = s.call(ctx, func(ctx context.Context) (err error) {
		hits, err = s.client().Facet(ctx, &qdrant.FacetCounts{
			CollectionName: s.manifest(), Key: fieldLanguages, Filter: documents, Exact: &exact, Limit: &limit, ReadConsistency: s.read,
		})
		return err
	})
	for _, h := range hits {
		language, chunks, err := splitLanguage(h.GetValue().GetStringValue())
		if err != nil {
			return n, err
		}
		n.languages[language] += chunks * int(h.GetCount())
		n.chunks += chunks * int(h.GetCount())
	}
	return n, err
}

func (s *Store) countPoints(ctx context.Context, physical string, filter *qdrant.Filter) (n int, err error) {
	exact := true
	err = s.call(ctx, func(ctx context.Context) error {
		count, err := s.client().Count(ctx, &qdrant.CountPoints{CollectionName: physical, Filter: filter, Exact: &exact, ReadConsistency: s.read})
		n = int(count)
		return err
	})
	return n, err
}

// PutSource implements store.Store.
func (s *Store) PutSource(ctx context.Context, source corpus.Source) error {
	return s.fail(fmt.Sprintf("remember source %q", source.Name), s.putJSON(ctx, s.registry(), source.Collection, kindSource, source.Name, source))
}

// putJSON writes a point that is known by its kind and name.
func (s *Store) putJSON(ctx context.Context, physical, collection, kind, name string, value any) error {
	r, err := s.find(ctx, collection)
	if err != nil {
		return err
	}
	content, err := packed(value)
	if err != nil {
		return err
	}
	p := payload{fieldKind: text(kind), fieldCollection: text(r.key), fieldDocument: text(name), fieldJSON: content}
	point := &qdrant.PointStruct{Id: pointID(kind, r.key, name), Payload: p, Vectors: noVectors()}
	s.counts.forget(r.key)
	return s.upsert(ctx, &qdrant.UpsertPoints{CollectionName: physical, Points: []*qdrant.PointStruct{point}, Ordering: inOrder()})
}

// Sources implements store.Store.
func (s *Store) Sources(ctx context.Context, collection string) (sources []corpus.Source, err error) {
	r, err := s.find(ctx, collection)
	if err == nil {
		err = s.scroll(ctx, s.registry(), all(keyword(fieldCollection, r.key), keyword(fieldKind, kindSource)), everything(), nil, func(p *qdrant.RetrievedPoint) error {
			var source corpus.Source
			err := unpack(p.GetPayload(), fieldJSON, &source)
			source.Collection = r.name
			sources = append(sources, source)
			return err
		})
	}
	sort.Slice(sources, func(i, j int) bool { return sources[i].Name < sources[j].Name })
	return sources, s.fail("list sources of "+collection, ignoreMissing(err))
}

// DeleteSource implements store.Store.
func (s *Store) DeleteSource(ctx context.Context, collection, name string) error {
	r, err := s.find(ctx, collection)
	if err == nil {
		err = s.delete(ctx, s.registry(), qdrant.NewPointsSelector(pointID(kindSource, r.key, name)))
	}
	return s.fail(fmt.Sprintf("forget source %q", name), err)
}

// Quarantine implements store.Store.
func (s *Store) Quarantine(ctx context.Context, q corpus.Quarantined) error {
	return s.fail("quarantine "+q.Path, s.putJSON(ctx, s.manifest(), q.Collection, kindQuarantine, string(q.DocumentID), q))
}

// Quarantined implements store.Store.
func (s *Store) Quarantined(ctx context.Context, collection string) (list []corpus.Quarantined, err error) {
	r, err := s.find(ctx, collection)
	if err == nil {
		err = s.scroll(ctx, s.manifest(), all(keyword(fieldCollection, r.key), keyword(fieldKind, kindQuarantine)), everything(), nil, func(p *qdrant.RetrievedPoint) error {
			var q corpus.Quarantined
			err := unpack(p.GetPayload(), fieldJSON, &q)
			q.Collection = r.name
			list = append(list, q)
			return err
		})
	}
	sort.Slice(list, func(i, j int) bool {
		return place{list[i].Path, list[i].Source}.less(place{list[j].Path, list[j].Source})
	})
	return list, s.fail("list what is quarantined in "+collection, ignoreMissing(err))
}

// Check implements store.Store: the server answers, and has the physical collections, in working order.
func (s *Store) Check(ctx context.Context) error {
	records, err := s.allRecords(ctx)
	if err != nil {
		return s.fail("check store", err)
	}
	physical := map[string]bool{s.registry(): true, s.manifest(): true, s.pages(): true}
	for _, r := range records {
		physical[r.physical] = true
	}
	for name := range physical {
		err := s.call(ctx, func(ctx context.Context) error {
			info, err := s.client().GetCollectionInfo(ctx, name)
			if err == nil && info.GetStatus() == qdrant.CollectionStatus_Red {
				err = corpus.Errorf(corpus.ErrCorrupt, "collection %s is in a bad state: %s", name, info.GetOptimizerStatus().GetError())
			}
			return err
		})
		if err != nil {
			return s.fail("check store", err)
		}
	}
	return nil
}
