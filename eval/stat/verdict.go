package stat

import (
	"math"
	"sync"
)

// Verdict is what a comparison comes to.
type Verdict string

// The verdicts.
const (
	Better            Verdict = "better"
	Worse             Verdict = "worse"
	NoDifferenceShown Verdict = "no difference shown"
	TooFewQuestions   Verdict = "too few questions"
)

// MinClusters is how many independent questions there must be for anything to be judged.
const MinClusters = 20

const (
	worthwhile         = 0.1 // a difference that too few questions must not hide, on a scale from 0 to 1
	defaultSignificant = 0.05
)

// Rule says what a verdict needs. Zero values are the defaults.
type Rule struct {
	Alpha float64 // level of significance, after Holm; .05
	// Effect is the difference that matters. When nothing is shown and the questions could not have shown a difference
	// of this size, there were too few; .1.
	Effect float64
}

// Comparison is a mean difference with all that is known about how sure it is. What is not known is nil.
type Comparison struct {
	Questions  int       `json:"questions"` // that both sides have a score of
	Clusters   int       `json:"clusters"`
	Difference *float64  `json:"difference"`
	Interval   *Interval `json:"interval"` // 95%, BCa
	P          *float64  `json:"p"`        // by randomisation
	PHolm      *float64  `json:"p_holm"`   // adjusted for all comparisons beside it
	McNemar    *float64  `json:"p_mcnemar"`
	Detectable *float64  `json:"smallest_detectable"` // difference, when all comparisons are adjusted for each other
	Needed     *int      `json:"questions_needed"`    // to find Rule.Effect
	Verdict    Verdict   `json:"verdict"`
}

// Compare compares mean differences, one sample a comparison, and gives each its verdict, adjusted for all of them. A
// difference is better or worse when its adjusted p is below Alpha and its interval leaves 0 out; fewer than 20
// clusters are never enough.
func Compare(samples []Sample, rule Rule) []Comparison {
	if rule.Alpha <= 0 {
		rule.Alpha = defaultSignificant
	}
	if rule.Effect <= 0 {
		rule.Effect = worthwhile
	}
	list, ps, at := make([]Comparison, len(samples)), []float64{}, []int{}
	level := rule.Alpha / float64(max(1, testable(samples))) // that Holm holds the first of them against
	var wg sync.WaitGroup
	for i, s := range samples {
		wg.Go(func() { list[i] = describe(s, level, rule.Effect) })
	}
	wg.Wait()
	for i := range list {
		if list[i].P != nil {
			ps, at = append(ps, *list[i].P), append(at, i)
		}
	}
	for j, p := range Holm(ps) {
		list[at[j]].PHolm = &p
	}
	for i := range list {
		list[i].Verdict = list[i].judge(rule)
	}
	return list
}

// testable counts the samples that a test can be made of.
func testable(samples []Sample) (n int) {
	for _, s := range samples {
		if s.Clusters() > 1 {
			n++
		}
	}
	return n
}

func describe(s Sample, level, effect float64) Comparison {
	c := Comparison{Questions: s.Len(), Clusters: s.Clusters()}
	if s.Len() == 0 {
		return c
	}
	mean := s.Mean()
	c.Difference = &mean
	if i, ok := Bootstrap(s, 0.95); ok {
		c.Interval = &i
		p, detectable, needed := Randomisation(s), DetectableEffect(s, level), QuestionsNeeded(s, level, effect)
		c.P, c.Detectable = &p, &detectable
		if needed > 0 {
			c.Needed = &needed
		}
	}
	return c
}

func (c Comparison) judge(rule Rule) Verdict {
	switch {
	case c.Clusters < MinClusters || c.PHolm == nil:
		return TooFewQuestions
	case *c.PHolm < rule.Alpha && c.Interval.Low > 0:
		return Better
	case *c.PHolm < rule.Alpha && c.Interval.High < 0:
		return Worse
	case *c.Detectable > rule.Effect && math.Max(-c.Interval.Low, c.Interval.High) > rule.Effect:
		return TooFewQuestions
	}
	return NoDifferenceShown
}
