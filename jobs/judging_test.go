package jobs_test

import (
	"path/filepath"
	"testing"

	"grounded/eval/dataset"
	"grounded/jobs"
	"grounded/jobs/sqlite"
)

func TestAJudgeWaitsForTheEvaluationAndForOtherJudges(t *testing.T) {
	q, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "jobs.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	request, questions := jobs.Job{Collection: "c"}, []dataset.Question{{ID: "a", Question: "Why?"}}
	made := func(j jobs.Job, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return j.ID
	}
	evaluation := made(jobs.SubmitEvaluation(t.Context(), q, jobs.Limits{}, request, jobs.EvaluationSpec{}, questions))
	first := made(jobs.SubmitJudging(t.Context(), q, jobs.Limits{}, request, jobs.JudgingSpec{Evaluation: evaluation}))
	second := made(jobs.SubmitJudging(t.Context(), q, jobs.Limits{}, request, jobs.JudgingSpec{Evaluation: evaluation}))
	other := made(jobs.SubmitRetrieval(t.Context(), q, jobs.Limits{}, request, jobs.RetrievalSpec{}, questions))
	claim := func(want string) jobs.Lease {
		t.Helper()
		l, err := q.Claim(t.Context(), jobs.Claimant{Kinds: []string{jobs.KindEvaluation, jobs.KindJudging, jobs.KindRetrieval}})
		if err != nil || l.Job.ID != want {
			t.Fatalf("got job %s of kind %s, %v", l.Job.ID, l.Job.Kind, err)
		}
		return l
	}
	end := func(l jobs.Lease) {
		t.Helper()
		if err := q.End(t.Context(), l, jobs.Done, ""); err != nil {
			t.Fatal(err)
		}
	}
	asking := claim(evaluation)
	end(claim(other)) // which was submitted last
	end(asking)
	end(claim(first))
	end(claim(second))
}
