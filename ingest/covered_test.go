package ingest_test

import (
	"slices"
	"testing"

	"grounded/ingest"
)

func TestASourceKnowsWhichPartsOfItWereIngested(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.txt", "hr/b.txt", "hr/c.txt", "hr-old/d.txt"} {
		w.write(name, note)
	}
	for _, step := range []struct {
		path string // ingested
		want map[string][]string
	}{
		{"hr/b.txt", map[string][]string{"hr": {"b.txt"}}},
		{"hr/c.txt", map[string][]string{"hr": {"b.txt", "c.txt"}}},
		{"a.txt", map[string][]string{"docs": {"a.txt", "hr/b.txt", "hr/c.txt"}}},
		{"hr-old", map[string][]string{"docs": {"a.txt", "hr-old", "hr/b.txt", "hr/c.txt"}}},
		{"hr", map[string][]string{"docs": {"a.txt", "hr", "hr-old"}}},
		{"", map[string][]string{"docs": nil}},
		{"a.txt", map[string][]string{"docs": nil}},
	} {
		w.ingest(ingest.Request{Paths: []string{w.path(step.path)}})
		sources, err := w.store.Sources(t.Context(), "c")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for _, s := range sources {
			got[s.Name] = s.Paths
		}
		if len(got) != len(step.want) {
			t.Fatalf("after %q the sources are %v, want %v", step.path, got, step.want)
		}
		for name, paths := range step.want {
			if !slices.Equal(got[name], paths) {
				t.Fatalf("after %q source %s has %q, want %q", step.path, name, got[name], paths)
			}
		}
	}
}
