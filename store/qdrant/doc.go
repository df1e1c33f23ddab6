// Package qdrant keeps collections in a Qdrant server or cluster, for more than one machine: what processes share is
// in Qdrant alone. It implements store.Store.
//
// Collections of one embedding fingerprint share a physical collection, behind an alias for each; the collection is
// the tenant of its points. A second physical collection has the manifest (collections, documents, sources,
// quarantine), a third the pages.
//
// Qdrant has no transactions. So every write of a document is a version of it: first the points of the new version
// are put in, then its entry in the manifest is switched over, if no later version is there already, then the points
// of earlier versions are deleted. A reader believes points whose version is the manifest's, which it remembers, and
// looks again when a document was switched over meanwhile. What a process that was ended has left half done is
// finished by Recover, by the next write of that document, or by Inspect.
package qdrant
