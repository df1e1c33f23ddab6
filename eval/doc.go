// Package eval measures retrieval and answers on questions with known answers: by its own datasets, metrics and
// statistics (below it), it runs models × arms × questions, keeps all that is needed to score each item again, and
// says what the documents changed and how sure that is.
//
// A score that is not defined, or whose item failed, is nil and counted in coverage; it is never 0 or NaN.
package eval
