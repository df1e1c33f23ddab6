package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"grounded/config"
	"grounded/corpus"
	"grounded/store"
	"grounded/store/qdrant"
	"grounded/store/sqlite"
)

// openStore opens a store by its kind: sqlite is the embedded one that is configured, sqlite:FILE one elsewhere, qdrant
// the server that is configured. Empty is the configured kind.
func openStore(ctx context.Context, kind string, presence presence, c config.Config) (store.Store, error) {
	if kind == "" {
		kind = cmp.Or(c.Store, config.StoreSQLite)
	}
	if kind == config.StoreQdrant {
		return qdrant.Open(ctx, qdrantConfig(c.Qdrant))
	}
	path, embedded := embeddedFile(kind, c)
	if !embedded {
		return nil, usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there is no kind of store %q", kind), "use sqlite, sqlite:FILE or qdrant")}
	}
	if _, err := os.Stat(path); presence == mustExist && errors.Is(err, fs.ErrNotExist) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "there is no store in %s yet", filepath.Dir(path)),
			"begin with: grounded ingest FOLDER   (or name the folder of a store with --data)")
	}
	return sqlite.Open(ctx, sqlite.Config{Path: path})
}

func qdrantConfig(c config.Qdrant) qdrant.Config {
	return qdrant.Config{
		Address: c.Address, APIKey: string(c.APIKey), TLS: c.TLS, CAFile: c.CAFile, Prefix: c.Prefix,
		Shards: c.Shards, Replicas: c.Replicas, WriteConsistency: c.WriteConsistency, ReadConsistency: c.ReadConsistency,
		Quantisation: c.Quantisation, Oversampling: c.Oversampling, OnDiskVectors: c.OnDiskVectors, InMemoryPayload: c.InMemoryPayload,
		HNSWM: c.HNSWM, HNSWBuild: c.HNSWBuild, HNSWSearch: c.HNSWSearch, Timeout: time.Duration(c.Timeout), RetryFor: time.Duration(c.RetryFor),
		BatchPoints: c.BatchPoints, Parallelism: c.Parallelism, Connections: c.Connections,
	}
}

// embeddedFile is the file of an embedded store; false for other kinds.
func embeddedFile(kind string, c config.Config) (path string, embedded bool) {
	if kind == config.StoreSQLite {
		return storeFile(c), true
	}
	path, embedded = strings.CutPrefix(kind, "sqlite:")
	return path, embedded && path != ""
}

// sameStore reports whether two kinds lead to one store.
func sameStore(a, b string, c config.Config) bool {
	first, isFile := embeddedFile(a, c)
	second, isFileToo := embeddedFile(b, c)
	if !isFile || !isFileToo {
		return a == b
	}
	x, err := os.Stat(first)
	if err != nil {
		return false
	}
	y, err := os.Stat(second)
	return err == nil && os.SameFile(x, y)
}
