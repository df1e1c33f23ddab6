package analyze

import (
	"strings"
	"testing"
	"time"
)

const paragraph = `Co-payments are a fixed amount that you pay at the time of service; the deductible of the plan is $2,000
per person, per year. See section 3.5 of the policy HR-2024/17, or ask Dr. Smith. `

func BenchmarkTerms(b *testing.B) {
	b.SetBytes(int64(len(paragraph)))
	for b.Loop() {
		Terms(paragraph, "en")
	}
}

func BenchmarkSentences(b *testing.B) {
	b.SetBytes(int64(len(paragraph)))
	for b.Loop() {
		Sentences(paragraph)
	}
}

func BenchmarkLanguage(b *testing.B) {
	b.SetBytes(int64(len(paragraph)))
	for b.Loop() {
		Language(paragraph)
	}
}

// TestLongTextsOfAnyKindEnd feeds what makes careless scanners look back or ahead again and again: in quadratic
// time one of these would take minutes.
func TestLongTextsOfAnyKindEnd(t *testing.T) {
	units := []string{"a", "a.", "[1] ", ". ", "\n", "a\n", "A. \n", "1.\n", "年", "a-", "'", "\"", "é", "aB", "a,", "[1, ", " ", "\u0301", "1,", "ก", "(", "“"}
	for _, unit := range units {
		text := strings.Repeat(unit, 200_000)
		start := time.Now()
		Terms(text, "en")
		Sentences(text)
		Language(text)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("200,000 times %q takes %v", unit, took)
		}
	}
}
