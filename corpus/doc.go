// Package corpus has the nouns of grounded as plain structs: documents, pages, chunks, passages, citations,
// answers, collections; how their ids are derived; and the kinds of error. Every other package imports it; it
// imports only the standard library.
package corpus
