package metric_test

import (
	"math"
	"strings"
	"testing"

	"grounded/eval/metric"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestRankingsScoreAsPytrecEvalScoresThem(t *testing.T) {
	for _, c := range []struct {
		ranking           string
		gains             map[string]float64
		recall, precision [2]float64 // at 5 and 10
		reciprocal        float64    // at 14: the whole ranking
		ndcg              [2]float64
	}{
		{"d8 d12 d11 d10", map[string]float64{"d11": 3, "d13": 1, "d2": 1, "d7": 1, "d8": 2},
			[2]float64{0.4, 0.4}, [2]float64{0.4, 0.2}, 1.0, [2]float64{0.6273088469028975, 0.6273088469028975}},
		{"d7 d9 d3 d8 d11 d4 d13 d0 d5 d6 d12 d2", map[string]float64{"d11": 3, "d2": 1, "d4": 1},
			[2]float64{0.3333333333333333, 0.6666666666666666}, [2]float64{0.2, 0.2}, 0.2, [2]float64{0.2809436351950179, 0.36717293667371237}},
		{"d1 d0 d10 d12 d3 d9 d11 d8 d6 d5 d4 d7", map[string]float64{"d1": 3, "d5": 1, "d8": 1, "d9": 3},
			[2]float64{0.25, 1.0}, [2]float64{0.2, 0.4}, 1.0, [2]float64{0.515157140670655, 0.8024690811013404}},
		{"d7 d12 d13 d2", map[string]float64{"d1": 2, "d10": 1, "d3": 3},
			[2]float64{0.0, 0.0}, [2]float64{0.0, 0.0}, 0.0, [2]float64{0.0, 0.0}},
		{"d4 d0 d3 d2 d6 d1 d12 d8 d9 d11 d10 d7 d5 d13", map[string]float64{"d10": 1, "d3": 1, "d5": 3, "d7": 1, "d9": 3},
			[2]float64{0.2, 0.4}, [2]float64{0.2, 0.2}, 0.3333333333333333, [2]float64{0.08051116699631379, 0.22592882450712828}},
		{"d2 d10 d13 d4 d3 d9 d8 d1 d5 d12 d6 d11", map[string]float64{"d0": 3, "d1": 1, "d12": 1, "d3": 1, "d4": 1, "d9": 1},
			[2]float64{0.3333333333333333, 0.8333333333333334}, [2]float64{0.4, 0.5}, 0.25, [2]float64{0.16520887526157216, 0.3352267895743851}},
	} {
		ranking := strings.Fields(c.ranking)
		for i, k := range []int{5, 10} {
			recall, _ := metric.Recall(ranking, c.gains, k)
			precision, _ := metric.Precision(ranking, c.gains, k)
			ndcg, _ := metric.NDCG(ranking, c.gains, k)
			if !near(recall, c.recall[i]) || !near(precision, c.precision[i]) || !near(ndcg, c.ndcg[i]) {
				t.Errorf("%s at %d: recall %v, precision %v, nDCG %v, want %v, %v, %v", c.ranking, k, recall, precision, ndcg, c.recall[i], c.precision[i], c.ndcg[i])
			}
		}
		if r, _ := metric.ReciprocalRank(ranking, c.gains, 14); !near(r, c.reciprocal) {
			t.Errorf("%s: reciprocal rank %v, want %v", c.ranking, r, c.reciprocal)
		}
	}
	if r, _ := metric.ReciprocalRank([]string{"x", "y", "a"}, map[string]float64{"a": 1}, 2); r != 0 {
		t.Errorf("the reciprocal rank at 2 of the third is %v", r)
	}
}

func TestWithoutRelevantItemsNoRankingIsScored(t *testing.T) {
	for name, score := range map[string]func([]string, map[string]float64, int) (float64, bool){
		"recall": metric.Recall, "precision": metric.Precision, "reciprocal rank": metric.ReciprocalRank, "nDCG": metric.NDCG,
	} {
		if v, ok := score([]string{"a"}, nil, 5); ok || v != 0 {
			t.Errorf("%s is %v, %t", name, v, ok)
		}
		if v, ok := score(nil, map[string]float64{"a": 1}, 5); !ok || v != 0 {
			t.Errorf("%s of an empty ranking is %v, %t", name, v, ok)
		}
	}
}

func TestCitationsAreComparedWithWhatIsRelevant(t *testing.T) {
	set := func(items string) map[string]bool {
		m := map[string]bool{}
		for _, item := range strings.Fields(items) {
			m[item] = true
		}
		return m
	}
	for _, c := range []struct {
		cited, relevant   string
		precision, recall float64 // -1: not defined
	}{
		{"a b", "a c d", 1. / 2, 1. / 3}, {"x", "a", 0, 0}, {"", "a", -1, 0}, {"a", "", -1, -1},
	} {
		precision, recall := metric.Overlap(set(c.cited), set(c.relevant))
		for got, want := range map[*float64]float64{precision: c.precision, recall: c.recall} {
			if (got == nil) != (want < 0) || got != nil && !near(*got, want) {
				t.Errorf("%q of %q: %v, want %v", c.cited, c.relevant, got, want)
			}
		}
	}
}
