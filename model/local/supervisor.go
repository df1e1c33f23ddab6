// Package local runs the models whose catalog entry has a command: it starts a model's server when it is first needed
// on a free port of 127.0.0.1, waits until it is healthy, starts it again when it has died, and stops it with us. Each
// process of grounded has its own servers. It also finds out which models this machine can use at once.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/model"
)

// Config of a Supervisor. Its zero value works.
type Config struct {
	Venv    string        // what {venv} stands for; default as model.FindVenv finds it
	LogDir  string        // folder of the servers' logs, one file a model; default the system's temporary folder
	Startup time.Duration // most time until a server is healthy; default 2 min
	// MinDelay is waited before a server that died is started again, doubling up to 30 s while it does not get
	// healthy; default 500 ms.
	MinDelay time.Duration
}

// Supervisor runs model servers. It is safe for concurrent use.
type Supervisor struct {
	cfg    Config
	client *http.Client

	mu      sync.Mutex
	servers map[string]*server // by model id
	closed  bool
}

// server is a model that was asked for.
type server struct {
	card model.Card

	mu       sync.Mutex // held while it is being started
	run      *run       // nil before the first start
	failures int        // starts in a row that did not get healthy
	lastFail time.Time
}

// run is one process of a server.
type run struct {
	root   string // http://127.0.0.1:port
	stop   func() // kills the process and its group
	exited <-chan struct{}
	err    error // why, after exited
}

func (r *run) alive() bool {
	select {
	case <-r.exited:
		return false
	default:
		return true
	}
}

// New returns a supervisor. Nothing is started before it is needed. Close it.
func New(cfg Config) *Supervisor {
	if cfg.Venv == "" {
		cfg.Venv, _ = model.FindVenv(os.LookupEnv)
	}
	if cfg.LogDir == "" {
		cfg.LogDir = os.TempDir()
	}
	if cfg.Startup <= 0 {
		cfg.Startup = 2 * time.Minute
	}
	if cfg.MinDelay <= 0 {
		cfg.MinDelay = 500 * time.Millisecond
	}
	return &Supervisor{
		cfg: cfg, servers: map[string]*server{},
		client: &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// Start returns the base URL of a model's server, which it starts if it does not run. It fits model.Config.Start. The
// error is ErrUnavailable and says how the log ends, or what is not installed.
func (s *Supervisor) Start(ctx context.Context, card model.Card) (string, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return "", corpus.Errorf(corpus.ErrUnavailable, "start model %s: grounded is stopping", card.ID)
	}
	srv := s.servers[card.ID]
	if srv == nil {
		srv = &server{card: card}
		s.servers[card.ID] = srv
	}
	s.mu.Unlock()

	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.run != nil && srv.run.alive() {
		return srv.run.root + card.BaseURL, nil
	}
	if err := s.waitTurn(ctx, srv); err != nil {
		return "", err
	}
	r, err := s.launch(ctx, card)
	if err != nil {
		if ctx.Err() == nil {
			srv.failures++
			srv.lastFail = time.Now()
		}
		return "", err
	}
	srv.run, srv.failures = r, 0
	return r.root + card.BaseURL, nil
}

// waitTurn waits before a server that failed to start is started again.
func (s *Supervisor) waitTurn(ctx context.Context, srv *server) error {
	if srv.failures == 0 {
		return nil
	}
	delay := min(30*time.Second, s.cfg.MinDelay<<min(srv.failures-1, 16))
	select {
	case <-time.After(time.Until(srv.lastFail.Add(delay))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops all servers and waits until they are gone.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	s.closed = true
	servers := s.servers
	s.servers = nil
	s.mu.Unlock()
	for _, srv := range servers {
		srv.mu.Lock()
		if srv.run != nil {
			srv.run.stop()
			<-srv.run.exited
		}
		srv.mu.Unlock()
	}
	return nil
}

// launch starts a server and waits until it is healthy.
func (s *Supervisor) launch(ctx context.Context, card model.Card) (*run, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("start model %s: %w", card.ID, err)
	}
	fill := strings.NewReplacer("{port}", strconv.Itoa(port), "{venv}", s.cfg.Venv, "{cpus}", strconv.Itoa(runtime.NumCPU()))
	args := make([]string, len(card.Command))
	for i, arg := range card.Command {
		args[i] = fill.Replace(arg)
		if strings.HasPrefix(card.Command[i], "{venv}") {
			if _, err := os.Stat(args[i]); err != nil {
				return nil, notInstalled(card, args[i])
			}
		}
	}
	if err := os.MkdirAll(s.cfg.LogDir, 0o700); err != nil {
		return nil, fmt.Errorf("start model %s: %w", card.ID, err)
	}
	logPath := filepath.Join(s.cfg.LogDir, "model-"+strings.Map(fileRune, card.ID)+".log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start model %s: %w", card.ID, err)
	}
	defer log.Close() // the process has its own
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("start model %s: %w", card.ID, err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = os.Environ()
	for name, value := range card.Env {
		cmd.Env = append(cmd.Env, name+"="+fill.Replace(value))
	}
	r, err := startProcess(cmd)
	if err != nil {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "start model %s: %w", card.ID, err),
			"check command in the model's catalog entry")
	}
	r.root = "http://127.0.0.1:" + strconv.Itoa(port)
	if err := s.waitHealthy(ctx, r, card.Health); err != nil {
		r.stop()
		<-r.exited
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "start model %s: %w%s", card.ID, err, tail(logPath, begin)),
			"the whole log is "+logPath)
	}
	return r, nil
}

// waitHealthy polls until the health path answers 200, the process has ended, or time is up.
func (s *Supervisor) waitHealthy(ctx context.Context, r *run, path string) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Startup)
	defer cancel()
	for delay := 10 * time.Millisecond; ; delay = min(2*delay, 200*time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.root+path, nil)
		if err != nil {
			return err
		}
		if resp, err := s.client.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK && r.alive() {
				return nil
			}
		}
		select {
		case <-r.exited:
			if r.err != nil {
				return fmt.Errorf("it ended: %w", r.err)
			}
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("it was not healthy after %s", s.cfg.Startup)
		case <-time.After(delay):
		}
	}
}

func notInstalled(card model.Card, path string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "start model %s: %s is not there", card.ID, path), InstallHint)
}

// InstallHint says how local models are installed, and what can be used in their place.
const InstallHint = "install the local models with: make models (or model/local/setup.sh .venv, and set GROUNDED_VENV to that folder); " +
	"or use a model elsewhere: set OPENAI_API_KEY, or run Ollama"

// freePort is a port of 127.0.0.1 that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func fileRune(r rune) rune {
	if strings.ContainsRune(`/\:*?"<>|`, r) {
		return '-'
	}
	return r
}

// tail is the last lines of a log since an offset, each on a line of its own.
func tail(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-2000)
	}
	text, err := io.ReadAll(io.NewSectionReader(f, from, 2000))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return "; it wrote nothing"
	}
	return "; its log ends:\n  " + strings.Join(lines[max(0, len(lines)-8):], "\n  ")
}
