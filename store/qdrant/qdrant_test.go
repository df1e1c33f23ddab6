package qdrant

import (
	"context"
	"testing"

	"grounded/store"
	"grounded/store/qdrant/qdranttest"
	"grounded/store/storetest"
)

// open opens a store that the test closes at its end.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// fresh opens a store with nothing in it, on a server that others may use.
func fresh(t testing.TB, address string) *Store {
	t.Helper()
	s := open(t, Config{Address: address, Prefix: "test-" + newKey()})
	t.Cleanup(func() { wipe(t, s.config) })
	return s
}

// wipe deletes all that is of a prefix.
func wipe(t testing.TB, c Config) {
	t.Helper()
	ctx := context.Background() // that of the test has ended
	s, err := Open(ctx, c)
	if err != nil {
		t.Errorf("Open to wipe: %v", err)
		return
	}
	defer s.Close()
	names, err := s.client().ListCollections(ctx)
	if err != nil {
		t.Errorf("list collections: %v", err)
	}
	for _, name := range names {
		if len(name) > len(c.Prefix) && name[:len(c.Prefix)+1] == c.Prefix+"-" {
			if err := s.client().DeleteCollection(ctx, name); err != nil {
				t.Errorf("delete %s: %v", name, err)
			}
		}
	}
}

func TestPassesTheSuiteOfAllStores(t *testing.T) {
	address := qdranttest.Address(t)
	storetest.Run(t,
		func(t *testing.T) store.Store { return fresh(t, address) },
		func(t *testing.T, s store.Store) store.Store { return open(t, s.(*Store).config) })
}
