package telemetry

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestTheManualListsTheMetrics fails when the manual or the program has one that the other has not.
func TestTheManualListsTheMetrics(t *testing.T) {
	manual, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	told, got := map[string]bool{}, map[string]bool{}
	_, table, _ := strings.Cut(string(manual), "| metric ")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[2:] {
		for _, name := range regexp.MustCompile("`([a-z_]*[a-z])`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			told["grounded_"+name[1]] = true
		}
	}
	observer, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"http_queue_running", "http_queue_waiting", "jobs"} { // the server's
		if err := observer.Gauge(name, "", nil, func() float64 { return 0 }); err != nil {
			t.Fatal(err)
		}
	}
	described := make(chan *prometheus.Desc)
	go func() {
		observer.metrics.registry.Describe(described)
		close(described)
	}()
	for d := range described {
		if name := regexp.MustCompile(`fqName: "(grounded_[a-z_]+)"`).FindStringSubmatch(d.String()); name != nil {
			got[name[1]] = true
		}
	}
	if !maps.Equal(told, got) {
		t.Errorf("the manual lists\n%s\nthere are\n%s", strings.Join(slices.Sorted(maps.Keys(told)), "\n"), strings.Join(slices.Sorted(maps.Keys(got)), "\n"))
	}
}
