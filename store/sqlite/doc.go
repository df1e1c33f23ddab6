// Package sqlite keeps collections in one SQLite file, with nothing to install: it implements store.Store.
//
// The file is the truth. Documents, pages, chunks, vectors and terms go in by transactions of one writer
// (writer.go), which puts the writes that wait at the same time into one transaction, so that many small
// documents cost few syncs to disk. What searches is in memory (store/index), built from the file when a
// collection is first searched and brought up to date before each query (mirror.go): each transaction moves a
// collection's sequence number and marks the documents that it wrote with it, so whatever this process or
// another one has committed is found by the next query.
//
// A collection's number stays with what is in it; Swap exchanges names. Under one name the sequence number only
// rises, so that it alone tells which of two states is the later.
//
// Rows and documents are numbered inside their collection (schema.go), so that a collection is one range of
// each table. The row number of a chunk stands for one vector and one list of terms for good.
package sqlite
