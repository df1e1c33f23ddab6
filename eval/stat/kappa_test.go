package stat_test

import (
	"math"
	"strings"
	"testing"

	"grounded/eval/stat"
)

func TestKappaIsAgreementBeyondChance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"y y y y n n n n", "y y y n n n n y", .5},     // by hand: .75 observed, .5 by chance
		{"a b c a b c", "a b c a b c", 1},              //
		{"y y n n", "n n y y", -1},                     //
		{"a a b b c c a b", "a b b c c a a b", 3. / 7}, // by hand: 5/8 observed, 22/64 by chance
		{"y y y n", "y y y y", 0},
	} {
		if got, ok := stat.Kappa(strings.Fields(c.a), strings.Fields(c.b)); !ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%q and %q: %v, %t, want %v", c.a, c.b, got, ok, c.want)
		}
	}
	var people, judge []string // scikit-learn's cohen_kappa_score
	for i := range 40 {
		a := []string{"better", "tie", "worse", "tie"}[i*7%11%4]
		b := []string{"better", "worse", "tie", "tie"}[i*5%13%4]
		if i%3 == 0 {
			b = a
		}
		people, judge = append(people, a), append(judge, b)
	}
	if got, ok := stat.Kappa(people, judge); !ok || math.Abs(got-0.3436293436293436) > 1e-12 {
		t.Errorf("of forty it is %v", got)
	}
	for _, none := range [][]string{nil, {"y", "y"}} {
		if got, ok := stat.Kappa(none, none); ok {
			t.Errorf("of %v it is %v", none, got)
		}
	}
}
