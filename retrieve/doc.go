// Package retrieve finds the passages that a question is about. In goes a question with its scope, mode and
// filter; out come passages, best first: found by vector, by terms or by both in the store, supported by the
// passages beside them, reranked where there is a reranker, each text once.
package retrieve
