package qdrant

import (
	"strings"
	"testing"

	"grounded/store/qdrant/qdranttest"
)

func TestWhatDoesNotFitIsWarnedOf(t *testing.T) {
	small := Physical{Name: "x", Points: 1000, Dimensions: 384, Shards: 1, Replicas: 1, Nodes: 1, State: "green"}
	with := func(change func(*Physical)) Physical { p := small; change(&p); return p }
	for _, c := range []struct {
		name   string
		p      Physical
		config Config
		want   []string
	}{
		{"small", small, Config{WriteConsistency: 1}, nil},
		{"large", with(func(p *Physical) { p.Points = 2_000_000; p.Dimensions = 1024 }), Config{}, []string{"no quantisation", "one replica"}},
		{"large, quantised and replicated", with(func(p *Physical) {
			p.Points, p.Dimensions, p.Quantisation, p.Replicas, p.Nodes = 2_000_000, 1024, QuantiseBinary, 3, 3
		}), Config{Quantisation: QuantiseBinary, WriteConsistency: 2}, nil},
		{"binary of few dimensions", with(func(p *Physical) { p.Quantisation = QuantiseBinary }), Config{Quantisation: QuantiseBinary}, []string{"loses recall"}},
		{"one replica in a cluster", with(func(p *Physical) { p.Nodes = 3 }), Config{}, []string{"takes its shards with it"}},
		{"weak writes", with(func(p *Physical) { p.Nodes, p.Replicas = 3, 3 }), Config{WriteConsistency: 1}, []string{"lost with a node"}},
		{"other than configured", small, Config{Quantisation: QuantiseScalar}, []string{"the configuration says"}},
		{"full shards", with(func(p *Physical) { p.Points, p.Dimensions, p.Replicas, p.Nodes = 50_000_000, 8, 2, 2 }), Config{WriteConsistency: 2}, []string{"chunks a shard"}},
		{"in a bad state", with(func(p *Physical) { p.State = "red" }), Config{}, []string{"is red"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Report
			r.judge(c.p, c.config)
			if len(r.Warnings) != len(c.want) {
				t.Fatalf("got %+v, want %q", r.Warnings, c.want)
			}
			for i, w := range r.Warnings {
				if !strings.Contains(w.Text, c.want[i]) || w.Hint == "" {
					t.Errorf("got %+v, want one with %q and a hint", w, c.want[i])
				}
			}
		})
	}
}

func TestReportOfAServer(t *testing.T) {
	address := qdranttest.Address(t)
	first := fresh(t, address)
	config := first.config
	config.Quantisation, config.OnDiskVectors, config.ReadConsistency, config.Shards = QuantiseScalar, true, "majority", 2
	s := open(t, config)
	create(t, s)
	put(t, s, "x", "first", 5)
	if n := found(t, s, "first"); n != 5 {
		t.Errorf("found %d chunks, want 5", n)
	}
	r, err := s.Report(t.Context())
	if err != nil || len(r.Collections) != 1 || r.Version == "" || len(r.Warnings) != 0 {
		t.Fatalf("Report: %+v, %v", r, err)
	}
	if p := r.Collections[0]; p.Points != 5 || p.Dimensions != 4 || p.Shards != 2 || p.Replicas != 1 || p.Quantisation != QuantiseScalar || p.Nodes != 1 {
		t.Errorf("got %+v", p)
	}
}
