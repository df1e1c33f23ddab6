package finetune

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
)

// asked are questions, of as many documents, whose evidence is on as many pages.
func asked(n, documents, pages int) (list []dataset.Question) {
	for i := range n {
		list = append(list, dataset.Question{ID: fmt.Sprint(i), Question: fmt.Sprintf("question %d?", i), Answerable: true,
			Evidence: []dataset.Evidence{{Document: fmt.Sprintf("d%d", i%documents), Page: 1 + i%pages}}})
	}
	return list
}

func TestNothingOfValidationIsTrainedOn(t *testing.T) {
	for _, c := range []struct {
		name      string
		questions []dataset.Question
		share     float64
		unit      string
	}{
		{"documents", asked(100, 10, 1), .2, ByDocument},
		{"pages", asked(100, 1, 20), .2, ByPage},
		{"small", asked(12, 6, 1), .3, ByDocument},
	} {
		train, validation, err := Split(c.questions, c.share, c.unit)
		if err != nil {
			t.Fatal(err)
		}
		if n := float64(len(validation)); len(train)+len(validation) != len(c.questions) || n < c.share*float64(len(c.questions))/2 || n > 2*c.share*float64(len(c.questions)) {
			t.Errorf("%s: %d and %d", c.name, len(train), len(validation))
		}
		seen, whole := map[string]bool{}, withoutPages(c.questions)
		for _, q := range train {
			for _, key := range keys(q, c.unit, whole) {
				seen[key] = true
			}
		}
		for _, q := range validation {
			for _, key := range keys(q, c.unit, whole) {
				if seen[key] {
					t.Errorf("%s: %s is on both sides", c.name, key)
				}
			}
		}
		ids := func(list []dataset.Question) []string {
			var ids []string
			for _, q := range list {
				ids = append(ids, q.ID)
			}
			slices.Sort(ids)
			return ids
		}
		slices.Reverse(c.questions)
		if again, _, err := Split(c.questions, c.share, c.unit); err != nil || !slices.Equal(ids(again), ids(train)) {
			t.Errorf("%s: in another order they are parted in another way: %v", c.name, err)
		}
	}
}

func TestEvidenceWithoutAPageTiesTheWholeDocument(t *testing.T) {
	questions := asked(12, 1, 6)
	questions[3].Evidence[0].Page = 0
	questions = append(questions, asked(24, 2, 6)[12:]...)
	for i := range questions[12:] {
		questions[12+i].Evidence[0].Document = "other"
	}
	train, validation, err := Split(questions, .3, ByPage)
	if err != nil {
		t.Fatal(err)
	}
	sides := map[bool]bool{}
	for _, q := range train {
		sides[true] = sides[true] || q.Evidence[0].Document == "d0"
	}
	for _, q := range validation {
		sides[false] = sides[false] || q.Evidence[0].Document == "d0"
	}
	if sides[true] && sides[false] {
		t.Error("a document, one evidence of which may be on any page, is on both sides")
	}
}

func TestAQuestionAskedTwiceStaysOnOneSide(t *testing.T) {
	questions := asked(20, 20, 1)
	for i := range questions {
		questions[i].Question = fmt.Sprintf("Question  %d?", i/2)
	}
	train, validation, err := Split(questions, .25, ByDocument)
	if err != nil || len(validation) == 0 {
		t.Fatal(err)
	}
	for _, q := range train {
		if slices.ContainsFunc(validation, func(o dataset.Question) bool { return o.Question == q.Question }) {
			t.Errorf("%s is on both sides", q.Question)
		}
	}
}

func TestWhatCantBePartedSaysSo(t *testing.T) {
	_, _, err := Split(asked(20, 1, 5), .2, ByDocument)
	if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(corpus.HintOf(err), "--split page") {
		t.Errorf("one document: %v", err)
	}
	for _, share := range []float64{-.1, 1, math.NaN()} {
		if _, _, err := Split(asked(20, 5, 5), share, ByDocument); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("share %v: %v", share, err)
		}
	}
	if _, _, err := Split(asked(20, 5, 5), .2, "word"); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("unit: %v", err)
	}
	if train, validation, err := Split(asked(20, 1, 1), 0, ByDocument); err != nil || len(train) != 20 || len(validation) != 0 {
		t.Errorf("no validation: %d, %d, %v", len(train), len(validation), err)
	}
}

func TestASetIsCheckedEstimatedAndReadAgain(t *testing.T) {
	three := 3.0
	base := model.Card{ID: "base", Context: 50, Price: model.Price{Training: &three}}
	example := func(tokens int) Example {
		return Example{Messages: []model.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "<b>ho</b>"}}, id: "q", tokens: tokens}
	}
	train := slices.Repeat([]Example{example(40)}, 60)
	m := Describe(base, train, []Example{example(10)}, nil, 0)
	if len(m.Problems)+len(m.Warnings) != 0 || m.TrainTokens != 2400 || math.Abs(*m.CostUSD-2400*3*3/1e6) > 1e-12 {
		t.Errorf("manifest is %+v", m)
	}
	for name, c := range map[string]struct {
		train []Example
		want  string
	}{"few": {train[:9], "There are 9 examples"}, "long": {append(slices.Clone(train), example(51)), "has 51 tokens"}} {
		if got := Describe(base, c.train, nil, nil, 1); len(got.Problems) != 1 || !strings.Contains(got.Problems[0], c.want) {
			t.Errorf("%s: %v", name, got.Problems)
		}
	}
	if got := Describe(model.Card{}, train, nil, nil, 1); got.CostUSD != nil {
		t.Errorf("cost without a price is %v", *got.CostUSD)
	}
	folder := t.TempDir() + "/set"
	if m, err := Write(folder, m, train, []Example{example(10)}, asked(2, 2, 1)); err != nil || len(m.Hashes) != 3 {
		t.Fatalf("%v, %v", m.Hashes, err)
	}
	set, err := Read(folder)
	if err != nil || !strings.Contains(string(set.Train), `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"<b>ho</b>"}]}`+"\n") || set.Validation == nil {
		t.Errorf("read %+v, %v", set.Manifest, err)
	}
	if _, err := Write(folder, m, train, nil, nil); !errors.Is(err, corpus.ErrConflict) {
		t.Errorf("written twice: %v", err)
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("read what is none: %v", err)
	}
}

func TestMarkersStandBeforeTheFullStop(t *testing.T) {
	for _, c := range [][2]string{{"It is 27.", "It is 27 [1]."}, {"二十七天。", "二十七天 [1]。"}, {"27 days", "27 days [1]"}} {
		if got := cited(c[0], "[1]"); got != c[1] {
			t.Errorf("%q gives %q", c[0], got)
		}
	}
}

func TestARecordOfAJobStaysInItsFolder(t *testing.T) {
	folder := t.TempDir()
	for _, job := range []string{"ftjob-1", "../../etc/passwd"} {
		if err := Keep(folder, Record{Job: job, Base: "b"}); err != nil {
			t.Fatal(err)
		}
		if r, found, err := Recorded(folder, job); err != nil || !found || r.Job != job {
			t.Errorf("%s: %+v, %t, %v", job, r, found, err)
		}
	}
	if _, found, err := Recorded(folder, "other"); err != nil || found {
		t.Errorf("another: %t, %v", found, err)
	}
}
