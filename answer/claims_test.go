package answer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClaimsCarryTheirMarkers(t *testing.T) {
	type want = []struct {
		Text    string
		Numbers []int
	}
	for _, c := range []struct {
		name, text string
		want       want
	}{
		{"inside and behind the stop", "Meals are paid [1]. Hotels are paid. [2][3] Flights are not.",
			want{{"Meals are paid.", []int{1}}, {"Hotels are paid.", []int{2, 3}}, {"Flights are not.", nil}}},
		{"at the beginning of a line", "[1] Meals are paid.\n[2] Hotels are paid.", want{{"Meals are paid.", []int{1}}, {"Hotels are paid.", []int{2}}}},
		{"in a list with a lead-in", "Here is what is paid:\n- **Meals**: 40 euros [1]\n2. Hotels [1, 1]",
			want{{"Meals: 40 euros", []int{1}}, {"Hotels", []int{1}}}},
		{"in Chinese", "餐费可以报销【1】。酒店需要发票［２］。", want{{"餐费可以报销。", []int{1}}, {"酒店需要发票。", []int{2}}}},
		{"nothing claimed", "Hello Anna!\n# Answer\nYes. I hope this helps! Would you like to know more? I don't know.\nSources: [1], [2]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got want
			for _, claim := range claims(c.text) {
				got = append(got, struct {
					Text    string
					Numbers []int
				}{claim.text, claim.numbers})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNumbersAreReadAsTheyAreMeant(t *testing.T) {
	for _, c := range []struct {
		text, language string
		want           []string
	}{
		{"1,000 or 1.000 or 1\u00a0000 or 1’000", "en", []string{"1000"}},
		{"4.5% and 4,50 euros", "en", []string{"4.5"}},
		{"thirty days", "en", []string{"30"}},
		{"sechs Stunden, 007", "de", []string{"6", "7"}},
		{"三十天内，每年15天", "zh", []string{"30", "15"}},
		{"第三方", "zh", nil},
	} {
		got := contentOf(c.text, c.language).numbers
		want := map[string]bool{}
		for _, n := range c.want {
			want[n] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}
