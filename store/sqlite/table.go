package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync/atomic"

	"grounded/corpus"
)

// maxMetadata is the JSON of metadata, in bytes, that is kept in memory for a document. Longer ones are read
// from the file by queries whose filter asks for them.
const maxMetadata = 4096

// table has the documents of a mirror in slots; the index knows a document by its slot.
type table struct {
	slots   map[int64]int // by the document's number in the file
	entries []tableEntry
	free    []int          // slots to be used again
	classes map[string]int // index into groups by the joined groups of a document
	groups  [][]string     // distinct lists of groups; a caller's access is decided once for each
	long    map[int]int64  // slots of documents with metadata that is not in memory, to their numbers
}

type tableEntry struct {
	document corpus.Document // what filters and hits need of it
	class    int
	chunks   []int64
}

// put adds a document or replaces what is known of it, but for its chunks.
func (t *table) put(key int64, d corpus.Document, metadata string) error {
	if t.slots == nil {
		t.slots, t.classes, t.long = map[int64]int{}, map[string]int{}, map[int]int64{}
	}
	slot, there := t.slots[key]
	if !there {
		if n := len(t.free); n > 0 {
			slot, t.free = t.free[n-1], t.free[:n-1]
		} else {
			slot = len(t.entries)
			t.entries = append(t.entries, tableEntry{})
		}
		t.slots[key] = slot
	}
	delete(t.long, slot)
	switch {
	case len(metadata) > maxMetadata:
		t.long[slot] = key
	case metadata != "":
		if err := json.Unmarshal([]byte(metadata), &d.Metadata); err != nil {
			return corpus.Errorf(corpus.ErrCorrupt, "metadata of %s: %w", d.Path, err)
		}
	}
	class, known := t.classes[strings.Join(d.Groups, "\x00")]
	if !known {
		class = len(t.groups)
		t.classes[strings.Join(d.Groups, "\x00")] = class
		t.groups = append(t.groups, d.Groups)
	}
	d.Groups = nil
	e := &t.entries[slot]
	e.document, e.class = d, class
	return nil
}

func (t *table) remove(key int64) {
	slot := t.slots[key]
	delete(t.slots, key)
	delete(t.long, slot)
	t.entries[slot] = tableEntry{}
	t.free = append(t.free, slot)
}

// Verdicts on a document, 0 being none yet.
const (
	allowed uint32 = iota + 1
	hidden
)

// allow returns what tells whether a query may find chunks of the document in a slot, safe for concurrent use;
// nil if it may find all.
func (t *table) allow(ctx context.Context, tx *sql.Tx, access corpus.Access, filter corpus.Filter) (func(slot int64) bool, error) {
	open := make([]bool, len(t.groups))
	all := true
	for i, groups := range t.groups {
		open[i] = access.Allows(groups)
		all = all && open[i]
	}
	if len(filter) == 0 {
		if all {
			return nil, nil
		}
		return func(slot int64) bool { return open[t.entries[slot].class] }, nil
	}
	verdicts := make([]atomic.Uint32, len(t.entries))
	judge := func(slot int64, d corpus.Document) bool {
		verdict := hidden
		if open[t.entries[slot].class] && filter.Match(d) {
			verdict = allowed
		}
		verdicts[slot].Store(verdict)
		return verdict == allowed
	}
	for slot, key := range t.long {
		d := t.entries[slot].document
		if err := tx.QueryRowContext(ctx, "SELECT metadata FROM documents WHERE key = ?", key).Scan(jsonColumn{&d.Metadata}); err != nil {
			return nil, err
		}
		judge(int64(slot), d)
	}
	return func(slot int64) bool {
		if v := verdicts[slot].Load(); v != 0 {
			return v == allowed
		}
		return judge(slot, t.entries[slot].document)
	}, nil
}
