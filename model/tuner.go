package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"grounded/corpus"
)

// States of a fine-tuning job.
const (
	TuningSucceeded = "succeeded"
	TuningFailed    = "failed"
	TuningCancelled = "cancelled"
)

// TuningJob is a fine-tuning job as the provider tells of it. A pointer that is nil is not known yet.
type TuningJob struct {
	ID              string         `json:"id"`
	Model           string         `json:"model"`  // that is tuned
	Status          string         `json:"status"` // validating_files, queued, running, succeeded, failed, cancelled; others of other providers
	FineTunedModel  *string        `json:"fine_tuned_model"`
	TrainingFile    string         `json:"training_file"`
	ValidationFile  *string        `json:"validation_file"`
	TrainedTokens   *int           `json:"trained_tokens"`
	Hyperparameters map[string]any `json:"hyperparameters"` // numbers, or auto
	CreatedAt       int64          `json:"created_at"`      // seconds since 1970
	FinishedAt      *int64         `json:"finished_at"`
	Error           *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Over reports whether the job will not change any more.
func (j TuningJob) Over() bool {
	return j.Status == TuningSucceeded || j.Status == TuningFailed || j.Status == TuningCancelled
}

// Failure is why a job failed, or "".
func (j TuningJob) Failure() string {
	if j.Error == nil {
		return ""
	}
	return j.Error.Message
}

// TuningEvent is something that happened to a job.
type TuningEvent struct {
	CreatedAt int64  `json:"created_at"` // seconds since 1970
	Level     string `json:"level"`      // info, warn or error
	Message   string `json:"message"`
}

// Checkpoint is a model from before the end of a job, and how good it was.
type Checkpoint struct {
	Model   string              `json:"fine_tuned_model_checkpoint"`
	Step    int                 `json:"step_number"`
	Metrics map[string]*float64 `json:"metrics"`
}

// TuningRequest begins a job. Zero numbers leave a setting to the provider.
type TuningRequest struct {
	Model          string
	TrainingFile   string // id of an uploaded file
	ValidationFile string // may be empty
	Suffix         string // in the new model's name; may be empty
	Epochs         int
	BatchSize      int
	RateMultiplier float64 // of the learning rate
	Seed           *int
}

// Tuner fine-tunes models over OpenAI's API. It is safe for concurrent use.
type Tuner struct{ connection }

// NewTuner connects to the provider of a card. It makes no request; a key that is missing is corpus.ErrForbidden, a
// provider that does not speak OpenAI's protocol for fine-tuning corpus.ErrUnsupported.
func NewTuner(card Card, cfg Config) (*Tuner, error) {
	if card.Provider != "openai" {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "provider %q of model %q is not fine-tuned from here", card.Provider, card.ID),
			"choose a model whose server has OpenAI's /fine_tuning/jobs; train others where you like, and register what comes out with grounded models add")
	}
	c, err := connect(card, cfg, 10*time.Minute)
	if err != nil {
		return nil, err
	}
	return &Tuner{c}, nil
}

// once is a connection that tries one time: what begins something must not begin it twice.
func (t *Tuner) once() connection {
	c := t.connection
	w := &wire{card: c.wire.card, cfg: c.wire.cfg, headers: c.wire.headers, slots: c.wire.slots}
	w.cfg.Attempts = 1
	c.wire = w
	return c
}

// Upload sends a training file and returns its id.
func (t *Tuner) Upload(ctx context.Context, name string, data []byte) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := form.WriteField("purpose", "fine-tune")
	if err == nil {
		var file io.Writer
		if file, err = form.CreateFormFile("file", name); err == nil {
			_, err = file.Write(data)
		}
	}
	if err := errors.Join(err, form.Close()); err != nil {
		return "", err
	}
	var reply struct {
		ID string `json:"id"`
	}
	if err := t.ask(ctx, http.MethodPost, "/files", form.FormDataContentType(), body.Bytes(), &reply); err != nil {
		return "", fmt.Errorf("upload %s: %w", name, err)
	}
	if reply.ID == "" {
		return "", corpus.Errorf(corpus.ErrUnavailable, "upload %s: the reply has no id", name)
	}
	return reply.ID, nil
}

// Create begins a job. It is tried once: after an error the job may have begun all the same, as Jobs then shows.
func (t *Tuner) Create(ctx context.Context, r TuningRequest) (TuningJob, error) {
	hyper := map[string]any{}
	if r.Epochs > 0 {
		hyper["n_epochs"] = r.Epochs
	}
	if r.BatchSize > 0 {
		hyper["batch_size"] = r.BatchSize
	}
	if r.RateMultiplier > 0 {
		hyper["learning_rate_multiplier"] = r.RateMultiplier
	}
	fields := map[string]any{"model": r.Model, "training_file": r.TrainingFile}
	if len(hyper) > 0 {
		fields["method"] = map[string]any{"type": "supervised", "supervised": map[string]any{"hyperparameters": hyper}}
	}
	if r.ValidationFile != "" {
		fields["validation_file"] = r.ValidationFile
	}
	if r.Suffix != "" {
		fields["suffix"] = r.Suffix
	}
	if r.Seed != nil {
		fields["seed"] = *r.Seed
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return TuningJob{}, err
	}
	var job TuningJob
	if err := t.once().ask(ctx, http.MethodPost, "/fine_tuning/jobs", "application/json", body, &job); err != nil {
		return job, fmt.Errorf("fine-tune %s: %w", r.Model, err)
	}
	return job, checkJob(job)
}

func checkJob(job TuningJob) error {
	if job.ID == "" || job.Status == "" {
		return corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "the reply is no fine-tuning job"), "check that base_url of the model's catalog entry names a server with OpenAI's /fine_tuning/jobs")
	}
	return nil
}

// Job tells how a job is.
func (t *Tuner) Job(ctx context.Context, id string) (job TuningJob, err error) {
	if err := t.get(ctx, "/fine_tuning/jobs/"+url.PathEscape(id), &job); err != nil {
		return job, fmt.Errorf("job %s: %w", id, err)
	}
	return job, checkJob(job)
}

// Cancel stops a job.
func (t *Tuner) Cancel(ctx context.Context, id string) (job TuningJob, err error) {
	if err := t.ask(ctx, http.MethodPost, "/fine_tuning/jobs/"+url.PathEscape(id)+"/cancel", "application/json", []byte("{}"), &job); err != nil {
		return job, fmt.Errorf("cancel job %s: %w", id, err)
	}
	return job, checkJob(job)
}

// listed is a page of a list. The cursor of what follows is the last item's id.
type listed[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"has_more"`
}

// mostJobs are read of an account, in pages of 100.
const mostJobs = 1000

// Jobs lists the account's jobs, the newest first, as many as 1,000.
func (t *Tuner) Jobs(ctx context.Context) ([]TuningJob, error) {
	var all []TuningJob
	for after := ""; ; {
		query := url.Values{"limit": {"100"}}
		if after != "" {
			query.Set("after", after)
		}
		var page listed[TuningJob]
		if err := t.get(ctx, "/fine_tuning/jobs?"+query.Encode(), &page); err != nil {
			return nil, fmt.Errorf("list fine-tuning jobs: %w", err)
		}
		all = append(all, page.Data...)
		if !page.HasMore || len(page.Data) == 0 || len(all) >= mostJobs {
			return all, nil
		}
		after = page.Data[len(page.Data)-1].ID
	}
}

// Events lists what last happened to a job, the oldest first, as many as 50.
func (t *Tuner) Events(ctx context.Context, id string) ([]TuningEvent, error) {
	var page listed[TuningEvent]
	if err := t.get(ctx, "/fine_tuning/jobs/"+url.PathEscape(id)+"/events?limit=50", &page); err != nil {
		return nil, fmt.Errorf("events of job %s: %w", id, err)
	}
	for i, j := 0, len(page.Data)-1; i < j; i, j = i+1, j-1 {
		page.Data[i], page.Data[j] = page.Data[j], page.Data[i]
	}
	return page.Data, nil
}

// Checkpoints lists the models that a job kept, the last one first. A server that has none of it has none.
func (t *Tuner) Checkpoints(ctx context.Context, id string) ([]Checkpoint, error) {
	var page listed[Checkpoint]
	err := t.get(ctx, "/fine_tuning/jobs/"+url.PathEscape(id)+"/checkpoints", &page)
	if errors.Is(err, corpus.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoints of job %s: %w", id, err)
	}
	return page.Data, nil
}

// get asks for a path under the base URL.
func (c connection) get(ctx context.Context, path string, reply any) error {
	return c.ask(ctx, http.MethodGet, path, "", nil, reply)
}

// ask sends a request about a job, and reads the reply. A job that failed, and one that did not, has an error among its
// fields, so that the field does not make a reply an error.
func (c connection) ask(ctx context.Context, method, path, mediaType string, body []byte, reply any) error {
	ex := &exchange{read: func(body []byte) ([]byte, *failure) {
		if !json.Valid(body) {
			return nil, notJSON(body)
		}
		return body, nil
	}}
	return c.send(ctx, ex, method, c.baseURL+path, mediaType, body, reply)
}

// Lineage is what a finished job says of the model that came of it: settings, tokens, and the metrics of its last
// checkpoint.
func (j TuningJob) Lineage(checkpoints []Checkpoint) Lineage {
	l := Lineage{Job: j.ID, TrainedTokens: j.TrainedTokens, Hyperparameters: map[string]string{}, Metrics: map[string]float64{}}
	for name, value := range j.Hyperparameters {
		if value != nil {
			l.Hyperparameters[name] = strings.TrimSpace(fmt.Sprint(value))
		}
	}
	if len(checkpoints) > 0 {
		last := checkpoints[0]
		for _, c := range checkpoints {
			if c.Step > last.Step {
				last = c
			}
		}
		for name, value := range last.Metrics {
			if value != nil {
				l.Metrics[name] = *value
			}
		}
	}
	if j.FinishedAt != nil {
		l.Created = time.Unix(*j.FinishedAt, 0).UTC().Format(time.DateOnly)
	}
	return l
}
