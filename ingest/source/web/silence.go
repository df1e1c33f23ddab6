package web

import "grounded/ingest/source"

// maxSilences is how often in a row a server may not be reached before it is not asked any more: each time is a
// long wait.
const maxSilences = 12

// silent fails when there is no use in asking the server.
func (h *host) silent() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.silences >= maxSilences {
		return source.Errorf(source.Unreachable, "%s did not answer %d times in a row, and was not asked again.", h.robots.Host, maxSilences)
	}
	return nil
}

// heard counts whether the server was reached.
func (h *host) heard(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.silences = 0
	} else {
		h.silences++
	}
}
