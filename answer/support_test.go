package answer

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"grounded/corpus"
	"grounded/model/local/localtest"
)

type supportCase struct {
	Kind            string
	Supported       bool
	Language        string
	PassageLanguage string `json:"passage_language"`
	Claim           string
	Passage         string
}

func supportCases(t *testing.T, path string) []supportCase {
	t.Helper()
	file, err := os.Open(path)
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
	for _, c := range supportCases(t, "testdata/support.jsonl") {
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

func TestAPassageAboutAnotherOfItsKindDoesNotSupport(t *testing.T) {
	passages := []corpus.Passage{
		{Title: "Health Plan B: Open Sea", Text: "Physiotherapy and massage are covered up to 15 sessions a year."},
		{Title: "Health Plan A: Harbour", Text: "Physiotherapy is covered up to 10 sessions a year."},
	}
	evidence, err := gather(t.Context(), shelf{}, corpus.Scope{}, passages, "en")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"Physiotherapy is covered by the Harbour plan up to 15 sessions.":  -1,
		"Physiotherapy is covered by the Harbour plan up to 10 sessions.":  1,
		"Physiotherapy is covered by the Open Sea plan up to 15 sessions.": 0,
	} {
		if got := newRow(claim{text: text}, "en", evidence).best(); got != want {
			t.Errorf("%q is supported by passage %d, want %d", text, got, want)
		}
	}
}

// TestSupportAcrossLanguagesIsJudgedAsPeopleDo measures the check by the local embedder on the labelled cases of two
// languages, each among passages about other things.
func TestSupportAcrossLanguagesIsJudgedAsPeopleDo(t *testing.T) {
	service := Service{embedder: localtest.Embedder(t)}
	cases := supportCases(t, "testdata/support.jsonl")
	right, wrong, missed := 0, 0, 0
	for i, c := range cases {
		if c.Language == c.PassageLanguage {
			continue
		}
		passages := []corpus.Passage{{Text: c.Passage}}
		for j := 1; j < len(cases) && len(passages) < 5; j++ {
			other := cases[(i+j)%len(cases)]
			if other.PassageLanguage == c.PassageLanguage && other.Passage != c.Passage && other.Passage != passages[len(passages)-1].Text {
				passages = append(passages, corpus.Passage{Text: other.Passage})
			}
		}
		evidence, err := gather(t.Context(), shelf{}, corpus.Scope{}, passages, c.Language)
		if err != nil {
			t.Fatal(err)
		}
		table := []row{newRow(claim{text: c.Claim}, c.Language, evidence)}
		if _, err := service.weigh(t.Context(), table, evidence); err != nil {
			t.Fatal(err)
		}
		switch best := table[0].best(); {
		case c.Supported && best == 0:
			right++
		case best >= 0:
			wrong++
			t.Logf("wrongly supported (%s): %q by %q, similarity %.3f", c.Kind, c.Claim, table[0].matches[best].window.quote(), table[0].matches[best].similarity)
		case c.Supported:
			missed++
			t.Logf("missed (%s): %q", c.Kind, c.Claim)
		}
	}
	t.Logf("%d right, %d wrong, %d missed", right, wrong, missed)
	if wrong > 0 || missed > 1 {
		t.Errorf("%d wrongly supported, %d missed; want none and at most one", wrong, missed)
	}
}
