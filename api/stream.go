package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// writeTimeout is how long a client may take to receive one event.
const writeTimeout = 30 * time.Second

// stream writes server-sent events. It begins with the first event or heartbeat, so that what fails before is told with
// a status. It is safe for concurrent use.
type stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	mu     sync.Mutex
	begun  bool
	failed error
	beat   *time.Timer
	every  time.Duration
}

// stream begins an answer by events, with comments while it is silent. close must be called.
func (s *Server) stream(k *call) *stream {
	w := &stream{w: k.echo.Response(), rc: http.NewResponseController(k.echo.Response()), every: s.config.Heartbeat}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beat = time.AfterFunc(w.every, func() { _ = w.write([]byte(": keepalive\n\n")) })
	return w
}

func (w *stream) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beat.Stop()
	w.failed = errGone
}

// write sends bytes at once.
func (w *stream) write(event []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	if !w.begun {
		w.begun = true
		h := w.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("X-Accel-Buffering", "no") // proxies must not hold it back
		w.w.WriteHeader(http.StatusOK)
	}
	_ = w.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := w.w.Write(event)
	if err == nil {
		err = w.rc.Flush()
	}
	if err != nil {
		w.failed = errGone
		return errGone
	}
	w.beat.Reset(w.every)
	return nil
}

// data sends an event without a name.
func (w *stream) data(v any) error { return w.event("", v) }

// event sends a named event.
func (w *stream) event(name string, v any) error {
	var b bytes.Buffer
	if name != "" {
		b.WriteString("event: " + name + "\n")
	}
	b.WriteString("data: ")
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	b.WriteByte('\n')
	return w.write(b.Bytes())
}

// end tells an error on a stream that has begun, in the words of tell; before, it is returned to be told by its status.
func (w *stream) end(ctx context.Context, err error, tell func(*fault) error) error {
	if err == nil || errors.Is(err, errGone) {
		return err
	}
	if cause := context.Cause(ctx); errors.Is(cause, errStopping) {
		err = errStopping
	} else if errors.Is(cause, context.Canceled) {
		return errGone
	}
	w.mu.Lock()
	begun := w.begun
	w.mu.Unlock()
	if begun {
		_ = tell(faultOf(err))
	}
	return err
}

// newID makes an id that no other request has.
func newID(prefix string) string { return prefix + rand.Text() }
