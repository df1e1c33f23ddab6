// Package natstest runs real NATS servers with JetStream in the process of a test.
package natstest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a server with a folder of its own. It ends with the test.
type Server struct {
	options server.Options
	server  *server.Server
}

// Start starts a server on a free port of this machine. change, if not nil, changes its options.
func Start(t testing.TB, change func(*server.Options)) *Server {
	t.Helper()
	s := &Server{options: server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}}
	if change != nil {
		change(&s.options)
	}
	s.start(t)
	t.Cleanup(s.Stop)
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	options := s.options
	var err error
	if s.server, err = server.NewServer(&options); err != nil {
		t.Fatal(err)
	}
	s.server.Start()
	if !s.server.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	s.options.Port = options.Port // the same after a restart
}

// URL of the server, the same after a restart.
func (s *Server) URL() string { return s.server.ClientURL() }

// Stop ends the server. What it has stored stays for Restart.
func (s *Server) Stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// Restart stops the server, and starts it again on the same port with what it has stored.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	s.start(t)
}
