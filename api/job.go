package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"grounded/corpus"
	"grounded/jobs"
	"grounded/wire"
)

// visible reports whether a job exists for a caller: its own, as far as the request has the groups that the job has, and
// for those who see every document all of their collections. Names of documents are told by jobs, and a document may
// itself say who may see it, so that others don't see it by their groups.
func visible(c caller, j jobs.Job) bool {
	if !c.sees(j.Collection) {
		return false
	}
	if c.access.Unrestricted {
		return true
	}
	covered := !j.Access.Unrestricted && !slices.ContainsFunc(j.Access.Groups, func(g string) bool { return !slices.Contains(c.access.Groups, g) })
	return j.Owner == c.name && covered
}

// shown is a job as a caller may see it: errors of models and stores name what is inside.
func shown(c caller, j jobs.Job) jobs.Job {
	if j.Error == "" || c.access.Unrestricted {
		return j
	}
	switch {
	case !j.Status.Ended():
		j.Error = "something that it needs does not answer; it is tried again"
	case j.Progress.OverLimit:
		j.Error = fmt.Sprintf("what is left may cost more than max_cost_usd allows; %d of %d are there", j.Progress.Done, j.Progress.Total)
	case j.Kind == jobs.KindJudging && j.Progress.Done == j.Progress.Total && j.Progress.Failed > 0:
		j.Error = fmt.Sprintf("%d of %d judgements failed or can't be read, and are left out; ask again with retry_errors, or another judge", j.Progress.Failed, j.Progress.Total)
	case j.Kind == jobs.KindEvaluation && j.Progress.Done == j.Progress.Total && j.Progress.Failed > 0:
		j.Error = fmt.Sprintf("%d of %d items have no answer; their scores are missing, not 0", j.Progress.Failed, j.Progress.Total)
	case j.Kind == jobs.KindIngest && j.Progress.Done == j.Progress.Total:
		j.Error = "not all could be read; the documents have the reasons, and all else is in"
	default:
		j.Error = "it could not be done; whoever runs this server sees why: grounded jobs show " + j.ID
	}
	return j
}

// job is that of the path, if the caller may see it.
func (s *Server) job(k *call) (jobs.Job, error) {
	return s.jobOf(k, k.param("id"))
}

// jobOf is the job with an id, if the caller may see it.
func (s *Server) jobOf(k *call, id string) (jobs.Job, error) {
	j, err := s.config.Queue.Job(k.ctx, id)
	if errors.Is(err, corpus.ErrNotFound) || err == nil && !visible(k.caller, j) {
		return jobs.Job{}, notFound("there is no job %s; jobs that have ended are forgotten after some time", quoted(id))
	}
	return j, err
}

func (s *Server) getJob(k *call) error {
	j, err := s.job(k)
	if err != nil {
		return err
	}
	return k.json(shown(k.caller, j))
}

func (s *Server) listJobs(k *call) error {
	if kind := k.echo.QueryParam("kind"); kind != "" {
		return s.listKinds(k, kind)
	}
	return s.listKinds(k)
}

// listKinds lists the jobs of some kinds, of all if none is named.
func (s *Server) listKinds(k *call, kinds ...string) error {
	limit := k.number("limit", 100)
	q := jobs.Query{Kinds: kinds, Collection: k.echo.QueryParam("collection"), Status: jobs.Status(k.echo.QueryParam("status")), Cursor: k.echo.QueryParam("cursor")}
	if q.Collection == "" && len(k.caller.collections) == 1 && k.caller.collections[0] != AllCollections {
		q.Collection = k.caller.collections[0]
	}
	if !k.caller.access.Unrestricted {
		q.Owner = k.caller.name
	}
	list := wire.Page[jobs.Job]{Data: []jobs.Job{}}
	for {
		q.Limit = limit - len(list.Data)
		found, next, err := s.config.Queue.Jobs(k.ctx, q)
		if err != nil {
			return err
		}
		for _, j := range found {
			if visible(k.caller, j) {
				list.Data = append(list.Data, shown(k.caller, j))
			}
		}
		if q.Cursor = next; next == "" || len(list.Data) == limit {
			list.Next = corpus.Text(next)
			return k.json(list)
		}
	}
}

// jobEvents sends an event job for each change, and done at the end. It lasts as long as the job.
func (s *Server) jobEvents(k *call) error {
	j, err := s.job(k)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(k.echo.Request().Context())
	defer cancel(nil)
	defer context.AfterFunc(s.stopping, func() { cancel(errStopping) })()
	w := s.stream(k)
	defer w.close()
	var told lastTold
	err = s.config.Queue.Watch(ctx, j.ID, func(j jobs.Job) error {
		if j = shown(k.caller, j); !told.isNews(j) {
			return nil
		}
		return w.event(wire.EventJob, j)
	})
	if err == nil {
		if j, err = s.config.Queue.Job(ctx, j.ID); err == nil {
			err = w.event(wire.EventDone, shown(k.caller, j))
		}
	}
	return w.end(ctx, err, s.tell(k, w))
}

// lastTold is what was told of a job last, as JSON.
type lastTold []byte

// isNews reports whether a job has changed since. When only its lease is extended, it has not.
func (l *lastTold) isNews(j jobs.Job) bool {
	now, err := json.Marshal(j)
	if err == nil && bytes.Equal(now, *l) {
		return false
	}
	*l = now
	return true
}

// cancelJob is POST /api/jobs/{id}/cancel.
func (s *Server) cancelJob(k *call) error {
	j, err := s.job(k)
	if err != nil {
		return err
	}
	if j, err = s.config.Queue.Cancel(k.ctx, j.ID); err != nil {
		return err
	}
	return k.json(shown(k.caller, j))
}
