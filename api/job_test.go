package api

import (
	"testing"

	"grounded/jobs"
)

func TestAJobThatIsTheSameIsNoNews(t *testing.T) {
	var told lastTold
	job := jobs.Job{ID: "a", Status: jobs.Running}
	for i, c := range []struct {
		done int
		want bool
	}{{0, true}, {0, false}, {1, true}, {1, false}} {
		job.Progress.Done = c.done
		if got := told.isNews(job); got != c.want {
			t.Errorf("step %d: news %v", i, got)
		}
	}
}
