package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
)

const (
	runningJob = `{"object":"fine_tuning.job","id":"ftjob-1","model":"gpt-4o-mini-2024-07-18","created_at":1721764800,"fine_tuned_model":null,"organization_id":"org-123",
		"result_files":[],"status":"running","validation_file":"file-2","training_file":"file-1","hyperparameters":{"n_epochs":"auto"},"trained_tokens":null,"error":null,"finished_at":null}`
	doneJob = `{"object":"fine_tuning.job","id":"ftjob-1","model":"gpt-4o-mini-2024-07-18","created_at":1721764800,"finished_at":1721851200,"fine_tuned_model":"ft:gpt-4o-mini-2024-07-18:my-org:leave:abc",
		"status":"succeeded","training_file":"file-1","validation_file":"file-2","hyperparameters":{"n_epochs":3,"batch_size":1,"learning_rate_multiplier":1.8},"trained_tokens":5768,"error":{},"result_files":["file-3"]}`
	failedJob = `{"object":"fine_tuning.job","id":"ftjob-2","model":"gpt-4o-mini-2024-07-18","created_at":1721764700,"status":"failed","fine_tuned_model":null,"training_file":"file-1",
		"error":{"code":"invalid_training_file","message":"The job failed due to an invalid training file.","param":"training_file"},"hyperparameters":{"n_epochs":"auto"}}`
)

// provider is a scripted server of files and fine-tuning jobs.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []string
	created map[string]any
	fail    int // status of what begins a job; 0 for none
}

func newProvider(t *testing.T) *provider {
	p := &provider{}
	mux := http.NewServeMux()
	answer := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			p.calls = append(p.calls, r.Method+" "+r.URL.RequestURI())
			p.mu.Unlock()
			fmt.Fprint(w, body)
		})
	}
	mux.HandleFunc("POST /v1/files", func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil || r.FormValue("purpose") != "fine-tune" || r.Header.Get("Authorization") != "Bearer k" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		file.Close()
		fmt.Fprintf(w, `{"id":"file-%d","object":"file","bytes":%d,"filename":%q,"purpose":"fine-tune","status":"processed"}`, header.Size, header.Size, header.Filename)
	})
	mux.HandleFunc("POST /v1/fine_tuning/jobs", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls = append(p.calls, "create")
		if p.fail != 0 {
			http.Error(w, `{"error":{"message":"model is not available for fine-tuning","type":"invalid_request_error"}}`, p.fail)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&p.created); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, strings.Replace(runningJob, `"running"`, `"validating_files"`, 1))
	})
	mux.HandleFunc("GET /v1/fine_tuning/jobs", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "" {
			fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":true}`, runningJob)
			return
		}
		fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":false}`, failedJob)
	})
	answer("GET /v1/fine_tuning/jobs/ftjob-1", doneJob)
	answer("GET /v1/fine_tuning/jobs/ftjob-9", `{"hello":"world"}`)
	answer("POST /v1/fine_tuning/jobs/ftjob-1/cancel", strings.Replace(runningJob, `"running"`, `"cancelled"`, 1))
	answer("GET /v1/fine_tuning/jobs/ftjob-1/events", `{"object":"list","data":[
		{"object":"fine_tuning.job.event","id":"e2","created_at":1721764802,"level":"info","message":"Step 2/90: training loss=0.31","data":{"step":2},"type":"metrics"},
		{"object":"fine_tuning.job.event","id":"e1","created_at":1721764801,"level":"info","message":"Created fine-tuning job: ftjob-1","data":null,"type":"message"}],"has_more":false}`)
	answer("GET /v1/fine_tuning/jobs/ftjob-1/checkpoints", `{"object":"list","data":[
		{"object":"fine_tuning.job.checkpoint","id":"c1","fine_tuned_model_checkpoint":"ft:x:ckpt-step-30","metrics":{"full_valid_loss":0.2,"train_loss":null},"step_number":30},
		{"object":"fine_tuning.job.checkpoint","id":"c2","fine_tuned_model_checkpoint":"ft:x:ckpt-step-60","metrics":{"full_valid_loss":0.1,"full_valid_mean_token_accuracy":0.9},"step_number":60}],"has_more":false}`)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) tuner(t *testing.T) *Tuner {
	t.Helper()
	tuner, err := NewTuner(Card{ID: "gpt-4o-mini", Provider: "openai", BaseURL: p.URL + "/v1", APIKeyEnv: "K", Tasks: []Task{TaskChat}}, quick("K", "k"))
	if err != nil {
		t.Fatal(err)
	}
	return tuner
}

func TestAJobIsBegunFollowedAndCancelled(t *testing.T) {
	p := newProvider(t)
	tuner := p.tuner(t)
	file, err := tuner.Upload(t.Context(), "train.jsonl", []byte("{}\n"))
	if err != nil || file != "file-3" {
		t.Fatalf("uploaded as %q, %v", file, err)
	}
	job, err := tuner.Create(t.Context(), TuningRequest{Model: "gpt-4o-mini-2024-07-18", TrainingFile: file, ValidationFile: "file-2", Suffix: "leave", Epochs: 3, RateMultiplier: 1.8})
	if err != nil || job.ID != "ftjob-1" || job.Over() {
		t.Fatalf("job is %+v, %v", job, err)
	}
	want := map[string]any{"model": "gpt-4o-mini-2024-07-18", "training_file": "file-3", "validation_file": "file-2", "suffix": "leave",
		"method": map[string]any{"type": "supervised", "supervised": map[string]any{"hyperparameters": map[string]any{"n_epochs": 3., "learning_rate_multiplier": 1.8}}}}
	if !reflect.DeepEqual(p.created, want) {
		t.Errorf("sent %v", p.created)
	}
	job, err = tuner.Job(t.Context(), "ftjob-1")
	if err != nil || !job.Over() || job.FineTunedModel == nil || *job.TrainedTokens != 5768 || job.Failure() != "" {
		t.Fatalf("job is %+v, %v", job, err)
	}
	events, err := tuner.Events(t.Context(), "ftjob-1")
	if err != nil || len(events) != 2 || !strings.HasPrefix(events[0].Message, "Created") {
		t.Errorf("events are %+v, %v", events, err)
	}
	checkpoints, err := tuner.Checkpoints(t.Context(), "ftjob-1")
	if err != nil || len(checkpoints) != 2 {
		t.Fatalf("checkpoints are %+v, %v", checkpoints, err)
	}
	l := job.Lineage(checkpoints)
	if l.Job != "ftjob-1" || l.Metrics["full_valid_loss"] != .1 || len(l.Metrics) != 2 || l.Hyperparameters["learning_rate_multiplier"] != "1.8" || l.Created != "2024-07-24" {
		t.Errorf("lineage is %+v", l)
	}
	jobs, err := tuner.Jobs(t.Context())
	if err != nil || len(jobs) != 2 || jobs[1].Failure() != "The job failed due to an invalid training file." {
		t.Errorf("jobs are %+v, %v", jobs, err)
	}
	if job, err := tuner.Cancel(t.Context(), "ftjob-1"); err != nil || job.Status != TuningCancelled {
		t.Errorf("cancelled is %+v, %v", job, err)
	}
}

func TestAJobIsNotBegunTwice(t *testing.T) {
	p := newProvider(t)
	p.fail = http.StatusServiceUnavailable
	if _, err := p.tuner(t).Create(t.Context(), TuningRequest{Model: "m", TrainingFile: "f"}); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
	if len(p.calls) != 1 {
		t.Errorf("there were %d calls", len(p.calls))
	}
}

func TestWhatCantBeTunedSaysSo(t *testing.T) {
	p := newProvider(t)
	p.fail = http.StatusBadRequest
	tuner := p.tuner(t)
	_, err := tuner.Create(t.Context(), TuningRequest{Model: "m", TrainingFile: "f"})
	if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "not available for fine-tuning") {
		t.Errorf("a refused model: %v", err)
	}
	if _, err := tuner.Job(t.Context(), "unheard"); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("a job that is not there: %v", err)
	}
	if _, err := tuner.Job(t.Context(), "ftjob-9"); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("a reply that is no job: %v", err)
	}
	if checkpoints, err := tuner.Checkpoints(t.Context(), "ftjob-2"); err != nil || len(checkpoints) != 0 {
		t.Errorf("a server without checkpoints: %v, %v", checkpoints, err)
	}
	if _, err := NewTuner(Card{ID: "c", Provider: "anthropic"}, quick()); !errors.Is(err, corpus.ErrUnsupported) || !strings.Contains(corpus.HintOf(err), "models add") {
		t.Errorf("another protocol: %v", err)
	}
	if _, err := NewTuner(Card{ID: "c", Provider: "openai", APIKeyEnv: "NONE"}, quick()); !errors.Is(err, corpus.ErrForbidden) {
		t.Errorf("no key: %v", err)
	}
}

func TestARegisteredModelIsReadAgainWithItsLineage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "models.yaml")
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	base, err := c.Get("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	tokens := 12
	lineage := Lineage{Job: "j", DatasetHash: "h", TrainedTokens: &tokens, Hyperparameters: map[string]string{"n_epochs": "3"}, Metrics: map[string]float64{"loss": .5}}
	for _, id := range []string{"ft:a:b", "ours", "ours"} { // the second time in its place
		if err := Register(path, Tuned(base, id, lineage)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Get("ft:a:b")
	if err != nil {
		t.Fatal(err)
	}
	if got.Lineage == nil || got.Lineage.Base != "smollm2" || got.Lineage.Metrics["loss"] != .5 || *got.Lineage.TrainedTokens != 12 || got.Price.In != nil ||
		!reflect.DeepEqual(got.Command, base.Command) || !reflect.DeepEqual(got.Env, base.Env) || got.Context != base.Context || got.Health != base.Health {
		t.Errorf("read %+v", got)
	}
	if len(again.All()) != len(c.All())+2 {
		t.Errorf("there are %d models", len(again.All()))
	}
	if err := Register(path, Card{ID: "a b", Provider: "openai", Tasks: []Task{TaskChat}}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("a card that breaks a rule: %v", err)
	}
}

func TestModelsThatAreRegisteredAtOnceAreAllKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "models.yaml")
	const many = 30
	var group errgroup.Group
	for i := range many {
		group.Go(func() error {
			return Register(path, Card{ID: fmt.Sprint("ours-", i), Provider: "openai", Tasks: []Task{TaskChat}})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	shipped, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(all.All()) - len(shipped.All()); got != many {
		t.Errorf("%d of %d are there", got, many)
	}
}
