package qdrant

import (
	"fmt"
	"testing"
	"time"

	"grounded/store/qdrant/qdranttest"
)

func TestAClusterLosesANode(t *testing.T) {
	nodes := qdranttest.StartCluster(t, 3)
	s := open(t, Config{
		Address: nodes[0].Address + "," + nodes[1].Address + ", " + nodes[2].Address, Shards: 3, Replicas: 3, WriteConsistency: 2,
		Timeout: 5 * time.Second, RetryFor: 3 * time.Minute,
	})
	create(t, s)
	for i := range 20 {
		put(t, s, fmt.Sprint(i), "first", 2)
	}
	report, err := s.Report(t.Context())
	if err != nil || len(report.Collections) != 1 || report.Collections[0].Nodes != 3 || len(report.Warnings) > 0 {
		t.Errorf("Report: %+v, %v", report, err)
	}
	nodes[0].Kill()
	if n := found(t, s, "first"); n != 40 {
		t.Errorf("without a node %d chunks are found, want 40", n)
	}
	for i := range 10 {
		put(t, s, fmt.Sprint(i), "second", 2)
	}
	if first, second := found(t, s, "first"), found(t, s, "second"); first != 20 || second != 20 {
		t.Errorf("found %d chunks of the first and %d of the second edition, want 20 each", first, second)
	}
	nodes[0].Restart()
	put(t, s, "0", "third", 2)
	if n := found(t, s, "third"); n != 2 {
		t.Errorf("after its return %d chunks are found, want 2", n)
	}
	wantSound(t, s)
}
