package analyze

import (
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func termTexts(text, language string) string {
	var out []string
	for _, t := range Terms(text, language) {
		out = append(out, t.Text)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func TestTermsOfOneMeaningAreEqual(t *testing.T) {
	for _, c := range []struct{ name, language, text, want string }{
		{"stemming", "en", "Running runs; the policies of a policy", "polici run"},
		{"compounds", "en", "e-mail", "email mail"},
		{"compounds in one word", "en", "emails", "email"},
		{"codes", "en", "HR-2024/17", "17 2024 hr hr202417"},
		{"snake case", "en", "node_modules", "node nodemodul modul"},
		{"camel case", "en", "nodeModules", "node nodemodul modul"},
		{"acronym before a word", "en", "XMLParser", "parser xml xmlparser"},
		{"plural of an acronym", "en", "PDFs", "pdf"},
		{"percent", "en", "3.5%", "3.5"},
		{"thousands", "en", "$2,000 2000", "2000"},
		{"thousands in German", "de", "2.000 2000", "2000"},
		{"decimal comma", "de", "3,5 3.5", "3.5"},
		{"versions", "en", "10.0.0.1", "10.0.0.1"},
		{"full width", "en", "ＡＢＣ１２３", "abc123"},
		{"accents", "fr", "Résumé resume", "resum"},
		{"elision", "fr", "l’homme", "homm"},
		{"possessive", "en", "Smith's", "smith"},
		{"acronym that is a stop word", "en", "Does IT support it in the US?", "it support us"},
		{"points of an acronym", "en", "U.S. law", "law us"},
		{"all capitals", "en", "WHO IS IT FOR", ""},
		{"umlauts", "de", "Häuser Haus", "haus"},
		{"sharp s", "de", "Straße STRASSE", "strass"},
		{"Chinese", "zh", "年假规定", "假 假规 定 年 年假 规 规定"},
		{"mixed scripts", "zh", "用Go写", "go 写 用"},
		{"half width katakana", "ja", "ｶﾀ", "カ カタ タ"},
		{"Thai", "th", "สวัสดี", "วัส สวั สดี ัสด"},
		{"Russian", "ru", "Ёлки елка", "елк"},
		{"unknown language", "xx", "The Cats", "cats the"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.Fields(c.want)
			sort.Strings(want)
			if diff := cmp.Diff(strings.Join(want, " "), termTexts(c.text, c.language)); diff != "" {
				t.Errorf("Terms(%q, %q) (-want +got):\n%s", c.text, c.language, diff)
			}
		})
	}
}

func TestTermsCountOccurrences(t *testing.T) {
	got := Terms("Holiday and holidays, a day off", "en")
	if got[0].Text != "holiday" || got[0].Count != 2 {
		t.Errorf("first term is %v, want holiday twice", got[0])
	}
}

func TestQueryTermsCountAWordOfSeveralLanguagesOnce(t *testing.T) {
	got := map[string]float32{}
	for _, term := range QueryTerms("Hotel 2024 kosten", []string{"de", "en", "fr"}) {
		if got[term.Text] != 0 {
			t.Errorf("%q is there twice", term.Text)
		}
		got[term.Text] = term.Count
	}
	want := map[string]float32{"hotel": 1, "2024": 1, "kost": 1, "kosten": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQueryTermsLeaveOutTheStopWordsOfTheQuestionForAllLanguages(t *testing.T) {
	for _, term := range QueryTerms("What is the war about, and who won it?", []string{"de", "", "en"}) {
		switch term.Text {
		case "war", "won":
		default:
			t.Errorf("%q is a term of the question", term.Text)
		}
	}
}

func FuzzTermsAreDistinctAndBounded(f *testing.F) {
	for _, seed := range []string{"", "a-b_c.d/e@f", "\xff\xfe-", "ｶﾞ", "l'", "''s", "1,,2..3", "ﷺ", "สระ", "é\u0301", strings.Repeat("x", 99)} {
		f.Add(seed, "fr")
		f.Add(seed, "de")
	}
	f.Fuzz(func(t *testing.T, text, language string) {
		if language == "" {
			for code := range languages {
				Terms(text, code)
			}
		}
		seen := map[string]bool{}
		for _, term := range Terms(text, language) {
			if seen[term.Text] || term.Count < 1 || term.Text == "" || !utf8.ValidString(term.Text) ||
				utf8.RuneCountInString(term.Text) > maxTermRunes || strings.ContainsAny(term.Text, " \n") {
				t.Fatalf("term %q, count %v, in %q", term.Text, term.Count, text)
			}
			seen[term.Text] = true
		}
	})
}
