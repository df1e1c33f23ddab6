package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// tuning is a provider's fine-tuning. A job runs when it is asked about first and is over after; with the suffix bad it
// fails.
type tuning struct {
	mu     sync.Mutex
	suffix map[string]string // by job
	asked  map[string]int
}

func (t *tuning) routes(mux *http.ServeMux) {
	t.suffix, t.asked = map[string]string{}, map[string]int{}
	mux.HandleFunc("POST /v1/files", func(w http.ResponseWriter, r *http.Request) {
		_, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, `{"error":{"message":"no file"}}`, http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"id":"file-%s","object":"file","purpose":"fine-tune","status":"processed"}`, header.Filename)
	})
	mux.HandleFunc("POST /v1/fine_tuning/jobs", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Suffix string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, `{}`, http.StatusBadRequest)
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		id := fmt.Sprintf("ftjob-%d", len(t.suffix)+1)
		t.suffix[id] = q.Suffix
		fmt.Fprint(w, t.job(id, "validating_files"))
	})
	mux.HandleFunc("GET /v1/fine_tuning/jobs", func(w http.ResponseWriter, _ *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		list := ""
		for i := len(t.suffix); i > 0; i-- {
			if list != "" {
				list += ","
			}
			list += t.job(fmt.Sprintf("ftjob-%d", i), "succeeded")
		}
		fmt.Fprintf(w, `{"object":"list","data":[%s],"has_more":false}`, list)
	})
	mux.HandleFunc("GET /v1/fine_tuning/jobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		id := r.PathValue("id")
		t.asked[id]++
		switch suffix, there := t.suffix[id]; {
		case !there:
			http.Error(w, `{"error":{"message":"Could not find fine tune: `+id+`","type":"invalid_request_error"}}`, http.StatusNotFound)
		case t.asked[id] == 1:
			fmt.Fprint(w, t.job(id, "running"))
		case suffix == "bad":
			fmt.Fprint(w, t.job(id, "failed"))
		default:
			fmt.Fprint(w, t.job(id, "succeeded"))
		}
	})
	mux.HandleFunc("POST /v1/fine_tuning/jobs/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, t.job(r.PathValue("id"), "cancelled"))
	})
	mux.HandleFunc("GET /v1/fine_tuning/jobs/{id}/events", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"object":"fine_tuning.job.event","id":"e","created_at":1721764801,"level":"info","message":"Step 2/90: training loss=0.31","type":"metrics"}],"has_more":false}`)
	})
	mux.HandleFunc("GET /v1/fine_tuning/jobs/{id}/checkpoints", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"object":"fine_tuning.job.checkpoint","id":"c","fine_tuned_model_checkpoint":"ft:parrot:ckpt-step-60","metrics":{"full_valid_loss":0.1},"step_number":60}],"has_more":false}`)
	})
}

// job is the provider's word of a job.
func (t *tuning) job(id, status string) string {
	made, trouble, tokens := "null", "{}", "null"
	switch status {
	case "succeeded":
		made, tokens = fmt.Sprintf("%q", "ft:parrot:"+t.suffix[id]), "5768"
	case "failed":
		trouble = `{"code":"invalid_training_file","message":"The job failed due to an invalid training file.","param":"training_file"}`
	}
	return fmt.Sprintf(`{"object":"fine_tuning.job","id":%q,"model":"parrot","created_at":1721764800,"finished_at":null,"fine_tuned_model":%s,"status":%q,
		"training_file":"file-train.jsonl","validation_file":null,"hyperparameters":{"n_epochs":3},"trained_tokens":%s,"error":%s}`, id, made, status, tokens, trouble)
}
