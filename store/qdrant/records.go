package qdrant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// Kinds of points of the registry and the manifest.
const (
	kindCollection = "collection"
	kindSource     = "source"
	kindDocument   = "document"
	kindQuarantine = "quarantine"
)

// stateDropping is that of a collection of which something may be left.
const stateDropping = "dropping"

// record is a collection in the registry.
type record struct {
	name      string
	key       string // of its points; another one when it is dropped and made anew
	physical  string // where its chunks are
	embedding corpus.Embedding
	created   time.Time
	dropping  bool
	read      time.Time // when it was so
}

func recordID(name string) *qdrant.PointId { return pointID(kindCollection, name) }

func newKey() string { return rand.Text()[:16] }

func (r record) point() (*qdrant.PointStruct, error) {
	embedding, err := packed(r.embedding)
	if err != nil {
		return nil, err
	}
	p := payload{
		fieldKind: text(kindCollection), fieldName: text(r.name), fieldKey: text(r.key), fieldPhysical: text(r.physical),
		fieldJSON: embedding, "created": text(r.created.UTC().Format(time.RFC3339Nano)),
	}
	if r.dropping {
		p[fieldState] = text(stateDropping)
	}
	return &qdrant.PointStruct{Id: recordID(r.name), Payload: p, Vectors: noVectors()}, nil
}

func noVectors() *qdrant.Vectors { return qdrant.NewVectorsMap(map[string]*qdrant.Vector{}) }

func readRecord(p payload) (record, error) {
	r := record{
		name: p[fieldName].GetStringValue(), key: p[fieldKey].GetStringValue(), physical: p[fieldPhysical].GetStringValue(),
		dropping: p[fieldState].GetStringValue() == stateDropping,
	}
	if err := unpack(p, fieldJSON, &r.embedding); err != nil {
		return record{}, err
	}
	created, err := time.Parse(time.RFC3339Nano, p["created"].GetStringValue())
	if err != nil {
		return record{}, corpus.Errorf(corpus.ErrCorrupt, "read collection %s: %w", r.name, err)
	}
	r.created = created
	return r, nil
}

func (r record) collection() corpus.Collection {
	return corpus.Collection{Name: r.name, Embedding: r.embedding, CreatedAt: r.created}
}

// records remembers collections for searches, which see in the same moment whether they are still so.
type records struct {
	mu     sync.Mutex
	byName map[string]record
}

func (c *records) get(name string) (record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.byName[name]
	return r, ok
}

func (c *records) put(r record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = map[string]record{}
	}
	r.read = time.Now()
	c.byName[r.name] = r
}

func (c *records) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byName, name)
}

// find reads a collection's record, or fails with corpus.ErrNotFound.
func (s *Store) find(ctx context.Context, name string) (record, error) {
	r, err := s.findAny(ctx, name)
	if err == nil && r.dropping {
		err = noCollection(name)
	}
	if err != nil {
		s.records.forget(name)
		return record{}, err
	}
	s.records.put(r)
	return r, nil
}

// recordLasts is how long what is remembered of a collection is good enough to read a document by. If it was exchanged
// meanwhile, the document is read as it was then.
const recordLasts = time.Second

// near is find, or what it returned a moment ago.
func (s *Store) near(ctx context.Context, name string) (record, error) {
	if r, known := s.records.get(name); known && time.Since(r.read) < recordLasts {
		return r, nil
	}
	return s.find(ctx, name)
}

// findAny also returns one that is being dropped.
func (s *Store) findAny(ctx context.Context, name string) (record, error) {
	points, err := s.get(ctx, s.registry(), everything(), nil, recordID(name))
	if err != nil {
		return record{}, err
	}
	if len(points) == 0 {
		return record{}, noCollection(name)
	}
	return readRecord(points[0].GetPayload())
}

func noCollection(name string) error {
	return corpus.Errorf(corpus.ErrNotFound, "there is no collection %q", name)
}

// allRecords reads the registry, sorted by name.
func (s *Store) allRecords(ctx context.Context) (records []record, err error) {
	err = s.scroll(ctx, s.registry(), all(keyword(fieldKind, kindCollection)), everything(), nil, func(p *qdrant.RetrievedPoint) error {
		r, err := readRecord(p.GetPayload())
		records = append(records, r)
		return err
	})
	sort.Slice(records, func(i, j int) bool { return records[i].name < records[j].name })
	return records, err
}

// CreateCollection implements store.Store.
func (s *Store) CreateCollection(ctx context.Context, c corpus.Collection) error {
	doing := fmt.Sprintf("create collection %q", c.Name)
	return s.fail(doing, s.create(ctx, c))
}

func (s *Store) create(ctx context.Context, c corpus.Collection) error {
	if err := corpus.CheckStoredName(c.Name); err != nil {
		return err
	}
	if c.Embedding.Dimensions <= 0 {
		return corpus.Errorf(corpus.ErrInvalid, "its embedding has %d dimensions", c.Embedding.Dimensions)
	}
	for range 3 {
		have, err := s.findAny(ctx, c.Name)
		switch {
		case errors.Is(err, corpus.ErrNotFound):
			if err := s.insert(ctx, c); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case have.dropping:
			if err := s.drop(ctx, have); err != nil {
				return err
			}
			continue
		}
		if have.embedding != c.Embedding {
			return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "its embedding is %s (%s), not %s (%s)",
				have.embedding.Model, have.embedding.Fingerprint(), c.Embedding.Model, c.Embedding.Fingerprint()),
				"use the same model, another collection, or embed it anew with: grounded reindex")
		}
		s.known.set(have.physical, false)
		return s.prepareChunks(ctx, have)
	}
	return corpus.Errorf(corpus.ErrConflict, "others drop it at the same time")
}

// prepareChunks makes sure of where a collection's chunks are, and of its alias.
func (s *Store) prepareChunks(ctx context.Context, r record) error {
	if err := s.ensure(ctx, r.physical, chunkIndexes(), &r.embedding); err != nil {
		return err
	}
	return s.point(ctx, r)
}

// insert puts in the record of a new collection, if there is none of its name by then.
func (s *Store) insert(ctx context.Context, c corpus.Collection) error {
	r := record{
		name: c.Name, key: newKey(), physical: s.chunks(c.Embedding.Fingerprint()), embedding: c.Embedding,
		created: c.CreatedAt,
	}
	if r.created.IsZero() {
		r.created = time.Now().UTC()
	}
	if err := s.ensure(ctx, r.physical, chunkIndexes(), &r.embedding); err != nil {
		return err
	}
	point, err := r.point()
	if err != nil {
		return err
	}
	return s.upsert(ctx, &qdrant.UpsertPoints{
		CollectionName: s.registry(), Points: []*qdrant.PointStruct{point}, UpdateMode: qdrant.UpdateMode_InsertOnly.Enum(), Ordering: inOrder(),
	})
}

// point makes the alias of a collection, or moves it to where its chunks are.
func (s *Store) point(ctx context.Context, records ...record) error {
	var actions []*qdrant.AliasOperations
	have := map[string]string{}
	err := s.call(ctx, func(ctx context.Context) error {
		aliases, err := s.client().ListAliases(ctx)
		for _, a := range aliases {
			have[a.GetAliasName()] = a.GetCollectionName()
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range records {
		alias := s.alias(r.name)
		if have[alias] == r.physical {
			continue
		}
		if have[alias] != "" {
			actions = append(actions, qdrant.NewAliasDelete(alias))
		}
		actions = append(actions, qdrant.NewAliasCreate(alias, r.physical))
	}
	if len(actions) == 0 {
		return nil
	}
	return s.callSlow(ctx, func(ctx context.Context) error { return s.client().UpdateAliases(ctx, actions) })
}

// DropCollection implements store.Store.
func (s *Store) DropCollection(ctx context.Context, name string) error {
	doing := fmt.Sprintf("drop collection %q", name)
	r, err := s.find(ctx, name)
	if err != nil {
		return s.fail(doing, err)
	}
	r.dropping = true
	point, err := r.point()
	if err == nil {
		err = s.upsert(ctx, &qdrant.UpsertPoints{CollectionName: s.registry(), Points: []*qdrant.PointStruct{point}, Ordering: inOrder()})
	}
	if err == nil {
		s.records.forget(name)
		err = s.drop(ctx, r)
	}
	return s.fail(doing, err)
}

// drop removes what a collection has, its record last. A physical collection without others goes too.
func (s *Store) drop(ctx context.Context, r record) error {
	err := s.callSlow(ctx, func(ctx context.Context) error { return s.client().DeleteAlias(ctx, s.alias(r.name)) })
	if err != nil && !isMissing(err) {
		return err
	}
	others, err := s.users(ctx, r.physical, r.name)
	if err != nil {
		return err
	}
	if others == 0 {
		err := s.callSlow(ctx, func(ctx context.Context) error { return s.client().DeleteCollection(ctx, r.physical) })
		if err != nil && !isMissing(err) {
			return err
		}
		s.known.set(r.physical, false)
	} else if err := s.remove(ctx, r.physical, all(keyword(fieldCollection, r.key))); err != nil && !isMissing(err) {
		return err
	}
	for _, physical := range []string{s.pages(), s.manifest(), s.registry()} {
		if err := s.remove(ctx, physical, all(keyword(fieldCollection, r.key))); err != nil {
			return err
		}
	}
	gone := all(qdrant.NewHasID(recordID(r.name)), keyword(fieldKey, r.key))
	if err := s.remove(ctx, s.registry(), gone); err != nil {
		return err
	}
	s.counts.forget(r.key)
	if others > 0 {
		return nil
	}
	// Another process may have made a collection there meanwhile.
	list, err := s.allRecords(ctx)
	for _, other := range list {
		if err == nil && other.physical == r.physical && !other.dropping {
			err = s.ensure(ctx, other.physical, chunkIndexes(), &other.embedding)
		}
	}
	return err
}

// users counts the collections but one whose chunks are in a physical one.
func (s *Store) users(ctx context.Context, physical, but string) (int, error) {
	list, err := s.allRecords(ctx)
	n := 0
	for _, r := range list {
		if r.physical == physical && r.name != but {
			n++
		}
	}
	return n, err
}

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, a, b string) error {
	doing := fmt.Sprintf("swap collections %q and %q", a, b)
	if a == b {
		return s.fail(doing, corpus.Errorf(corpus.ErrInvalid, "they are the same collection"))
	}
	first, err := s.find(ctx, a)
	if err != nil {
		return s.fail(doing, err)
	}
	second, err := s.find(ctx, b)
	if err != nil {
		return s.fail(doing, err)
	}
	first.name, second.name = second.name, first.name
	var points []*qdrant.PointStruct
	for _, r := range []record{first, second} {
		point, err := r.point()
		if err != nil {
			return s.fail(doing, err)
		}
		points = append(points, point)
	}
	if err := s.upsert(ctx, &qdrant.UpsertPoints{CollectionName: s.registry(), Points: points, Ordering: inOrder()}); err != nil {
		return s.fail(doing, err)
	}
	s.records.forget(a)
	s.records.forget(b)
	return s.fail(doing, s.point(ctx, first, second))
}
