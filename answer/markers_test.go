package answer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkersAreReadInEveryForm(t *testing.T) {
	for _, c := range []struct {
		text string
		want [][]int
	}{
		{"Paid [1].", [][]int{{1}}},
		{"Paid [1][2].", [][]int{{1}, {2}}},
		{"Paid [1, 2;3].", [][]int{{1, 2, 3}}},
		{"Paid [1-3] and [5–6].", [][]int{{1, 2, 3}, {5, 6}}},
		{"支付【1】和［２，３］以及〔4〕。", [][]int{{1}, {2, 3}, {4}}},
		{"Paid 【4†source】 and 【4:0】.", [][]int{{4}}},
		{"Paid [^2] [Passage 3] [source 4] [段落5].", [][]int{{2}, {3}, {4}, {5}}},
		{"Huge [1-999], backwards [3-1].", [][]int{{1, 999}, {3, 1}}},
		{"In [2023] [sic] a[i] (1) [] [1a].", nil},
	} {
		var got [][]int
		for _, m := range parseMarkers(c.text) {
			got = append(got, m.numbers)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func TestUnmarkLeavesTheTextAndRemembersPlaces(t *testing.T) {
	text := "One [1]. Two. [2]\n[3] Three."
	bare, at := unmark(text, parseMarkers(text))
	if want := "One. Two.\n Three."; bare != want {
		t.Errorf("got %q, want %q", bare, want)
	}
	if diff := cmp.Diff([]int{3, 9, 10}, at); diff != "" {
		t.Error(diff)
	}
}
