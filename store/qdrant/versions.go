package qdrant

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// seen remembers the versions of documents that were found in the manifest. The points of a former version are there
// for a moment after a document was switched over, or until Recover if the writer was ended then: for as long as a
// version is believed, they may be found.
type seen struct {
	mu       sync.Mutex
	versions map[string]sighting
}

type sighting struct {
	version int64
	at      time.Time
}

func (c *seen) get(key string, d corpus.DocumentID) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.versions[key+string(d)]
	if !ok || time.Since(s.at) > seenLasts {
		return 0
	}
	return s.version
}

// put remembers a version; 0 forgets it.
func (c *seen) put(key string, d corpus.DocumentID, v int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v == 0 {
		delete(c.versions, key+string(d))
		return
	}
	if c.versions == nil || len(c.versions) >= maxSeen {
		c.versions = map[string]sighting{}
	}
	c.versions[key+string(d)] = sighting{v, time.Now()}
}

// believe returns the points whose version is their document's. again says that a document was switched over while
// the search ran, which may have missed some of it.
func (s *Store) believe(ctx context.Context, r record, points []*qdrant.ScoredPoint) (live []*qdrant.ScoredPoint, again bool, err error) {
	versions := map[corpus.DocumentID][]int64{}
	for _, p := range points {
		d, v := corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue()), version(p.GetPayload())
		if !slices.Contains(versions[d], v) {
			versions[d] = append(versions[d], v)
		}
	}
	current, unsure := map[corpus.DocumentID]int64{}, []corpus.DocumentID(nil)
	for d, found := range versions {
		if v := s.seen.get(r.key, d); len(found) == 1 && found[0] == v {
			current[d] = v
		} else {
			unsure = append(unsure, d)
		}
	}
	if len(unsure) > 0 {
		have, err := s.liveVersions(ctx, r, unsure)
		if err != nil {
			return nil, false, err
		}
		for _, d := range unsure {
			current[d] = have[d]
			s.seen.put(r.key, d, have[d])
			again = again || have[d] > slices.Min(versions[d])
		}
	}
	for _, p := range points {
		if version(p.GetPayload()) == current[corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())] {
			live = append(live, p)
		}
	}
	return live, again, nil
}

// liveVersions reads those of documents that are in the manifest and not being deleted.
func (s *Store) liveVersions(ctx context.Context, r record, ids []corpus.DocumentID) (map[corpus.DocumentID]int64, error) {
	found, err := s.get(ctx, s.manifest(), only(fieldDocument, fieldVersion, fieldState), nil, documentIDs(r, ids)...)
	have := map[corpus.DocumentID]int64{}
	for _, p := range found {
		if p.GetPayload()[fieldState].GetStringValue() != stateDeleting {
			have[corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())] = version(p.GetPayload())
		}
	}
	return have, err
}
