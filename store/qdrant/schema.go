package qdrant

import (
	"context"
	"sync"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"grounded/corpus"
)

// Fields of payloads.
const (
	fieldKind       = "kind" // what a point of the manifest or the registry is
	fieldCollection = "c"    // key of its collection: the tenant
	fieldDocument   = "d"
	fieldVersion    = "v" // microseconds since 1970, or more
	fieldState      = "state"
	fieldGroups     = "g" // who may see it: everyone, or "g:" and a group
	fieldFacts      = "f" // key, a separator, value
	fieldKeys       = "k" // keys that are there
	fieldOrder      = "o" // values that have an order
	fieldInput      = "h" // of a chunk: the first eight bytes of its input's hash
	fieldChunk      = "id"
	fieldChunkUUID  = "cid"
	fieldOrdinal    = "n"
	fieldHeading    = "heading"
	fieldText       = "text"
	fieldContext    = "context"
	fieldPlace      = "place" // page_start, page_end, start, end, tokens
	fieldLanguage   = "lang"
	fieldPath       = "path"
	fieldTitle      = "title"
	fieldLabel      = "label"
	fieldJSON       = "json"
	fieldLanguages  = "langs" // language, a separator, number of the document's chunks in it
	fieldChunks     = "chunks"
	fieldPages      = "pages"
	fieldName       = "name"
	fieldKey        = "key"
	fieldPhysical   = "physical"
	fieldPathBlock  = "p" // with a number: six bytes of the path
)

// Names of the vectors of a chunk.
const (
	vectorDense  = "dense"
	vectorSparse = "text"
)

const separator = "\x1f"

// fieldIndex is a payload index.
type fieldIndex struct {
	field string
	kind  qdrant.FieldType
	param *qdrant.PayloadIndexParams
}

// What a search by meaning is filtered by, it finds along links of the graph that the server adds for it; for all else
// they would only cost.
func keywordIndex(field string, links bool) fieldIndex {
	return fieldIndex{field, qdrant.FieldType_FieldTypeKeyword, qdrant.NewPayloadIndexParamsKeyword(&qdrant.KeywordIndexParams{EnableHnsw: &links})}
}

func tenantIndex(field string) fieldIndex {
	yes := true
	return fieldIndex{field, qdrant.FieldType_FieldTypeKeyword, qdrant.NewPayloadIndexParamsKeyword(&qdrant.KeywordIndexParams{IsTenant: &yes})}
}

// integerIndex is for equality, or for ranges and order.
func integerIndex(field string, lookup, ranges bool) fieldIndex {
	links := false
	return fieldIndex{field, qdrant.FieldType_FieldTypeInteger, qdrant.NewPayloadIndexParamsInt(&qdrant.IntegerIndexParams{Lookup: &lookup, Range: &ranges, EnableHnsw: &links})}
}

// factIndexes are for filters and access.
func factIndexes() []fieldIndex {
	no := false
	indexes := []fieldIndex{
		keywordIndex(fieldGroups, true), keywordIndex(fieldFacts, true), keywordIndex(fieldKeys, false), keywordIndex(fieldOrder+"[].k", false),
		{fieldOrder + "[].n", qdrant.FieldType_FieldTypeFloat, qdrant.NewPayloadIndexParamsFloat(&qdrant.FloatIndexParams{EnableHnsw: &no})},
	}
	for _, block := range orderFields {
		indexes = append(indexes, integerIndex(fieldOrder+"[]."+block, true, true))
	}
	return indexes
}

func chunkIndexes() []fieldIndex {
	no := false
	return append(factIndexes(), tenantIndex(fieldCollection), keywordIndex(fieldDocument, false),
		integerIndex(fieldInput, true, false), fieldIndex{fieldChunkUUID, qdrant.FieldType_FieldTypeUuid, qdrant.NewPayloadIndexParamsUUID(&qdrant.UuidIndexParams{EnableHnsw: &no})})
}

func pageIndexes() []fieldIndex {
	return []fieldIndex{tenantIndex(fieldCollection), keywordIndex(fieldDocument, false)}
}

func manifestIndexes() []fieldIndex {
	indexes := append(factIndexes(), tenantIndex(fieldCollection), keywordIndex(fieldKind, false), keywordIndex(fieldState, false), keywordIndex(fieldLanguages, false))
	for level := range pathLevels {
		indexes = append(indexes, integerIndex(pathField(level), true, true))
	}
	return indexes
}

func registryIndexes() []fieldIndex {
	return []fieldIndex{keywordIndex(fieldKind, false), keywordIndex(fieldCollection, false), keywordIndex(fieldPhysical, false)}
}

// Physical collections.
func (s *Store) registry() string                 { return s.config.Prefix + "-collections" }
func (s *Store) manifest() string                 { return s.config.Prefix + "-manifest" }
func (s *Store) pages() string                    { return s.config.Prefix + "-pages" }
func (s *Store) chunks(fingerprint string) string { return s.config.Prefix + "-" + fingerprint }
func (s *Store) alias(name string) string         { return s.config.Prefix + "-of-" + name }

// known remembers the physical collections that are there with their indexes.
type known struct {
	mu    sync.Mutex
	names map[string]bool
}

func (k *known) has(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.names[name]
}

func (k *known) set(name string, there bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.names == nil {
		k.names = map[string]bool{}
	}
	k.names[name] = there
}

func (k *known) all() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, there := range k.names {
		if there {
			names = append(names, name)
		}
	}
	return names
}

// ensure makes a physical collection with its indexes, if it is not there. An embedding is for chunks.
func (s *Store) ensure(ctx context.Context, name string, indexes []fieldIndex, embedding *corpus.Embedding) error {
	if s.known.has(name) {
		return nil
	}
	var there bool
	err := s.call(ctx, func(ctx context.Context) (err error) {
		there, err = s.client().CollectionExists(ctx, name)
		return err
	})
	if err != nil {
		return err
	}
	if !there {
		err := s.callSlow(ctx, func(ctx context.Context) error {
			return s.client().CreateCollection(ctx, s.definition(name, embedding))
		})
		if state, ok := statusOf(err); err != nil && (!ok || state.Code() != codes.AlreadyExists && state.Code() != codes.InvalidArgument || !s.exists(ctx, name)) {
			return err
		}
	}
	if err := s.index(ctx, name, indexes); err != nil {
		return err
	}
	s.known.set(name, true)
	return nil
}

func (s *Store) exists(ctx context.Context, name string) bool {
	there := false
	err := s.call(ctx, func(ctx context.Context) (err error) {
		there, err = s.client().CollectionExists(ctx, name)
		return err
	})
	return err == nil && there
}

// index makes those indexes that are not there.
func (s *Store) index(ctx context.Context, name string, indexes []fieldIndex) error {
	var have map[string]*qdrant.PayloadSchemaInfo
	err := s.call(ctx, func(ctx context.Context) error {
		info, err := s.client().GetCollectionInfo(ctx, name)
		have = info.GetPayloadSchema()
		return err
	})
	if err != nil {
		return err
	}
	var missing []fieldIndex
	for _, x := range indexes {
		if have[x.field] == nil {
			missing = append(missing, x)
		}
	}
	for i, x := range missing {
		wait := i == len(missing)-1 // they are made in order
		err := s.callSlow(ctx, func(ctx context.Context) error {
			_, err := s.client().CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{
				CollectionName: name, Wait: &wait, FieldName: x.field, FieldType: &x.kind, FieldIndexParams: x.param,
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// definition is what a physical collection is created with.
func (s *Store) definition(name string, embedding *corpus.Embedding) *qdrant.CreateCollection {
	c := s.config
	number := func(n int) *uint32 { u := uint32(n); return &u }
	onDisk, strict := !c.InMemoryPayload, false
	d := &qdrant.CreateCollection{
		CollectionName: name, OnDiskPayload: &onDisk, ReplicationFactor: number(c.Replicas), WriteConsistencyFactor: number(c.WriteConsistency),
		VectorsConfig: qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{}),
		// Versions are filtered without an index, among the points of a few documents.
		StrictModeConfig: &qdrant.StrictModeConfig{Enabled: &strict},
	}
	switch {
	case name == s.registry():
		d.ShardNumber = number(1) // so that two of its records change at once
	case c.Shards > 0:
		d.ShardNumber = number(c.Shards)
	}
	if embedding == nil {
		return d
	}
	m, build := uint64(c.HNSWM), uint64(c.HNSWBuild)
	d.VectorsConfig = qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{vectorDense: {
		Size: uint64(embedding.Dimensions), Distance: qdrant.Distance_Dot, OnDisk: &c.OnDiskVectors,
		HnswConfig: &qdrant.HnswConfigDiff{M: &m, EfConstruct: &build},
	}})
	d.SparseVectorsConfig = qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{vectorSparse: {
		Modifier: qdrant.Modifier_Idf.Enum(), Index: &qdrant.SparseIndexConfig{OnDisk: &c.OnDiskVectors},
	}})
	inMemory := true
	switch c.Quantisation {
	case QuantiseScalar:
		d.QuantizationConfig = qdrant.NewQuantizationScalar(&qdrant.ScalarQuantization{Type: qdrant.QuantizationType_Int8, AlwaysRam: &inMemory})
	case QuantiseBinary:
		d.QuantizationConfig = qdrant.NewQuantizationBinary(&qdrant.BinaryQuantization{AlwaysRam: &inMemory})
	}
	return d
}
