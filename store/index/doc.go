// Package index searches the chunks of one collection in memory: by cosine similarity of vectors, by BM25 of
// terms, or by both. It keeps nothing on disk and knows no text: a chunk is a row number, a document number, a
// vector and terms by number, all given by the store.
//
// # For a store
//
// Terms are numbers from the collection's dictionary, which the store keeps: it needs text to number for queries
// only, and leaves out terms of a query that the dictionary has not. Numbers should be dense, from 0 or 1.
//
// The store keeps the float32 vector and the numbered terms of each row and gives them to Apply; nothing of the
// index itself has to be stored. Apply prepares its entries outside of any lock, so a store opens a large
// collection fast by reading disjoint ranges of rows on several goroutines, each calling Apply with some thousand
// entries at a time (BlockRows is a good number), and showing the Index to readers when all have returned. Slices
// in an Entry may be reused once Apply returns.
//
// Later changes go in by one Apply each (or one for many documents): readers see all of it or nothing.
package index
