// Package stat says how sure a difference between two systems is that answered the same questions: intervals,
// tests, and what a number of questions can show at all. All that is random is drawn from a given seed, so that the
// same scores always give the same figures.
package stat
