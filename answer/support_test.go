package answer

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"grounded/corpus"
)

type supportCase struct {
	Kind            string
	Supported       bool
	Language        string
	PassageLanguage string `json:"passage_language"`
	Claim           string
	Passage         string
}

func supportCases(t *testing.T) []supportCase {
	t.Helper()
	file, err := os.Open("testdata/support.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cases []supportCase
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var c supportCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// TestSupportIsJudgedAsPeopleDo measures the check by words on the labelled cases of one language; those across
// languages need an embedder.
func TestSupportIsJudgedAsPeopleDo(t *testing.T) {
	right, wrong, missed, all := 0, 0, 0, 0
	for _, c := range supportCases(t) {
		if c.Language != c.PassageLanguage {
			continue
		}
		passage := corpus.Passage{Text: c.Passage}
		evidence, err := gather(t.Context(), shelf{}, corpus.Scope{}, []corpus.Passage{passage}, c.Language)
		if err != nil {
			t.Fatal(err)
		}
		m := matchIn(contentOf(c.Claim, c.Language), evidence[0])
		all++
		switch {
		case m.supports() && c.Supported:
			right++
		case m.supports():
			wrong++
			t.Logf("wrongly supported (%s): %q by %q, share %.2f", c.Kind, c.Claim, m.window.quote(), m.share)
		case c.Supported:
			missed++
			t.Logf("missed (%s): %q, share %.2f, contradicted %t, nearest %q", c.Kind, c.Claim, m.share, m.contradicted, m.window.quote())
		}
	}
	precision, recall := float64(right)/float64(right+wrong), float64(right)/float64(right+missed)
	t.Logf("precision %.3f, recall %.3f on %d cases", precision, recall, all)
	if precision < .95 || recall < .9 {
		t.Errorf("precision %.3f, recall %.3f; want at least .95 and .90", precision, recall)
	}
}
