package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/wire"
)

// Jobs lists jobs without their files, the newest first. next is the cursor of the next page, or empty. The server
// says whose they are, so that Query.Owner is not used.
func (c *Client) Jobs(ctx context.Context, q jobs.Query) (page []jobs.Job, next string, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"collection": q.Collection, "status": string(q.Status), "cursor": q.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if q.Limit > 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	p, err := call[wire.Page[jobs.Job]](ctx, c, request{method: "GET", path: []string{"api", "jobs"}, query: query})
	return p.Data, string(p.Next), err
}

// Job returns one with its files and their outcomes so far.
func (c *Client) Job(ctx context.Context, id string) (jobs.Job, error) {
	return call[jobs.Job](ctx, c, request{method: "GET", path: []string{"api", "jobs", id}})
}

// Cancel ends a job that is queued, and tells whoever works on one that is running to end it. What is in stays in. A
// job that has ended is corpus.ErrConflict.
func (c *Client) Cancel(ctx context.Context, id string) (jobs.Job, error) {
	return call[jobs.Job](ctx, c, request{method: "POST", path: []string{"api", "jobs", id, "cancel"}})
}

// Watch calls use with the job, without its files, as it is and whenever it has changed, until it has ended; then it
// returns it with its files. It goes on by itself, as often as twice Config.Attempts in a row, when the connection breaks.
func (c *Client) Watch(ctx context.Context, id string, use func(jobs.Job) error) (jobs.Job, error) {
	for broken := 0; ; {
		var own error
		job, err := stream[jobs.Job](ctx, c, request{method: "GET", path: []string{"api", "jobs", id, "events"}, long: true}, func(name string, data []byte) error {
			if name != wire.EventJob {
				return nil
			}
			broken = 0
			var j jobs.Job
			if own = json.Unmarshal(data, &j); own != nil {
				own = unreadable(name, own)
				return own
			}
			own = use(j)
			return own
		})
		if err == nil || own != nil || ctx.Err() != nil || !errors.Is(err, corpus.ErrUnavailable) {
			return job, err
		}
		if broken++; broken >= 2*c.config.Attempts {
			return job, err
		}
		if pause(ctx, min(c.config.Wait<<min(broken-1, 10), c.config.MaxWait)) != nil {
			return job, context.Cause(ctx)
		}
	}
}
