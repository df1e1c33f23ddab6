// Package index searches the chunks of one collection in memory: by cosine similarity of vectors, by BM25 of
// terms, or by both. It keeps nothing on disk and knows no text: a chunk is a row number, a document number, a
// vector and terms by number, all given by the store.
//
// An index is a list of immutable segments, each of at most 32,768 rows, and of which of their rows are dead. A
// change makes a new list; a search works on the one it found. Small segments are merged into larger ones as they
// become many. A segment keeps of each row
//
//   - its vector as integers of 24 bits, in two parts (quantise.go): 8 bits, which dense search scans
//     (internal/kernel), and 16 more, with which the best are scored again as exactly as float32 would;
//   - its terms in postings of 3 bytes, which lexical search adds up a term at a time and skips where they can't
//     matter (lexical.go).
//
// That is 3 bytes a dimension, 3 a term and some 50 a row. Document frequencies and lengths are those of the live
// rows, so that scores depend on what is stored and not on how it came there.
//
// # For a store
//
// Terms are numbers from the collection's dictionary, which the store keeps: it needs text to number for queries
// only, and leaves out terms of a query that the dictionary has not. Numbers should be dense, from 0 or 1.
//
// The store keeps the float32 vector and the numbered terms of each row and gives them to Apply; nothing of the
// index itself has to be stored. Apply prepares its entries outside of any lock, so a store opens a large
// collection fast by reading disjoint ranges of rows on several goroutines, each calling Apply with some thousand
// entries at a time (BlockRows makes a segment that need not be merged), and showing the Index to readers when all
// have returned. Slices in an Entry may be reused once Apply returns.
//
// Later changes go in by one Apply each (or one for many documents): readers see all of it or nothing.
package index
