package stat_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"grounded/eval/stat"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

var skewed = []float64{.5, -.1, .3, 0, .2, .9, -.4, .25, .1, .6, .05, -.2}

// cubes are sixty values between 0 and 1, most of them small.
func cubes() (values []float64) {
	for i := range 60 {
		values = append(values, math.Pow(float64(i*37%101)/101, 3))
	}
	return values
}

// unequal are the sixty values less .25, in twelve clusters of different sizes.
func unequal() stat.Sample {
	values, clusters := cubes(), []string{}
	for i := range values {
		values[i] -= .25
		clusters = append(clusters, fmt.Sprint(i*i%23))
	}
	return stat.NewSample(values, clusters)
}

// The percentiles are numpy's.
func TestPercentilesAgreeWithNumpy(t *testing.T) {
	for p, want := range map[float64]float64{.5: 0.11775636440224749, .95: 0.8087846173108635, .99: 0.9205824996772783} {
		if got := stat.Percentile(cubes(), p); !near(got, want, 1e-12) {
			t.Errorf("percentile %v is %v, want %v", p, got, want)
		}
	}
	for p, want := range map[float64]float64{.05: 0.0002911770443782934, .5: 0.04916330276297897, .95: 0.520682790757264} {
		if got := stat.Percentile(cubes()[:7], p); !near(got, want, 1e-12) {
			t.Errorf("percentile %v of seven is %v, want %v", p, got, want)
		}
	}
}

// The p-values are statsmodels' mcnemar(exact=True), multipletests(method='holm') and scipy's permutation_test with
// permutation_type='samples' over all patterns.
func TestTestsAgreeWithScipyAndStatsmodels(t *testing.T) {
	for _, c := range []struct {
		b, c int
		want float64
	}{{0, 0, 1}, {1, 5, 0.21875}, {3, 12, 0.03515625}, {10, 10, 1}, {0, 8, 0.0078125}, {70, 40, 0.005447429511444476},
		{0, 1, 1}, {5, 0, 0.0625}, {431, 512, 0.009147443051900267}, {1000, 1100, 0.03072070786424249}, {3000, 3300, 0.00016475607669748363}} {
		if p := stat.McNemar(c.b, c.c); !near(p, c.want, 1e-12) {
			t.Errorf("McNemar of %d and %d is %v, want %v", c.b, c.c, p, c.want)
		}
	}
	adjusted := stat.Holm([]float64{0.01, 0.04, 0.03, 0.005, 0.5, 0.04})
	for i, want := range []float64{0.05, 0.12, 0.12, 0.03, 0.5, 0.12} {
		if !near(adjusted[i], want, 1e-12) {
			t.Errorf("Holm adjusts to %v", adjusted)
			break
		}
	}
	var ps []float64
	for i := range 12 {
		ps = append(ps, float64(i*37%101+1)/400)
	}
	for i, want := range []float64{.03, .665, .725, .275, .72, .725, .4725, .725, .725, .62, .725, .11} {
		if got := stat.Holm(ps)[i]; !near(got, want, 1e-12) {
			t.Errorf("Holm adjusts %v to %v, want %v", ps[i], got, want)
		}
	}
	if p := stat.Randomisation(unequal()); !near(p, 0.76171875, 1e-12) {
		t.Errorf("exact randomisation of clusters is %v", p)
	}
	if p := stat.Randomisation(stat.NewSample(skewed, nil)); !near(p, 0.1162109375, 1e-12) {
		t.Errorf("exact randomisation is %v", p)
	}
	// Each value twice in opposite halves of a larger sample: drawn patterns are near a test by the normal curve.
	s := stat.NewSample(append(cubes(), skewed...), nil)
	z := s.Mean() / s.StandardError()
	if p := stat.Randomisation(s); p > 1e-3 || z < 5 {
		t.Errorf("drawn randomisation of a clear difference is %v", p)
	}
}

// The intervals are scipy's bootstrap(method='BCa') with 400,000 resamples, so that what is left is the chance in 10,000.
func TestIntervalsAgreeWithScipy(t *testing.T) {
	var steps []float64
	for range 3 {
		steps = append(steps, 0, 0, 1, 1, -1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, -1)
	}
	for _, c := range []struct {
		values    []float64
		low, high float64
		within    float64
	}{
		{skewed, 0, 0.39166666666666666, 0.009},
		{cubes(), 0.17730995538590894, 0.31805216852034335, 0.005},
		{steps, 0.05, 0.35, 1. / 60},
	} {
		got, ok := stat.Bootstrap(stat.NewSample(c.values, nil), .95)
		if !ok || !near(got.Low, c.low, c.within) || !near(got.High, c.high, c.within) {
			t.Errorf("interval is %v, want %v to %v", got, c.low, c.high)
		}
		mixed := slices.Clone(c.values)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if again, _ := stat.Bootstrap(stat.NewSample(mixed, nil), .95); !near(again.Low, got.Low, 1e-12) || !near(again.High, got.High, 1e-12) {
			t.Errorf("the order of the questions changes the interval from %v to %v", got, again)
		}
	}
}

// Of clusters of unequal sizes it is scipy's bootstrap of their sums and sizes, resampled together.
func TestIntervalsOfClustersAgreeWithScipy(t *testing.T) {
	got, ok := stat.Bootstrap(unequal(), .95)
	if !ok || !near(got.Low, -0.06180463059735596, .003) || !near(got.High, 0.05675827682881022, .003) {
		t.Errorf("interval is %v, want -.0618 to .0568", got)
	}
}

// The standard errors are s/√n and statsmodels' cluster-robust one, times √(12/11) for its missing correction.
func TestStandardErrorsKnowClusters(t *testing.T) {
	var groups []string
	for i := range 60 {
		groups = append(groups, fmt.Sprint(i/5))
	}
	if se := stat.NewSample(cubes(), nil).StandardError(); !near(se, 0.03585242082122417, 1e-12) {
		t.Errorf("standard error is %v", se)
	}
	s := stat.NewSample(cubes(), groups)
	if se := s.StandardError(); !near(se, 0.025336758629519552, 1e-12) || s.Clusters() != 12 || s.Len() != 60 {
		t.Errorf("standard error of clusters is %v", se)
	}
	if d := stat.DetectableEffect(s, .05); !near(d, (1.959963984540054+0.8416212335729143)*0.025336758629519552, 1e-9) {
		t.Errorf("smallest detectable effect is %v", d)
	}
	if n := stat.QuestionsNeeded(s, .05, stat.DetectableEffect(s, .05)/2); n < 239 || n > 241 {
		t.Errorf("%d questions are needed to halve it, want 240", n)
	}
	if n := stat.QuestionsNeeded(stat.NewSample([]float64{1}, nil), .05, .1); n != 0 {
		t.Errorf("%d questions are needed by one score", n)
	}
}

func repeat(n int, values ...float64) (list []float64) {
	for i := range n {
		list = append(list, values[i%len(values)])
	}
	return list
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   stat.Verdict
	}{
		{"eight, all better", repeat(8, 1), stat.TooFewQuestions},
		{"none", nil, stat.TooFewQuestions},
		{"twins", repeat(50, 0), stat.NoDifferenceShown},
		{"clearly better", repeat(60, 1, 0, 0, .5), stat.Better},
		{"clearly worse", repeat(60, -1, 0, 0, -.5), stat.Worse},
		{"small changes both ways", repeat(200, .1, -.1, 0), stat.NoDifferenceShown},
		{"great changes both ways", repeat(30, 1, -1, 0), stat.TooFewQuestions},
	} {
		if got := stat.Compare([]stat.Sample{stat.NewSample(c.values, nil)}, stat.Rule{})[0]; got.Verdict != c.want {
			t.Errorf("%s: %q, want %q: %+v", c.name, got.Verdict, c.want, got)
		}
	}
	// What is enough alone is not among twenty comparisons.
	weak := stat.NewSample(append(repeat(12, 1), append(repeat(3, -1), repeat(60, 0)...)...), nil)
	alone := stat.Compare([]stat.Sample{weak}, stat.Rule{})[0]
	many := []stat.Sample{weak}
	for range 19 {
		many = append(many, stat.NewSample(repeat(60, .1, -.1), nil))
	}
	if among := stat.Compare(many, stat.Rule{})[0]; alone.Verdict != stat.Better || among.Verdict == stat.Better {
		t.Errorf("alone it is %q, among twenty %q", alone.Verdict, among.Verdict)
	}
}

// Among five comparisons a difference must pass a fifth of the level, and what can be found is told accordingly: by
// simulation the effect that the unadjusted level gives is found six times of ten, not eight.
func TestWhatCanBeFoundIsToldOfAdjustedComparisons(t *testing.T) {
	s := stat.NewSample(cubes(), nil)
	list := stat.Compare([]stat.Sample{s, s, s, stat.NewSample(nil, nil), s, s}, stat.Rule{Effect: .05})
	for _, i := range []int{0, 5} {
		if d, n := *list[i].Detectable, *list[i].Needed; !near(d, stat.DetectableEffect(s, .01), 1e-12) || n != stat.QuestionsNeeded(s, .01, .05) {
			t.Errorf("comparison %d: %v can be found, %d questions are needed", i, d, n)
		}
	}
	// (2.5758 + .8416) · s/√n, with the quantiles of scipy's norm.ppf.
	if d := *list[0].Detectable; !near(d, (2.5758293035489004+0.8416212335729143)*0.03585242082122417, 1e-9) {
		t.Errorf("%v can be found", d)
	}
}

// TestNoDifferenceIsSeldomCalledOne compares systems that are alike by construction, and some that are not.
func TestNoDifferenceIsSeldomCalledOne(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	shared := 0.0
	wrong, times := 0, 0
	for _, draw := range []func(question int) (value float64, cluster string){
		func(i int) (float64, string) {
			a, b := random.IntN(2), random.IntN(2)
			return float64(a - b), fmt.Sprint(i)
		},
		func(i int) (float64, string) {
			a, b := random.IntN(8), random.IntN(8)
			return float64(a/7 - b/7), fmt.Sprint(i)
		},
		func(i int) (float64, string) {
			a, b := random.Float64(), random.Float64()
			return a*a*a*a - b*b*b*b, fmt.Sprint(i)
		},
		func(i int) (float64, string) {
			if i%3 == 0 {
				shared = random.NormFloat64()
			}
			return shared + random.NormFloat64()/2, fmt.Sprint(i / 3)
		},
	} {
		wrong, times = wrong+falseVerdicts(draw, 60), times+60
	}
	if wrong*20 > times {
		t.Errorf("%d of %d verdicts are false", wrong, times)
	}
	found := falseVerdicts(func(i int) (float64, string) { return float64(min(1, random.IntN(4)) - random.IntN(2)), fmt.Sprint(i) }, 20)
	if found < 8 {
		t.Errorf("a difference of .25 is found %d times of 20", found)
	}
}

func falseVerdicts(draw func(question int) (float64, string), times int) (wrong int) {
	for range times {
		var values []float64
		var clusters []string
		for i := range 66 {
			v, c := draw(i)
			values, clusters = append(values, v), append(clusters, c)
		}
		if v := stat.Compare([]stat.Sample{stat.NewSample(values, clusters)}, stat.Rule{})[0].Verdict; v == stat.Better || v == stat.Worse {
			wrong++
		}
	}
	return wrong
}
