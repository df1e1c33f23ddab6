// Package metric scores answers and rankings. Each function gives its formula and where it comes from; all are pure,
// and where a score is not defined they say so instead of giving a number.
package metric
