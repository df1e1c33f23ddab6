package qdrant

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"grounded/corpus"
	"grounded/store"
)

// Store is a Qdrant server or cluster.
type Store struct {
	config  Config
	clients []*qdrant.Client // one a node that is named
	node    atomic.Uint32    // that calls go to, until one fails
	version string
	read    *qdrant.ReadConsistency
	records records
	seen    seen
	writer  *writer
	known   known
	counts  counts
	closing sync.RWMutex // held for reading by each call
	closed  bool
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Scorer = (*Store)(nil)
)

// The oldest server that has what is used here: updates on a condition, insertion alone.
const (
	minMajor, minMinor = 1, 17
	versionHint        = "upgrade Qdrant to version 1.17 or newer"
)

var errClosed = errors.New("the store is closed")

// Open connects to the server and makes the physical collections of the manifest and the pages, if they are not there.
// Errors are corpus.ErrUnavailable when nothing answers, corpus.ErrForbidden for a wrong key, corpus.ErrUnsupported
// for a server that is too old, corpus.ErrInvalid for a configuration that can't be.
func Open(ctx context.Context, c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	nodes, err := c.nodes()
	if err != nil {
		return nil, err
	}
	s := &Store{config: c}
	if s.read, err = c.readConsistency(); err != nil {
		return nil, err
	}
	tlsConfig, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		client, err := c.connect(n, tlsConfig)
		if err != nil {
			return nil, fmt.Errorf("open store in %s: %w", c, errors.Join(err, s.Close()))
		}
		s.clients = append(s.clients, client)
	}
	s.writer = newWriter(s)
	if err := s.prepare(ctx); err != nil {
		s.Close()
		return nil, s.fail(fmt.Sprintf("open store in %s", c), err)
	}
	return s, nil
}

// connect prepares calls to a node; none is made yet.
func (c Config) connect(n node, tlsConfig *tls.Config) (*qdrant.Client, error) {
	return qdrant.NewClient(&qdrant.Config{
		Host: n.host, Port: n.port, UseTLS: c.TLS, TLSConfig: tlsConfig, PoolSize: uint(c.Connections), SkipCompatibilityCheck: true,
		GrpcOptions: []grpc.DialOption{
			grpc.WithPerRPCCredentials(apiKey(c.APIKey)),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)),
			// A server that comes back is found at once; how long to wait for it is our own affair.
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: .2, MaxDelay: time.Second},
				MinConnectTimeout: 5 * time.Second,
			}),
		},
	})
}

// client is that of the node that calls go to.
func (s *Store) client() *qdrant.Client { return s.clients[int(s.node.Load())%len(s.clients)] }

// apiKey goes with each call, without TLS too: doctor warns of that.
type apiKey string

func (k apiKey) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if k == "" {
		return nil, nil
	}
	return map[string]string{"api-key": string(k)}, nil
}

func (apiKey) RequireTransportSecurity() bool { return false }

// prepare finds out what the server is and makes what every collection needs.
func (s *Store) prepare(ctx context.Context) error {
	err := s.call(ctx, func(ctx context.Context) error {
		reply, err := s.client().HealthCheck(ctx)
		if err == nil {
			s.version = reply.GetVersion()
		}
		return err
	})
	if err != nil {
		return err
	}
	if tooOld(s.version) {
		return corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "%s has version %s", s.config, s.version), versionHint)
	}
	for name, indexes := range map[string][]fieldIndex{s.registry(): registryIndexes(), s.manifest(): manifestIndexes(), s.pages(): pageIndexes()} {
		if err := s.ensure(ctx, name, indexes, nil); err != nil {
			return err
		}
	}
	return nil
}

func tooOld(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return false // a build of one's own
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major < minMajor || major == minMajor && minor < minMinor)
}

// enter begins a call; leave ends it.
func (s *Store) enter() (leave func(), err error) {
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return nil, corpus.Errorf(corpus.ErrUnavailable, "%s: %w", s.config, errClosed)
	}
	return s.closing.RUnlock, nil
}

// Close waits for the calls that are under way. Closing twice is allowed.
func (s *Store) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.disconnect()
}

func (s *Store) disconnect() error {
	var errs []error
	for _, client := range s.clients {
		errs = append(errs, client.Close())
	}
	return errors.Join(errs...)
}
