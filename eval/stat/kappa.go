package stat

// Kappa is how much two raters agree beyond chance: (p_o − p_e) / (1 − p_e), with p_o the share of cases that both put
// into the same category, and p_e that which their shares of each category would give by chance (Cohen, 1960). It is
// not defined for no cases, and where both only ever use one and the same category.
func Kappa(a, b []string) (kappa float64, ok bool) {
	n := float64(len(a))
	same, ofA, ofB := 0.0, map[string]float64{}, map[string]float64{}
	for i := range a {
		if a[i] == b[i] {
			same++
		}
		ofA[a[i]]++
		ofB[b[i]]++
	}
	chance := 0.0
	for category, count := range ofA {
		chance += count / n * ofB[category] / n
	}
	if n == 0 || chance >= 1 {
		return 0, false
	}
	return (same/n - chance) / (1 - chance), true
}
