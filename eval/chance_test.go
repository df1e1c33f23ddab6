package eval_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/stat"
)

// verdicts goes from items to the JSON of a report of three arms, 88 questions about 22 documents, and returns its verdicts. The
// share of right answers of an arm is the same for all but oracle, and differs by document, in each arm another way.
func verdicts(t *testing.T, random *rand.Rand, oracle float64) map[string]stat.Verdict {
	t.Helper()
	arms := []string{"plain", "grounded", "oracle"}
	const questions, documents = 88, 22
	var items []eval.Item
	shift := map[string]float64{}
	for i, q := range numbered(questions) {
		document := fmt.Sprint(i % documents)
		q.Evidence = []dataset.Evidence{{Document: document}}
		for _, arm := range arms {
			if i < documents {
				shift[arm+document] = random.Float64()*.4 - .2
			}
			chance, text := .4+shift[arm+document], "no"
			if arm == "oracle" {
				chance += oracle
			}
			if random.Float64() < chance {
				text = "yes"
			}
			items = append(items, eval.Item{Model: "m", Arm: arm, Question: q, Answer: &corpus.Answer{Text: text}})
		}
	}
	r, err := eval.NewReport(header(questions, arms, "m"), items, eval.ReportConfig{Metric: eval.Right})
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Unit        string
		Comparisons []struct {
			Arm, Verdict string
			Beside       string `json:"than_arm"`
		}
	}
	if err := json.Unmarshal(written, &read); err != nil || read.Unit != eval.UnitDocument {
		t.Fatalf("report by %q, %v", read.Unit, err)
	}
	list := map[string]stat.Verdict{}
	for _, c := range read.Comparisons {
		list[c.Arm+" "+c.Beside] = stat.Verdict(c.Verdict)
	}
	return list
}

// TestReportsSeldomTellOfADifferenceThatIsNotThere counts reports with any false verdict, and those that find a true one.
func TestReportsSeldomTellOfADifferenceThatIsNotThere(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const reports = 40
	wrong, found := 0, 0
	for range reports {
		for _, v := range verdicts(t, random, 0) {
			if v == stat.Better || v == stat.Worse {
				wrong++
				break
			}
		}
	}
	for range reports / 2 {
		if list := verdicts(t, random, .35); list["oracle plain"] == stat.Better {
			found++
		}
	}
	if wrong*20 > reports {
		t.Errorf("%d of %d reports tell of a difference that is not there", wrong, reports)
	}
	if found*5 < reports/2*4 {
		t.Errorf("a difference of .35 is found %d times of %d", found, reports/2)
	}
}
