// Package report writes what a run came to for people and programs: one HTML page that needs nothing beside itself,
// Markdown, and CSV with a row an item.
package report
