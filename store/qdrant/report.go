package qdrant

import (
	"context"
	"fmt"
	"net"
	"sort"
	"strings"

	"github.com/qdrant/go-client/qdrant"
)

// Physical is a collection of the server that has chunks.
type Physical struct {
	Name         string
	Points       int
	Dimensions   int
	Shards       int
	Replicas     int
	Quantisation string // "" for none
	Nodes        int    // that have shards of it
	State        string // green; yellow while it is optimised; grey before; red when it can't be
}

// Warning is something about a server that does not fit, and what to do.
type Warning struct {
	Text string
	Hint string
}

// Report is what a server has, for doctor.
type Report struct {
	Version     string
	Collections []Physical
	Warnings    []Warning
}

const (
	// quantiseFrom is the number of bytes of vectors in memory from which they had better be quantised.
	quantiseFrom = 4 << 30
	// replicateFrom is the number of chunks from which one copy is a risk on one node too.
	replicateFrom = 1_000_000
	// shardPoints is how many a shard should not be far above.
	shardPoints = 20_000_000
	// binaryDimensions are the least for which a bit a number is enough.
	binaryDimensions = 1024
)

// Report asks the server what it is and has, and compares it with the configuration.
func (s *Store) Report(ctx context.Context) (Report, error) {
	report := Report{Version: s.version}
	records, err := s.allRecords(ctx)
	if err != nil {
		return report, s.fail("look at the server", err)
	}
	names := map[string]bool{}
	for _, r := range records {
		names[r.physical] = true
	}
	if s.config.APIKey != "" && !s.config.TLS && !s.isLocal() {
		report.warn("the API key is sent without encryption", "set qdrant.tls: true")
	}
	for name := range names {
		p, err := s.physical(ctx, name)
		if err != nil {
			return report, s.fail("look at the server's collection "+name, err)
		}
		report.Collections = append(report.Collections, p)
	}
	sort.Slice(report.Collections, func(i, j int) bool { return report.Collections[i].Name < report.Collections[j].Name })
	for _, p := range report.Collections {
		report.judge(p, s.config)
	}
	return report, nil
}

// String says where it is.
func (s *Store) String() string { return s.config.String() }

func (r *Report) warn(text, hint string) { r.Warnings = append(r.Warnings, Warning{text, hint}) }

// judge warns of what does not fit.
func (r *Report) judge(p Physical, c Config) {
	const anew = "; `grounded reindex` makes the collection anew with it"
	bytes := int64(p.Points) * int64(p.Dimensions) * 4
	switch {
	case p.Quantisation == "" && bytes > quantiseFrom:
		r.warn(fmt.Sprintf("%s has %.1f GB of vectors and no quantisation", p.Name, float64(bytes)/1e9), "set qdrant.quantisation: scalar"+anew)
	case p.Quantisation == QuantiseBinary && p.Dimensions < binaryDimensions:
		r.warn(fmt.Sprintf("%s has binary quantisation of %d dimensions, which loses recall", p.Name, p.Dimensions), "set qdrant.quantisation: scalar"+anew)
	case p.Quantisation != c.Quantisation:
		r.warn(fmt.Sprintf("%s has quantisation %q, the configuration says %q", p.Name, p.Quantisation, c.Quantisation), "change the configuration, or make the collection anew with: grounded reindex")
	}
	switch {
	case p.Replicas == 1 && p.Nodes > 1:
		r.warn(p.Name+" has one replica: a node that fails takes its shards with it", "set qdrant.replicas: 2"+anew)
	case p.Replicas == 1 && p.Points >= replicateFrom:
		r.warn(fmt.Sprintf("%s has %d chunks and one replica", p.Name, p.Points), "take snapshots, or run a cluster with qdrant.replicas: 2 (docs/scale.md)")
	case p.Replicas > 1 && c.WriteConsistency <= p.Replicas/2:
		r.warn(fmt.Sprintf("a write counts when %d of %d replicas have it: it may be lost with a node", c.WriteConsistency, p.Replicas),
			fmt.Sprintf("set qdrant.write_consistency: %d", p.Replicas/2+1))
	}
	if p.Shards > 0 && p.Points/p.Shards > shardPoints {
		r.warn(fmt.Sprintf("%s has %d chunks a shard", p.Name, p.Points/p.Shards), "set qdrant.shards higher"+anew)
	}
	if p.State == "red" || p.State == "grey" {
		r.warn(fmt.Sprintf("%s is %s", p.Name, p.State), "see the server's log: it does not optimise the collection, and searches become slow")
	}
}

func (s *Store) isLocal() bool {
	nodes, err := s.config.nodes()
	for _, n := range nodes {
		ip := net.ParseIP(n.host)
		if n.host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return err == nil
}

func (s *Store) physical(ctx context.Context, name string) (Physical, error) {
	p := Physical{Name: name}
	var info *qdrant.CollectionInfo
	var cluster *qdrant.CollectionClusterInfoResponse
	err := s.call(ctx, func(ctx context.Context) (err error) {
		if info, err = s.client().GetCollectionInfo(ctx, name); err != nil {
			return err
		}
		cluster, err = s.client().GetCollectionClusterInfo(ctx, name)
		return err
	})
	if err != nil {
		return p, err
	}
	params := info.GetConfig().GetParams()
	p.Points, p.Shards, p.Replicas = int(info.GetPointsCount()), int(params.GetShardNumber()), int(params.GetReplicationFactor())
	p.State = strings.ToLower(info.GetStatus().String())
	p.Dimensions = int(params.GetVectorsConfig().GetParamsMap().GetMap()[vectorDense].GetSize())
	switch q := info.GetConfig().GetQuantizationConfig(); {
	case q.GetScalar() != nil:
		p.Quantisation = QuantiseScalar
	case q.GetBinary() != nil:
		p.Quantisation = QuantiseBinary
	case q != nil:
		p.Quantisation = "other"
	}
	nodes := map[uint64]bool{cluster.GetPeerId(): true}
	for _, shard := range cluster.GetRemoteShards() {
		nodes[shard.GetPeerId()] = true
	}
	p.Nodes = len(nodes)
	return p, nil
}
