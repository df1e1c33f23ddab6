package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/model"
	"grounded/telemetry"
)

// Config of a Server. Zero values are the defaults.
type Config struct {
	Backend
	// Keys of those who may ask. Without any the server must listen on a loopback address, which CheckAddress sees to,
	// and whoever reaches it may do everything.
	Keys []Key
	// PublicURL is the address that clients know this server by, for the links of citations; default that of each request.
	PublicURL string
	// Origins of web pages that may call from a browser; "*" for all.
	Origins []string

	MaxBody   int64         // bytes of a request; default 16 MB
	Timeout   time.Duration // of a request in all; default 10 min
	Heartbeat time.Duration // between comments on a stream that is silent; default 10 s
	Drain     time.Duration // that /readyz tells of the end before no new request is taken; default none
	Grace     time.Duration // that answers have to finish when the server is stopped; default 30 s

	Limits Limits
	// Queue takes uploads; workers do them. It must be set.
	Queue   jobs.Queue
	Uploads jobs.Limits // of one upload
	// Evaluations is the folder that workers keep runs in.
	Evaluations string

	Log *slog.Logger // default none
	// Telemetry is told what happens; default one of the server's own, which GET /metrics shows.
	Telemetry *telemetry.Telemetry
	Now       func() time.Time
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	config  Config
	engine  *engine
	spec    *spec
	echo    *echo.Echo
	keys    atomic.Pointer[[]Key]
	limiter *limiter
	started time.Time
	metrics http.Handler
	docs    docs
	reach   *reachability

	stopping context.Context // ends when no new request is taken
	stop     context.CancelFunc
}

// New makes a server. It makes no request; the error is corpus.ErrInvalid.
func New(c Config) (*Server, error) {
	if c.Store == nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make server: there is no store")
	}
	if c.Queue == nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make server: there is no queue of jobs")
	}
	setDefault(&c.MaxBody, 16<<20)
	setDefault(&c.Timeout, 10*time.Minute)
	setDefault(&c.Heartbeat, 10*time.Second)
	setDefault(&c.Grace, 30*time.Second)
	setDefault(&c.TopK, 10)
	if c.Collection == "" {
		c.Collection = "default"
	}
	if c.Temperature == nil {
		c.Temperature = new(float64)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Telemetry == nil {
		var err error
		if c.Telemetry, err = telemetry.New(context.Background(), telemetry.Config{}); err != nil {
			return nil, err
		}
	}
	contract, err := loadSpec()
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, engine: newEngine(c.Backend, c.Telemetry), spec: contract, limiter: newLimiter(c.Limits, c.Now), started: c.Now(),
		metrics: c.Telemetry.Handler(), docs: newDocs(), reach: &reachability{now: c.Now, models: map[string]*reached{}},
	}
	s.engine.queue, s.engine.fell = s.limiter.limits.Queue, s.fell
	if err := s.gauges(); err != nil {
		return nil, err
	}
	if err := s.SetKeys(c.Keys); err != nil {
		return nil, err
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.echo = s.router()
	return s, nil
}

// fell logs that a model could not answer and another is asked.
func (s *Server) fell(from, to model.Card, err error) {
	s.config.Log.Warn("fallback", "model", from.ID, "fallback", to.ID, "error", err.Error())
}

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// SetKeys replaces the keys while the server runs. When it fails, those that were there stay.
func (s *Server) SetKeys(keys []Key) error {
	if err := CheckKeys(keys); err != nil {
		return err
	}
	if before := s.keys.Load(); before != nil && len(*before) > 0 && len(keys) == 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the last key is gone"),
			"a server with no keys is open to whoever reaches it: stop it and start it again without keys if that is meant")
	}
	s.keys.Store(&keys)
	return nil
}

// CheckAddress refuses to listen beyond this machine without keys.
func CheckAddress(address string, keys []Key) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "address %q: %w", address, err), "write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses")
	}
	if len(keys) > 0 || isLoopback(host) {
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrForbidden, "without keys the server listens on this machine only, not on %q", address),
		"make a key with `grounded keys new` and put it under serve.keys, or use 127.0.0.1")
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers requests until the context ends, and for Config.Drain more. Then no new one is taken, and those that are being answered have the
// time of Config.Grace; streams that last longer are cut off with an error on them.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	base, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      s.config.Timeout + time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return corpus.Errorf(corpus.ErrUnavailable, "serve: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	select {
	case err := <-failed:
		return corpus.Errorf(corpus.ErrUnavailable, "serve: %w", err)
	case <-time.After(s.config.Drain):
	}
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer stop()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		cut(errStopping)
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer stop()
		if err = server.Shutdown(last); errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
	}
	return err
}

var errStopping = &fault{status: http.StatusServiceUnavailable, kind: "server_error", code: "stopping", again: true,
	message: "the server is being stopped; send the request again"}
