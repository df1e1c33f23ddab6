package main

import (
	"context"
	"strings"
	"time"

	"grounded/ingest"
)

// follow ingests, and goes on with what changes until it is interrupted: then it has done what it was to do.
func (p *program) follow(ctx context.Context, pipeline *ingest.Ingester, request ingest.Request, watch ingest.Watch, quiet bool) error {
	observe, done := p.showProgress(quiet)
	defer done()
	first := true
	return pipeline.Follow(ctx, request, watch, func(e ingest.Event) {
		observe(e)
		if p.json || quiet {
			return
		}
		switch e := e.(type) {
		case ingest.Report:
			done()
			if first {
				p.printReport(e)
				first = false
				return
			}
			p.printChanges(e)
		case ingest.Watching:
			how := ""
			if e.Polling != "" {
				how = ", looking through them from time to time: " + e.Polling
			}
			p.notef("watching %s%s; Ctrl-C ends it\n", count(e.Folders, "folder"), how)
		case ingest.Trouble:
			p.notef("%s Trying again in %s.\n", strings.TrimSuffix(e.Reason, ".")+".", time.Duration(e.Seconds*float64(time.Second)).Round(time.Second))
		}
	})
}

// printChanges is the report of a run that took in what had changed, as a line.
func (p *program) printChanges(r ingest.Report) {
	d := r.Documents
	p.printf("%s  %d new, %d changed, %d pruned, %s written\n", time.Now().Format(time.TimeOnly), d.New, d.Changed, d.Pruned, count(r.Chunks.Written, "chunk"))
	for _, warning := range r.Warnings {
		p.printf("%s\n", warning)
	}
	p.printQuarantined(r.Quarantined)
}
