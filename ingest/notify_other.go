//go:build !linux

package ingest

// noNotices says why a folder's file system does not tell of changes that others make; "" where that is not known.
func noNotices(string) string { return "" }
