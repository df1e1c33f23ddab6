package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"grounded/answer"
	"grounded/corpus"
)

// Calibration says where to set the threshold below which a question is declined (answer.abstain_below).
type Calibration struct {
	Model string      `json:"model"`
	Curve []RiskPoint `json:"curve"` // from few answered questions to all
	// Below is the dense score that tells answerable from unanswerable questions best, by the mean of both shares that are
	// told rightly; nil when there are fewer than 20 of either.
	Below  *float64   `json:"below"`
	At     *RiskPoint `json:"at"`     // what would come of Below here; nil when there is none, or when no question would be answered
	Advice string     `json:"advice"` // a sentence or two
}

// RiskPoint is what comes of answering only where the best passage's dense score is at least Threshold.
type RiskPoint struct {
	Threshold float64 `json:"threshold"`
	Coverage  float64 `json:"coverage"` // share of the questions that is answered
	Risk      float64 `json:"risk"`     // share of the answered that is wrong
}

const enoughOfEach = 20

// Calibrate looks at a grounded column; of others the curve is empty. Questions that were declined before a model was
// asked can't show what it would have answered and are left out of the curve.
func Calibrate(c Column) (k Calibration) {
	k.Model = c.Model
	type judged struct {
		dense, right float64
	}
	var list []judged
	var answerable, unanswerable []float64
	if c.Arm != answer.ArmGrounded {
		return k
	}
	reranked := false
	for id, item := range c.items {
		best, ok := bestDense(item)
		if !ok {
			continue
		}
		reranked = reranked || slices.ContainsFunc(item.Answer.Passages, func(p corpus.Passage) bool { return p.Scores.Rerank != nil })
		if item.Question.Answerable {
			answerable = append(answerable, best)
		} else {
			unanswerable = append(unanswerable, best)
		}
		if right, known := c.scores[id][Right]; known && len(item.Calls) > 0 {
			list = append(list, judged{best, right})
		}
	}
	slices.SortFunc(list, func(a, b judged) int { return cmp.Compare(b.dense, a.dense) })
	wrong := 0.0
	for i, j := range list {
		wrong += 1 - j.right
		if i+1 == len(list) || list[i+1].dense != j.dense {
			n := float64(i + 1)
			k.Curve = append(k.Curve, RiskPoint{j.dense, n / float64(len(list)), wrong / n})
		}
	}
	if reranked {
		k.Advice = "No threshold is recommended: the passages were reranked, and answer.abstain_below judges only those that are not."
		return k
	}
	k.advise(answerable, unanswerable)
	return k
}

func (k *Calibration) advise(answerable, unanswerable []float64) {
	if len(answerable) < enoughOfEach || len(unanswerable) < enoughOfEach {
		k.Advice = fmt.Sprintf("No threshold is recommended: that needs %d answerable and %d unanswerable questions; there are %d and %d. Questions about other documents are unanswerable ones for free.",
			enoughOfEach, enoughOfEach, len(answerable), len(unanswerable))
		return
	}
	best := 0.0
	for _, score := range answerable {
		// Rounded up, the setting would decline the very question that it is taken from.
		t := math.Floor(score*1000) / 1000
		at := func(list []float64) float64 {
			n := 0
			for _, v := range list {
				if v >= t {
					n++
				}
			}
			return float64(n) / float64(len(list))
		}
		if told := (at(answerable) + 1 - at(unanswerable)) / 2; told > best || told == best && k.Below != nil && t < *k.Below {
			best, k.Below = told, &t
		}
	}
	if k.Below == nil {
		return
	}
	k.Advice = fmt.Sprintf("Recommended is answer.abstain_below: %.3f. It tells %.1f%% of the questions rightly, answerable and unanswerable ones weighing the same.", *k.Below, math.Floor(1000*best)/10) // never 100% when one was not
	for i, point := range k.Curve {
		if point.Threshold >= *k.Below {
			k.At = &k.Curve[i]
		}
	}
	if k.At != nil {
		all := k.Curve[len(k.Curve)-1]
		k.Advice += fmt.Sprintf(" Here %.0f%% of the questions would be answered and %.0f%% of these answers wrong; without it %.0f%% are.", 100*k.At.Coverage, 100*k.At.Risk, 100*all.Risk)
	}
}

// bestDense is the highest dense score of an item's passages.
func bestDense(i Item) (best float64, ok bool) {
	if i.Answer == nil {
		return 0, false
	}
	for _, p := range i.Answer.Passages {
		if d := p.Scores.Dense; d != nil && (!ok || *d > best) {
			best, ok = *d, true
		}
	}
	return best, ok
}
