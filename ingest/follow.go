package ingest

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"grounded/corpus"
	"grounded/ingest/source"
)

// Watch says how Follow finds out what changes. Zero values are the defaults.
type Watch struct {
	// Quiet is how long nothing must change before what has is read; default half a second. What goes on changing
	// is read after twenty times as long.
	Quiet time.Duration
	// Poll, if not 0, has the folders looked through that often. Otherwise the system tells of changes, and only
	// where it can't the folders are looked through every five seconds.
	Poll time.Duration
	// Retry is the wait after a run that failed, doubled each time up to five minutes; default 5 seconds.
	Retry time.Duration
}

const (
	defaultPoll  = 5 * time.Second
	longestRetry = 5 * time.Minute
	// rescan is how often folders are looked through although the system tells of changes: it may lose some.
	rescan = 5 * time.Minute
)

// Watching is the event that tells that changes are being waited for.
type Watching struct {
	Event   string `json:"event"` // "watching"
	Folders int    `json:"folders"`
	Polling string `json:"polling,omitempty"` // why the system does not tell of changes
}

// Trouble is the event that tells that changes could not be taken in for now, and when it is tried again.
type Trouble struct {
	Event   string  `json:"event"` // "trouble"
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"` // until the next try
}

func (Watching) isEvent() {}
func (Trouble) isEvent()  {}

// Follow runs the request, then again with what has changed, whenever files do, until ctx ends: then it returns
// nil, or the error of the run that ctx has ended. Each run reports as Run does. Paths are files and folders.
func (in *Ingester) Follow(ctx context.Context, req Request, w Watch, observe func(Event)) error {
	if req.DryRun {
		return corpus.Errorf(corpus.ErrInvalid, "follow: a dry run changes nothing, so that there is nothing to follow")
	}
	if observe == nil {
		observe = func(Event) {}
	}
	f := &follower{Ingester: in, Request: req, Watch: w, observe: observe}
	f.Quiet = defaultTo(w.Quiet, 500*time.Millisecond)
	f.Retry = defaultTo(w.Retry, 5*time.Second)
	f.Paths = nil
	for _, p := range req.Paths {
		if source.IsAddress(p) {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "follow %s: only files and folders can be followed", p), "ingest it again from time to time, as with cron")
		}
		disk, err := filepath.Abs(p)
		if err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "follow %s: %w", p, err)
		}
		f.Paths = append(f.Paths, disk)
	}
	return f.run(ctx)
}

func defaultTo(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// follower is the state of a Follow.
type follower struct {
	*Ingester
	Request
	Watch
	observe func(Event)

	notifier *notifier
	last     snapshot
}

func (f *follower) run(ctx context.Context) error {
	f.notifier = newNotifier(f.Poll)
	defer f.notifier.close()
	// What changes while the first run goes on is seen when it has ended.
	f.last = look(f.Paths)
	f.notifier.follow(f.last)
	if _, err := f.Run(ctx, f.Request, f.observe); err != nil {
		return err
	}
	f.observe(Watching{"watching", len(f.last.folders), f.notifier.polling})

	due := map[string]struct{}{} // files that have changed and are not in yet
	all := false                 // all are to be read
	retry, wait := time.Duration(0), f.pause()
	for {
		named, err := f.notifier.wait(ctx, f.Quiet, wait)
		if err != nil {
			return nil
		}
		next := look(f.Paths)
		f.notifier.follow(next)
		changes := f.last.changes(next, named)
		emptied := len(next.files) == 0 && len(f.last.files) > 0
		f.last = next
		maps.Copy(due, changes.files)
		all = all || changes.rules
		switch {
		case next.missing != "":
			retry = f.trouble(next.missing+" is not there; what is stored of it stays.", retry)
			wait = retry
			continue
		case emptied && f.Prune:
			// More often something was unmounted than everything deleted.
			f.trouble("There are no files any more; nothing was pruned, an ingest with --prune does it.", 0)
			wait = f.pause()
			continue
		case len(due) == 0 && !all && !(changes.removed && f.Prune) && retry == 0:
			wait = f.pause()
			continue
		}
		request := f.Request
		if !all {
			request.Changed = due
		}
		if _, err := f.Run(ctx, request, f.observe); err != nil {
			if ctx.Err() != nil {
				return err
			}
			retry = f.trouble(reasonWithHint(err), retry)
			wait = retry
			continue
		}
		due, all, retry, wait = map[string]struct{}{}, false, 0, f.pause()
	}
}

// pause is how long nothing may be heard before the folders are looked through all the same.
func (f *follower) pause() time.Duration {
	switch {
	case f.Poll > 0:
		return f.Poll
	case f.notifier.polling != "":
		return defaultPoll
	}
	return rescan
}

// trouble reports what is wrong, and returns the wait before the next try.
func (f *follower) trouble(reason string, last time.Duration) time.Duration {
	next := min(max(2*last, f.Retry), longestRetry)
	f.observe(Trouble{"trouble", reason, next.Seconds()})
	return next
}

func reasonWithHint(err error) string {
	if hint := corpus.HintOf(err); hint != "" {
		return fmt.Sprintf("%s (%s)", err, hint)
	}
	return err.Error()
}
