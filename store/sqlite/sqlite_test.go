package sqlite

import (
	"path/filepath"
	"testing"

	"grounded/store"
	"grounded/store/storetest"
)

// open opens a store that the test closes at its end.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: path})
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

func TestPassesTheSuiteOfAllStores(t *testing.T) {
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "grounded.db")) },
		func(t *testing.T, s store.Store) store.Store { return open(t, s.(*Store).path) })
}
