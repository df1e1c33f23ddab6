package qdrant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
	"grounded/store"
)

// underway is how long what is not in the manifest yet may be on its way.
const underway = 10 * time.Minute

// Inspect implements store.Store. It reads the numbers of all points of the collection, not their texts. What a
// process that is at work writes meanwhile may show as being on its way.
func (s *Store) Inspect(ctx context.Context, collection string, repair bool) ([]store.Fault, error) {
	doing := fmt.Sprintf("inspect collection %q", collection)
	if repair {
		if err := s.Recover(ctx, collection); err != nil && !errors.Is(err, corpus.ErrCorrupt) {
			return nil, err
		}
	}
	r, err := s.find(ctx, collection)
	if err != nil {
		return nil, s.fail(doing, err)
	}
	i := &inspection{store: s, record: r, repair: repair, documents: map[corpus.DocumentID]*inspected{}}
	if err := i.run(ctx); err != nil {
		return nil, s.fail(doing, err)
	}
	return i.faults, nil
}

// inspection compares the manifest of a collection with its points.
type inspection struct {
	store     *Store
	record    record
	repair    bool
	documents map[corpus.DocumentID]*inspected
	faults    []store.Fault
}

// inspected is what is found of a document.
type inspected struct {
	path    string
	version int64 // 0 if it is not in the manifest
	want    [2]int
	have    [2]int // chunks, pages of that version
	others  bool   // points of other versions
}

func (i *inspection) run(ctx context.Context) error {
	if err := i.physical(ctx); err != nil {
		return err
	}
	if err := i.readManifest(ctx); err != nil {
		return err
	}
	for kind, physical := range []string{i.record.physical, i.store.pages()} {
		err := i.store.scroll(ctx, physical, all(keyword(fieldCollection, i.record.key)), only(fieldDocument, fieldVersion), nil, func(p *qdrant.RetrievedPoint) error {
			id := corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())
			d := i.documents[id]
			if d == nil {
				d = &inspected{}
				i.documents[id] = d
			}
			if version(p.GetPayload()) == d.version {
				d.have[kind]++
			} else {
				d.others = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var suspects []corpus.DocumentID
	for id, d := range i.documents {
		if d.others || d.have != d.want {
			suspects = append(suspects, id)
		}
	}
	slices.Sort(suspects)
	for _, id := range suspects {
		if err := i.look(ctx, id); err != nil {
			return err
		}
	}
	return i.vectors(ctx)
}

// physical sees to it that there is a physical collection at all.
func (i *inspection) physical(ctx context.Context) error {
	there := false
	err := i.store.call(ctx, func(ctx context.Context) (err error) {
		there, err = i.store.client().CollectionExists(ctx, i.record.physical)
		return err
	})
	if err != nil || there {
		return err
	}
	i.add("", "", fmt.Sprintf("The server's collection %s, which has its chunks, is gone.", i.record.physical), i.repair)
	if !i.repair {
		return corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "the server's collection %s is gone", i.record.physical),
			"restore it from a snapshot, or make it anew with: grounded verify --repair   (then ingest again)")
	}
	i.store.known.set(i.record.physical, false)
	return i.store.prepareChunks(ctx, i.record)
}

func (i *inspection) add(id corpus.DocumentID, path, problem string, repaired bool) {
	i.faults = append(i.faults, store.Fault{Document: id, Path: path, Problem: problem, Repaired: repaired})
}

func (i *inspection) readManifest(ctx context.Context) error {
	entries := all(keyword(fieldCollection, i.record.key), keyword(fieldKind, kindDocument))
	return i.store.scroll(ctx, i.store.manifest(), entries, everything(), nil, func(p *qdrant.RetrievedPoint) error {
		e, err := i.record.readEntry(p.GetPayload())
		if err != nil {
			i.add(corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue()), "", "Its entry in the manifest can't be read.", false)
			return nil
		}
		d := &inspected{path: strings.Clone(e.document.Path), version: e.version, want: [2]int{e.document.ChunkCount, e.document.PageCount}}
		if e.state == stateDeleting {
			d.want = [2]int{}
			d.others = true // looked at in any case
		}
		i.documents[corpus.DocumentID(strings.Clone(string(e.document.ID)))] = d
		return nil
	})
}

// look finds out what is wrong with a document as it is now.
func (i *inspection) look(ctx context.Context, id corpus.DocumentID) error {
	s, r := i.store, i.record
	points, err := s.get(ctx, s.manifest(), everything(), nil, documentID(r.key, id))
	if err != nil {
		return err
	}
	var e entry
	if len(points) > 0 {
		if e, err = r.readEntry(points[0].GetPayload()); err != nil {
			return nil // was said
		}
	}
	path := e.document.Path
	if e.state == stateDeleting {
		i.add(id, path, "Its deletion came to no end.", false) // Recover would have finished it
		return nil
	}
	of := func(conditions ...*qdrant.Condition) *qdrant.Filter {
		return all(append(conditions, keyword(fieldCollection, r.key), ofDocuments([]corpus.DocumentID{id}))...)
	}
	young := time.Now().Add(-underway).UnixMicro()
	above, since := float64(e.version), float64(young)
	for _, leftover := range []struct {
		which   *qdrant.Filter
		problem string
		old     bool
	}{
		{of(below(fieldVersion, e.version)), "%d points of former versions are left.", true},
		{of(qdrant.NewRange(fieldVersion, &qdrant.Range{Gt: &above, Lt: &since})), "%d points belong to a write that came to no end.", true},
		{of(qdrant.NewRange(fieldVersion, &qdrant.Range{Gt: &above, Gte: &since})), "%d points are being written, or belong to a write that ended in the last minutes.", false},
	} {
		n := 0
		for _, physical := range []string{r.physical, s.pages()} {
			more, err := s.countPoints(ctx, physical, leftover.which)
			if err != nil {
				return err
			}
			n += more
		}
		if n == 0 {
			continue
		}
		mend := i.repair && leftover.old
		if mend {
			if err := s.removeBoth(ctx, r, leftover.which); err != nil {
				return err
			}
		}
		i.add(id, path, fmt.Sprintf(leftover.problem, n), mend)
	}
	if e.version == 0 {
		return nil
	}
	for _, part := range []struct {
		physical, name string
		want           int
	}{{r.physical, "chunks", e.document.ChunkCount}, {s.pages(), "pages", e.document.PageCount}} {
		have, err := s.countPoints(ctx, part.physical, of(versionIs(e.version)))
		if err != nil {
			return err
		}
		if have != part.want {
			i.add(id, path, fmt.Sprintf("It should have %d %s and has %d.", part.want, part.name, have), false)
		}
	}
	return nil
}

// vectors finds chunks that no search by meaning finds.
func (i *inspection) vectors(ctx context.Context) error {
	without := all(keyword(fieldCollection, i.record.key))
	without.MustNot = []*qdrant.Condition{qdrant.NewHasVector(vectorDense)}
	counts := map[corpus.DocumentID]int{}
	err := i.store.scroll(ctx, i.record.physical, without, only(fieldDocument), nil, func(p *qdrant.RetrievedPoint) error {
		counts[corpus.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())]++
		return nil
	})
	for id, n := range counts {
		path := ""
		if d := i.documents[id]; d != nil {
			path = d.path
		}
		i.add(id, path, fmt.Sprintf("%d chunks have no vector.", n), false)
	}
	return err
}
