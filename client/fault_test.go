package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"grounded/client"
	"grounded/corpus"
	"grounded/jobs"
	"grounded/wire"
)

// answering is a server that answers as told, and counts.
func answering(t *testing.T, handle http.HandlerFunc) (*client.Client, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return connect(t, client.Config{URL: s.URL, Attempts: 3, MaxBody: 1 << 20}), &calls
}

// problem answers as a server of this program does.
func problem(w http.ResponseWriter, status int, code string, header ...string) {
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":"x","status":%d,"detail":"what is wrong; what to do","code":%q,"request_id":"req_7"}`, status, code)
}

func TestErrorsHaveKindsAndAreRepeatedWhenThatMayHelp(t *testing.T) {
	again := []string{"X-Should-Retry", "true"}
	for _, test := range []struct {
		status int
		code   string
		header []string
		kind   error
		calls  int64
	}{
		{400, "invalid", nil, corpus.ErrInvalid, 1},
		{400, "unsupported", nil, corpus.ErrUnsupported, 1},
		{400, "context_length_exceeded", nil, corpus.ErrLimit, 1},
		{403, "forbidden", nil, corpus.ErrForbidden, 1},
		{404, "not_found", nil, corpus.ErrNotFound, 1},
		{409, "conflict", nil, corpus.ErrConflict, 1},
		{413, "too_large", nil, corpus.ErrLimit, 1},
		{415, "unsupported_media_type", nil, corpus.ErrUnsupported, 1},
		{500, "internal", nil, nil, 1},
		{500, "corrupt", nil, corpus.ErrCorrupt, 1},
		{503, "upstream_unavailable", []string{"X-Should-Retry", "false"}, corpus.ErrUnavailable, 1},
		{507, "full", nil, corpus.ErrFull, 1},
		{429, "rate_limit_exceeded", again, corpus.ErrLimit, 3},
		{503, "overloaded", again, corpus.ErrUnavailable, 3},
		{503, "overloaded", append([]string{"Retry-After", "3600"}, again...), corpus.ErrUnavailable, 1}, // longer than anybody waits
	} {
		c, calls := answering(t, func(w http.ResponseWriter, _ *http.Request) { problem(w, test.status, test.code, test.header...) })
		_, err := c.Answer(t.Context(), wire.Question{Question: "x"}, nil)
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Status != test.status || refused.RequestID != "req_7" || !strings.HasPrefix(err.Error(), "what is wrong; what to do") {
			t.Fatalf("%d %s: %v", test.status, test.code, err)
		}
		if test.kind != nil && !errors.Is(err, test.kind) || test.kind == nil && refused.Kind != nil || calls.Load() != test.calls {
			t.Errorf("%d %s: kind %v after %d calls", test.status, test.code, refused.Kind, calls.Load())
		}
	}
}

func TestARetryWaitsAsLongAsTheServerSays(t *testing.T) {
	var first time.Time
	var waited time.Duration
	c, calls := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		if first.IsZero() {
			first = time.Now()
			problem(w, 429, "rate_limit_exceeded", "X-Should-Retry", "true", "Retry-After", "1")
			return
		}
		waited = time.Since(first)
		fmt.Fprint(w, `{"data":[],"next":null}`)
	})
	if _, err := c.Collections(t.Context()); err != nil || calls.Load() != 2 || waited < time.Second {
		t.Errorf("after %d calls and %s: %v", calls.Load(), waited, err)
	}
}

// TestOnlyWhatMayBeDoneTwiceIs breaks each connection before there is a reply.
func TestOnlyWhatMayBeDoneTwiceIs(t *testing.T) {
	c, calls := answering(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	sent := make(chan string, 10)
	up, _ := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		sent <- r.Header.Get("Idempotency-Key")
		panic(http.ErrAbortHandler)
	})
	proxy, asked := answering(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "timeout", http.StatusGatewayTimeout) })
	for _, test := range []struct {
		name string
		call func() error
		want int64
	}{
		{"answer behind a proxy", func() error {
			_, err := proxy.Answer(t.Context(), wire.Question{}, nil)
			calls.Store(asked.Load())
			return err
		}, 1},
		{"list behind a proxy", func() error {
			asked.Store(0)
			_, err := proxy.Collections(t.Context())
			calls.Store(asked.Load())
			return err
		}, 3},
		{"list", func() error { _, err := c.Collections(t.Context()); return err }, 3},
		{"retrieve", func() error { _, err := c.Retrieve(t.Context(), wire.Question{}); return err }, 3},
		{"answer", func() error { _, err := c.Answer(t.Context(), wire.Question{}, nil); return err }, 1},
		{"compare", func() error { _, err := c.Compare(t.Context(), wire.Question{}, nil); return err }, 1},
		{"delete", func() error { _, err := c.DeleteDocument(t.Context(), "c", "d"); return err }, 1},
	} {
		calls.Store(0)
		if err := test.call(); !errors.Is(err, corpus.ErrUnavailable) || calls.Load() != test.want {
			t.Errorf("%s: %v after %d calls, want %d", test.name, err, calls.Load(), test.want)
		}
	}
	_, err := up.Upload(t.Context(), "c", client.Upload{Files: []client.File{text("a.md", "a")}})
	if keys := []string{<-sent, <-sent, <-sent}; !errors.Is(err, corpus.ErrUnavailable) || len(sent) != 0 || keys[0] == "" || keys[1] != keys[0] || keys[2] != keys[0] {
		t.Errorf("upload: %v with keys %q and %d more", err, keys, len(sent))
	}
}

// TestWhatIsNoServerOfOursIsSaid answers as other servers, and proxies, do.
func TestWhatIsNoServerOfOursIsSaid(t *testing.T) {
	for _, test := range []struct {
		handle http.HandlerFunc
		kind   error
		want   string
	}{
		{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, corpus.ErrInvalid, "check the address"},
		{http.NotFound, corpus.ErrInvalid, "check the address"},
		{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}, corpus.ErrInvalid, "https://elsewhere.example/"},
		{func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, corpus.ErrUnavailable, "a proxy"},
		{func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[`+strings.Repeat(" ", 2<<20)+`]}`)
		}, corpus.ErrLimit, "less"},
		{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"data":[`)
		}, corpus.ErrUnavailable, "broke off"},
	} {
		c, _ := answering(t, test.handle)
		_, err := c.Collections(t.Context())
		if said := fmt.Sprint(err, corpus.HintOf(err)); !errors.Is(err, test.kind) || !strings.Contains(said, test.want) {
			t.Errorf("want %q: %s", test.want, said)
		}
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://a:b@x", "http://x?y=1", "http://x/v1", "http://x/v1/", "http://%zz"} {
		if _, err := client.New(client.Config{URL: url}); !errors.Is(err, corpus.ErrInvalid) || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := client.New(client.Config{URL: "http://x", Key: "a\nb"}); !errors.Is(err, corpus.ErrInvalid) || strings.Contains(err.Error(), "a\nb") {
		t.Errorf("a key of two lines: %v", err)
	}
}

func TestAServerThatIsNotThereIsSaidAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c := connect(t, client.Config{URL: "http://" + address})
	_, err = c.Collections(t.Context())
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(corpus.HintOf(err), "grounded serve") || strings.Count(err.Error(), address) != 2 {
		t.Errorf("%v; %s", err, corpus.HintOf(err))
	}
}

// events sends events, and then breaks the connection.
func events(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, text)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestAStreamThatBreaksOffIsAnError cuts an answer off at several places; it is not asked for again.
func TestAStreamThatBreaksOffIsAnError(t *testing.T) {
	for _, test := range []struct {
		sent string
		kind error
		want string
	}{
		{": keepalive\n\nevent: delta\ndata: {\"text\":\"Every\"}\n\n", corpus.ErrUnavailable, "broke off"},
		{"event: delta\ndata: {\"text\":\"Every\"}\n\nevent: done\ndata: {\"text\":\"Everyone\"}\n", corpus.ErrUnavailable, "broke off"},
		{"event: delta\ndata: {\"text\":\"Every\"}\n\nevent: error\ndata: {\"status\":503,\"code\":\"stopping\",\"detail\":\"it is being stopped\",\"request_id\":\"req_9\"}\n\n", corpus.ErrUnavailable, "req_9"},
		{"event: delta\ndata: {\"text\":\"Every\"}\n\nevent: delta\ndata: {\n\n", corpus.ErrUnsupported, "event delta"},
		{"event: delta\ndata: {\"text\":\"Every\"}\n\ndata: " + strings.Repeat("x", 2<<20) + "\n\n", corpus.ErrLimit, "event"},
	} {
		c, calls := answering(t, func(w http.ResponseWriter, _ *http.Request) { events(w, test.sent) })
		var got strings.Builder
		_, err := c.Answer(t.Context(), wire.Question{Question: "x"}, func(e client.Event) error {
			got.WriteString(e.Delta)
			return nil
		})
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || got.String() != "Every" || calls.Load() != 1 {
			t.Errorf("%.90q: %v after %d calls and %q", test.sent, err, calls.Load(), got.String())
		}
	}
}

// TestACallEndsWithItsContext cancels while the server says nothing, streaming and not, and between attempts.
func TestACallEndsWithItsContext(t *testing.T) {
	asked, gone := make(chan struct{}, 10), make(chan struct{}, 10)
	c, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/answer") {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
		}
		asked <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	busy, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		problem(w, 503, "overloaded", "X-Should-Retry", "true", "Retry-After", "50")
		asked <- struct{}{}
		gone <- struct{}{}
	})
	for name, call := range map[string]func(context.Context) error{
		"stream": func(ctx context.Context) error {
			_, err := c.Answer(ctx, wire.Question{}, func(client.Event) error { return nil })
			return err
		},
		"retrieve": func(ctx context.Context) error { _, err := c.Retrieve(ctx, wire.Question{}); return err },
		"waiting":  func(ctx context.Context) error { _, err := busy.Collections(ctx); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- call(ctx) }()
		<-asked
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			<-gone
		case <-time.After(20 * time.Second):
			t.Errorf("%s: it did not end", name)
		}
	}
}

// TestWatchGoesOnWhenTheConnectionBreaks follows a job over three connections.
func TestWatchGoesOnWhenTheConnectionBreaks(t *testing.T) {
	var n atomic.Int64
	c, calls := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) {
		case 1:
			events(w, "event: job\ndata: {\"id\":\"7\",\"status\":\"queued\"}\n\n")
		case 2:
			problem(w, 503, "stopping", "X-Should-Retry", "true")
		case 3:
			events(w, "event: error\ndata: {\"status\":503,\"code\":\"stopping\",\"detail\":\"it is being stopped\"}\n\n")
		default:
			events(w, "event: job\ndata: {\"id\":\"7\",\"status\":\"running\"}\n\nevent: done\ndata: {\"id\":\"7\",\"status\":\"done\",\"documents\":[{\"document\":\"a.md\"}]}\n\n")
		}
	})
	var seen []jobs.Status
	job, err := c.Watch(t.Context(), "7", func(j jobs.Job) error {
		seen = append(seen, j.Status)
		return nil
	})
	if err != nil || fmt.Sprint(seen) != "[queued running]" || len(job.Files) != 1 || calls.Load() != 4 {
		t.Errorf("%v: %v, %+v after %d calls", err, seen, job, calls.Load())
	}
	gone, calls := answering(t, func(w http.ResponseWriter, _ *http.Request) { events(w, "") })
	if _, err := gone.Watch(t.Context(), "7", func(jobs.Job) error { return nil }); !errors.Is(err, corpus.ErrUnavailable) || calls.Load() != 6 {
		t.Errorf("a server that is gone for good: %v after %d calls", err, calls.Load())
	}
}

// TestAnUploadIsSentAgainWhole is refused once, after its body and before.
func TestAnUploadIsSentAgainWhole(t *testing.T) {
	for _, readFirst := range []bool{true, false} {
		var keys, bodies []string
		c, calls := answering(t, func(w http.ResponseWriter, r *http.Request) {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
			if len(keys) == 1 && !readFirst {
				problem(w, 503, "overloaded", "X-Should-Retry", "true")
				return
			}
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(body))
			if len(keys) == 1 {
				problem(w, 503, "overloaded", "X-Should-Retry", "true")
				return
			}
			fmt.Fprint(w, `{"job_id":"7","documents":[]}`)
		})
		up, err := c.Upload(t.Context(), "c", client.Upload{IdempotencyKey: "leave-2026", Files: []client.File{text("hr/a.md", "some text"), text("b.md", strings.Repeat("x", 1<<16))}})
		if err != nil || up.JobID != "7" || calls.Load() != 2 || keys[0] != "leave-2026" || keys[1] != keys[0] {
			t.Fatalf("%v, %+v after %d calls with keys %q", err, up, calls.Load(), keys)
		}
		if last := bodies[len(bodies)-1]; bodies[0] != last || !strings.Contains(last, "some text") || !strings.Contains(last, `"path":"hr/a.md"`) {
			t.Errorf("the bodies differ: %.300q and %.300q", bodies[0], last)
		}
	}
}

// FuzzEvents answers with any stream: it ends with an answer or an error.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{"", "event: done\ndata: {}\n\n", "data:\n\n", "event: error\ndata: null\n\n", "event: delta\r\ndata: {\"text\":\r\ndata: \"a\"}\r\n\r\n", ":\n\nevent: done\ndata: [\n\n", "event: citation\ndata: 7\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		answer := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(sent))}
		c := connect(t, client.Config{URL: "http://x", Transport: transport(func(*http.Request) (*http.Response, error) { return answer, nil }), MaxBody: 1 << 16})
		_, err := c.Answer(t.Context(), wire.Question{Question: "x"}, func(client.Event) error { return nil })
		if whole := strings.Contains(sent, "done"); err == nil && !whole {
			t.Errorf("%q was taken for an answer", sent)
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
