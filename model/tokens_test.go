package model

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// counted is a text and its tokens as XLM-R's own tokenizer counts them (usage of one-text requests to
// multilingual-e5-small, without prefix, beginning and end).
type counted struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Tokens int    `json:"tokens"`
}

func countedTexts(t *testing.T) []counted {
	t.Helper()
	data, err := os.ReadFile("testdata/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []counted
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestTheEstimateIsNotBelowTheTruthAndNotFarAboveItOnProse(t *testing.T) {
	prose := map[string]bool{"english": true, "german": true, "french": true, "chinese": true, "japanese": true, "korean": true, "russian": true}
	over, n := 0.0, 0
	for _, c := range countedTexts(t) {
		got := new(estimator).count(c.Text)
		t.Logf("%-26s %4d of %4d: %.2f", c.Name, got, c.Tokens, float64(got)/float64(c.Tokens))
		if got < c.Tokens {
			t.Errorf("%s: estimated %d tokens, it has %d", c.Name, got, c.Tokens)
		}
		if prose[c.Name] {
			over += float64(got)/float64(c.Tokens) - 1
			n++
		}
	}
	if mean := over / float64(n); mean > 0.25 {
		t.Errorf("prose is over-estimated by %.0f%% on average, want at most 25%%", 100*mean)
	}
}

func TestTheVocabularyCountsExactly(t *testing.T) {
	venv, _ := FindVenv(os.LookupEnv)
	path := venv + "/models/multilingual-e5-small-q4.bin"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the local models are not installed (%v)", err)
	}
	u, err := readUnigram(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range countedTexts(t) {
		for range 2 { // the second time from memory
			if got := u.count(c.Text); got != c.Tokens {
				t.Errorf("%s: counted %d tokens, it has %d", c.Name, got, c.Tokens)
			}
		}
	}
}

func TestAVocabularyThatIsNotThereOrDamagedIsEstimated(t *testing.T) {
	path := t.TempDir() + "/vocabulary.bin"
	for _, content := range []string{"", "E5S1", "something else that is long enough to be a header of eighty bytes and some more bytes"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, vocabulary := range []string{path, path + ".none"} {
			count, err := counter(Card{ID: "x", Tokenizer: "xlm-r", Vocabulary: vocabulary}, os.LookupEnv)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := count("hello world"), new(estimator).count("hello world"); got != want {
				t.Errorf("counted %d, want the estimate %d", got, want)
			}
		}
	}
}

func TestOpenAIsTokenizersCountExactly(t *testing.T) {
	for name, want := range map[string]int{"cl100k_base": 6, "o200k_base": 6} {
		count, err := counter(Card{ID: "x", Tokenizer: name}, os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		if got := count("tiktoken is great!"); got != want {
			t.Errorf("%s counts %d tokens, want %d", name, got, want)
		}
	}
}

func TestSplitTextLosesNothingAndKeepsTheLimit(t *testing.T) {
	words := func(s string) int { return len(strings.Fields(s)) }
	text := strings.Repeat("One two three four. Five six seven?\nEight nine ten\n\n", 40)
	pieces := splitText(text, 50, words)
	if strings.Join(pieces, "") != text {
		t.Error("the pieces joined are not the text")
	}
	for _, p := range pieces {
		if words(p) > 50 {
			t.Errorf("a piece has %d words", words(p))
		}
		if !strings.HasSuffix(p, "\n\n") {
			t.Errorf("a piece does not end with a paragraph: %q", p)
		}
	}
	characters := func(s string) int { return len([]rune(s)) }
	for _, text := range []string{"无空格的文字没有句号也没有空白", "aé", "a😀", "😀a", "Satz eins。Satz zwei。"} {
		pieces := splitText(text, 3, characters)
		if strings.Join(pieces, "") != text {
			t.Errorf("%q is split into %q", text, pieces)
		}
		for _, p := range pieces {
			if characters(p) > 3 {
				t.Errorf("%q has the piece %q", text, p)
			}
		}
	}
}
