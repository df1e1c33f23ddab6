package ingest

import (
	"context"
	"io/fs"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
)

// notifier waits for the system to tell that something in folders has changed.
type notifier struct {
	watcher *fsnotify.Watcher      // nil: the system doesn't tell
	folders map[string]fs.FileInfo // that it tells of
	polling string                 // why it doesn't; empty if it does
}

// newNotifier is told nothing if poll, the time between looks, is not 0.
func newNotifier(poll time.Duration) *notifier {
	n := &notifier{folders: map[string]fs.FileInfo{}}
	if poll > 0 {
		n.polling = "asked for"
		return n
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		n.polling = err.Error()
		return n
	}
	n.watcher = watcher
	return n
}

func (n *notifier) close() {
	if n.watcher != nil {
		n.watcher.Close()
	}
}

// follow makes the folders of a snapshot those that are told of. A system that can't tell of one tells of none.
func (n *notifier) follow(s snapshot) {
	if n.watcher == nil {
		return
	}
	for folder, before := range n.folders {
		if now, there := s.folders[folder]; !there || !os.SameFile(before, now) {
			_ = n.watcher.Remove(folder) // it may have gone by itself
			delete(n.folders, folder)
		}
	}
	for folder, now := range s.folders {
		if _, known := n.folders[folder]; known {
			continue
		}
		reason := noNotices(folder)
		if reason == "" {
			if err := n.watcher.Add(folder); err != nil {
				if _, gone := os.Stat(folder); gone != nil {
					continue
				}
				reason = err.Error()
			}
		}
		if reason != "" {
			n.close()
			n.watcher, n.polling = nil, reason
			return
		}
		n.folders[folder] = now
	}
}

// wait returns when there has been a change and then quiet, or after a time without any. named are the paths that
// were told of. It fails when ctx ends.
func (n *notifier) wait(ctx context.Context, quiet, most time.Duration) (named map[string]struct{}, err error) {
	named = map[string]struct{}{}
	var events chan fsnotify.Event
	var errs chan error
	if n.watcher != nil {
		events, errs = n.watcher.Events, n.watcher.Errors
	}
	until := time.NewTimer(most)
	defer until.Stop()
	settled := time.NewTimer(0)
	<-settled.C
	defer settled.Stop()
	for first := true; ; {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
			named[e.Name] = struct{}{}
		case <-errs: // some were lost: looking finds them
		case <-settled.C:
			return named, nil
		case <-until.C:
			return named, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		settled.Reset(quiet)
		if first {
			first = false
			until.Reset(20 * quiet)
		}
	}
}
