// Package nats is the queue of any number of machines, in NATS JetStream: a key-value bucket has the jobs, another the
// outcomes of their files, an object store the content. Every process that has the queue open keeps a copy of the jobs,
// which the server keeps up to date; a change counts when the server finds that it is made to the latest revision.
package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"grounded/corpus"
	"grounded/jobs"
)

// Config says how the server is reached and how the queue is kept. Zero values but for URL are the defaults. Whoever opens
// one queue must give the same Lease.
type Config struct {
	URL         string // of one server or, with commas, several of a cluster
	Credentials string // file with a user's JWT and key
	User        string
	Password    string
	Token       string
	CAFile      string // certificates of who has signed the server's, besides the system's
	Prefix      string // of the names of buckets; default "grounded"
	// Replicas that the servers of a cluster keep, when the buckets are made; default 1.
	Replicas int
	// MaxBytes that the content of files may take on the server, when the store is made; 0 is what the server allows.
	MaxBytes  int64
	Timeout   time.Duration // of one call; default 10 seconds
	Lease     time.Duration // how long a worker may not be heard of; default 30 seconds
	Retention time.Duration // of jobs that have ended; default jobs.DefaultRetention
	Abandoned time.Duration // after which files without a job are forgotten; default an hour
}

const (
	defaultPrefix    = "grounded"
	defaultTimeout   = 10 * time.Second
	defaultLease     = 30 * time.Second
	defaultAbandoned = time.Hour
)

// Queue is a queue on a server.
type Queue struct {
	Config
	conn     *nats.Conn
	records  jetstream.KeyValue
	outcomes jetstream.KeyValue // "JOB.INDEX"
	content  jetstream.ObjectStore
	chunks   jetstream.Stream // that the content is in
	stop     context.CancelFunc
	followed sync.WaitGroup
	// reconnected tells that the connection was made anew.
	reconnected chan struct{}

	mu      sync.Mutex
	jobs    map[string]*entry // none is changed once it is here
	seen    uint64            // revision up to which jobs are known
	changed chan struct{}     // closed, and made anew, when jobs have changed
}

var _ jobs.Queue = (*Queue)(nil)

// Open connects to the server, and makes the buckets that are not there. Errors are corpus.ErrInvalid for settings that
// can't be, corpus.ErrUnavailable for a server that does not answer, corpus.ErrForbidden for one that refuses, and
// corpus.ErrUnsupported for one without JetStream.
func Open(ctx context.Context, c Config) (*Queue, error) {
	if c.URL == "" {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "open job queue: no address of a NATS server"), "set jobs.url, as nats://localhost:4222")
	}
	if c.Lease < 0 || c.Retention < 0 || c.Abandoned < 0 || c.Timeout < 0 || c.Replicas < 0 || c.MaxBytes < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open job queue: a number or length of time is negative")
	}
	c.Lease, c.Retention = defaultTo(c.Lease, defaultLease), defaultTo(c.Retention, jobs.DefaultRetention)
	c.Abandoned, c.Timeout = defaultTo(c.Abandoned, defaultAbandoned), defaultTo(c.Timeout, defaultTimeout)
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	q := &Queue{Config: c, jobs: map[string]*entry{}, changed: make(chan struct{}), reconnected: make(chan struct{}, 1)}
	if err := q.connect(); err != nil {
		return nil, q.fail("open job queue on "+c.URL, err)
	}
	if err := q.prepare(ctx); err != nil {
		q.conn.Close()
		return nil, q.fail("open job queue on "+c.URL, err)
	}
	return q, nil
}

func (q *Queue) connect() (err error) {
	options := []nats.Option{
		nats.Name("grounded"), nats.Timeout(q.Timeout), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectHandler(func(*nats.Conn) {
			select {
			case q.reconnected <- struct{}{}:
			default:
			}
		}),
	}
	if q.Credentials != "" {
		options = append(options, nats.UserCredentials(q.Credentials))
	}
	if q.User != "" {
		options = append(options, nats.UserInfo(q.User, q.Password))
	}
	if q.Token != "" {
		options = append(options, nats.Token(q.Token))
	}
	if q.CAFile != "" {
		options = append(options, nats.RootCAs(q.CAFile))
	}
	q.conn, err = nats.Connect(q.URL, options...)
	return err
}

// prepare makes what is not there, and begins to follow the jobs.
func (q *Queue) prepare(ctx context.Context) error {
	js, err := jetstream.New(q.conn, jetstream.WithDefaultTimeout(q.Timeout))
	if err != nil {
		return err
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		return err
	}
	if q.records, err = q.bucket(ctx, js, "jobs", "jobs of grounded"); err != nil {
		return err
	}
	if q.outcomes, err = q.bucket(ctx, js, "outcomes", "what became of the files of jobs"); err != nil {
		return err
	}
	name := q.Prefix + "-uploads"
	q.content, err = js.ObjectStore(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		maxBytes := q.MaxBytes
		if maxBytes == 0 {
			maxBytes = -1
		}
		q.content, err = js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: name, Description: "files of jobs", Replicas: q.Replicas, MaxBytes: maxBytes})
		if errors.Is(err, jetstream.ErrBucketExists) {
			q.content, err = js.ObjectStore(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	if q.chunks, err = js.Stream(ctx, "OBJ_"+name); err != nil {
		return err
	}
	return q.follow(ctx)
}

// bucket opens a bucket. One that is there stays as whoever looks after the server has set it.
func (q *Queue) bucket(ctx context.Context, js jetstream.JetStream, name, description string) (jetstream.KeyValue, error) {
	name = q.Prefix + "-" + name
	kv, err := js.KeyValue(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Description: description, History: 1, Replicas: q.Replicas})
		if errors.Is(err, jetstream.ErrBucketExists) {
			kv, err = js.KeyValue(ctx, name)
		}
	}
	return kv, err
}

// Close ends the queue in this process.
func (q *Queue) Close() error {
	q.stop()
	q.followed.Wait()
	q.conn.Close()
	return nil
}

// What the server says when there is no room.
const (
	codeNoResources   jetstream.ErrorCode = 10023
	codeNoStorage     jetstream.ErrorCode = 10047
	codeStoreFailed   jetstream.ErrorCode = 10077
	codeStreamIsFull  jetstream.ErrorCode = 10122 // a stream's limit
	codeNoMemory      jetstream.ErrorCode = 10028
	codeAccountIsFull jetstream.ErrorCode = 10002
)

// fail wraps what went wrong with its kind and what to do about it. What has a kind keeps it.
func (q *Queue) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	for _, kind := range []error{corpus.ErrNotFound, corpus.ErrConflict, corpus.ErrInvalid, corpus.ErrLimit, corpus.ErrCorrupt, corpus.ErrUnavailable, context.Canceled} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	var code jetstream.ErrorCode
	var api *jetstream.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode
	}
	is := func(kinds ...error) bool {
		for _, kind := range kinds {
			if errors.Is(err, kind) {
				return true
			}
		}
		return false
	}
	kind, hint := error(nil), ""
	switch {
	case code == codeNoResources || code == codeNoStorage || code == codeStoreFailed || code == codeStreamIsFull || code == codeNoMemory || code == codeAccountIsFull,
		strings.Contains(err.Error(), "maximum bytes exceeded"):
		kind, hint = corpus.ErrFull, "give JetStream more room (max_file_store of the server, max bytes of the stream OBJ_"+q.Prefix+"-uploads), then do the same again; no job is lost"
	case is(nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrPermissionViolation):
		kind, hint = corpus.ErrForbidden, "see jobs.credentials, jobs.user and jobs.token"
	case is(jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount):
		kind, hint = corpus.ErrUnsupported, "start the NATS server with JetStream: nats-server -js"
	case is(nats.ErrTimeout, nats.ErrNoServers, nats.ErrNoResponders, nats.ErrConnectionClosed, nats.ErrConnectionReconnecting, nats.ErrDisconnected,
		nats.ErrReconnectBufExceeded, nats.ErrNoStreamResponse, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout, context.DeadlineExceeded),
		api != nil && api.Code == 503, strings.Contains(err.Error(), "connection refused"), strings.Contains(err.Error(), "no such host"):
		kind, hint = corpus.ErrUnavailable, "see that the NATS server at jobs.url runs and can be reached"
	}
	if kind == nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return corpus.Hint(corpus.Errorf(kind, "%s: %w", doing, err), hint)
}

func defaultTo(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
