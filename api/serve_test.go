package api

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// running is a server on a port of its own, as the program runs it.
func running(t *testing.T, c *company) (address string, stop func(), ended <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.server.Serve(ctx, listener) }()
	return listener.Addr().String(), cancel, done
}

func TestAStreamIsFinishedWhenTheServerIsStopped(t *testing.T) {
	c := open(t, nil)
	address, stop, ended := running(t, c)
	got := make(chan reply, 1)
	go func() {
		c.http.URL = "http://" + address
		got <- c.send("POST", "/v1/chat/completions", "reader", `{"model":"waiting","stream":true,`+leaveQuestion+`}`)
	}()
	eventually(t, "the model is asked", func() bool { return c.models.count() > 0 })
	stop()
	eventually(t, "no new connection is taken", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err != nil
	})
	close(c.models.release)
	if text, finish := textOf(t, events(t, <-got)); text == "" || finish != "stop" {
		t.Errorf("got %q, %q", text, finish)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestABalancerIsToldBeforeRequestsAreRefused is how a server is replaced without a request being lost.
func TestABalancerIsToldBeforeRequestsAreRefused(t *testing.T) {
	c := open(t, func(config *Config) { config.Drain = time.Second })
	address, stop, ended := running(t, c)
	c.http.URL = "http://" + address
	c.send("GET", "/readyz", "", "").want(t, http.StatusOK)
	stop()
	eventually(t, "it is not ready", func() bool { return c.send("GET", "/readyz", "", "").status == http.StatusServiceUnavailable })
	c.send("GET", "/v1/models", "reader", "").want(t, http.StatusOK)
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestAStreamThatOutlastsTheGraceEndsWithAnError(t *testing.T) {
	c := open(t, func(config *Config) { config.Grace = 50 * time.Millisecond })
	address, stop, ended := running(t, c)
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/v1/chat/completions", strings.NewReader(`{"model":"hanging","stream":true,`+leaveQuestion+`}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.secret["reader"])
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Scan()
	stop()
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.Contains(last, `"code":"stopping"`) {
		t.Errorf("the stream ends with %q, %v", last, lines.Err())
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestALineThatWasCutOffIsNoEvent(t *testing.T) {
	for line, whole := range map[string]bool{
		`data: {"choices":[{"finish_reason":"stop"}]}`: true, "data: [DONE]": true, `data: {"choices":[{"finish_reason":"`: false, "data: [DO": false, "data": false,
	} {
		if wholeEvent([]byte(line)) != whole {
			t.Errorf("%s is whole: %v", line, !whole)
		}
	}
}
