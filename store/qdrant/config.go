package qdrant

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

// Kinds of quantisation.
const (
	QuantiseScalar = "scalar" // a byte for each number: a quarter of the memory
	QuantiseBinary = "binary" // a bit for each number: a thirty-second; for embeddings of 1024 dimensions and more
)

// Config says where the server is and how collections are made. Zero values are the defaults. Shards, replicas,
// quantisation, HNSW and what is on disk count when a physical collection is made; for one that is there they are
// not changed.
type Config struct {
	Address string // host:port of its gRPC, default localhost:6334; of several nodes with commas between
	APIKey  string
	TLS     bool
	CAFile  string // PEM file of the authority that signed the server's certificate; default the system's
	Prefix  string // of the names of all physical collections and aliases, default "grounded"

	Shards           int // of each physical collection; default 1, or one a node of a cluster
	Replicas         int // copies of each shard; default 1
	WriteConsistency int // replicas that must have a write before it counts; default 1
	ReadConsistency  string
	Quantisation     string  // "", QuantiseScalar or QuantiseBinary
	Oversampling     float64 // candidates by quantised vectors for each that is wanted, before rescoring; default 2
	OnDiskVectors    bool
	InMemoryPayload  bool // payload is on disk by default
	HNSWM            int  // edges of a node, default 16
	HNSWBuild        int  // candidates looked at while building, default 100
	HNSWSearch       int  // candidates looked at while searching, default 128
	Timeout          time.Duration
	RetryFor         time.Duration
	BatchPoints      int // points of one upsert, default 512
	Parallelism      int // groups of documents that are written at once, default 4
	Connections      int // to the server, default 3
}

// DefaultAddress is Qdrant's gRPC port on this machine.
const DefaultAddress = "localhost:6334"

// maxBatchBytes bounds an upsert besides its number of points.
const maxBatchBytes = 8 << 20

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (c Config) withDefaults() (Config, error) {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	if c.Address == "" {
		c.Address = DefaultAddress
	}
	if c.Prefix == "" {
		c.Prefix = "grounded"
	}
	set(&c.Replicas, 1)
	set(&c.WriteConsistency, 1)
	set(&c.HNSWM, 16)
	set(&c.HNSWBuild, 100)
	set(&c.HNSWSearch, 128)
	set(&c.BatchPoints, 512)
	set(&c.Parallelism, 4)
	set(&c.Connections, 3)
	if c.Oversampling == 0 {
		c.Oversampling = 2
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.RetryFor == 0 {
		c.RetryFor = 30 * time.Second
	}
	return c, c.check()
}

func (c Config) check() error {
	fail := func(format string, args ...any) error {
		return corpus.Errorf(corpus.ErrInvalid, "configure qdrant: "+format, args...)
	}
	for name, n := range map[string]int{
		"shards": c.Shards, "replicas": c.Replicas, "write_consistency": c.WriteConsistency, "hnsw_m": c.HNSWM, "hnsw_build": c.HNSWBuild,
		"hnsw_search": c.HNSWSearch, "batch_points": c.BatchPoints, "parallelism": c.Parallelism, "connections": c.Connections,
	} {
		if n < 0 {
			return fail("%s is %d", name, n)
		}
	}
	switch {
	case !prefixForm.MatchString(c.Prefix):
		return fail("prefix %q has other characters than letters, digits, dashes and underscores", c.Prefix)
	case c.Quantisation != "" && c.Quantisation != QuantiseScalar && c.Quantisation != QuantiseBinary:
		return fail("quantisation %q is none of scalar and binary", c.Quantisation)
	case c.Oversampling < 1:
		return fail("oversampling %v is below 1", c.Oversampling)
	case c.WriteConsistency > c.Replicas:
		return fail("write_consistency %d is more than the %d replicas", c.WriteConsistency, c.Replicas)
	case c.Timeout < 0 || c.RetryFor < 0:
		return fail("a timeout is negative")
	case c.CAFile != "" && !c.TLS:
		return fail("ca_file needs tls: true")
	}
	if _, err := c.readConsistency(); err != nil {
		return err
	}
	_, err := c.nodes()
	return err
}

// node is where one of the servers is.
type node struct {
	host string
	port int
}

// nodes reads the addresses: each host, host:port, or a URL of either.
func (c Config) nodes() (nodes []node, err error) {
	for _, address := range strings.Split(c.Address, ",") {
		bare := strings.TrimSuffix(strings.TrimSpace(address), "/")
		for _, scheme := range []string{"http://", "https://", "grpc://"} {
			bare = strings.TrimPrefix(bare, scheme)
		}
		host, port, err := net.SplitHostPort(bare)
		if err != nil {
			host, port = strings.Trim(bare, "[]"), "6334"
		}
		n, err := strconv.Atoi(port)
		if err != nil || host == "" || n < 1 || n > 65535 {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "configure qdrant: address %q is not host:port", address),
				"write the host and the port of its gRPC, such as localhost:6334; commas between those of several nodes")
		}
		nodes = append(nodes, node{host, n})
	}
	return nodes, nil
}

// readConsistency says how many replicas a read asks: a number, or majority, quorum or all; nil is one.
func (c Config) readConsistency() (*qdrant.ReadConsistency, error) {
	of := func(t qdrant.ReadConsistencyType) *qdrant.ReadConsistency {
		return &qdrant.ReadConsistency{Value: &qdrant.ReadConsistency_Type{Type: t}}
	}
	switch c.ReadConsistency {
	case "":
		return nil, nil
	case "majority":
		return of(qdrant.ReadConsistencyType_Majority), nil
	case "quorum":
		return of(qdrant.ReadConsistencyType_Quorum), nil
	case "all":
		return of(qdrant.ReadConsistencyType_All), nil
	}
	n, err := strconv.ParseUint(c.ReadConsistency, 10, 32)
	if err != nil || n == 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "configure qdrant: read_consistency %q is neither a number nor majority, quorum or all", c.ReadConsistency)
	}
	return &qdrant.ReadConsistency{Value: &qdrant.ReadConsistency_Factor{Factor: n}}, nil
}

func (c Config) tlsConfig() (*tls.Config, error) {
	if !c.TLS || c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "configure qdrant: read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, corpus.Errorf(corpus.ErrInvalid, "configure qdrant: ca_file %s has no certificate", c.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

func (c Config) String() string { return fmt.Sprintf("Qdrant at %s", c.Address) }
