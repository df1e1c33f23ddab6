package dataset

import (
	"regexp"
	"slices"
	"strings"
)

// fooExpected is how an assertion is written in a cell: "contains: x", "similar(0.8): x", "is-json".
var fooExpected = regexp.MustCompile(`^(not-)?(similar:(?:cosine|dot|euclidean)|[a-z][a-z0-9-]*)(?:\([^)]*\))?(?:(:)\s*(?s)(.*))?$`)

// fooTypes are promptfoo's assertions; any other word before a colon belongs to the expected text.
var fooTypes = strings.Fields(`equals contains contains-all contains-any contains-json contains-html contains-sql contains-xml icontains icontains-all
	icontains-any iequals regex starts-with is-html is-json is-sql is-xml is-refusal javascript python ruby webhook rouge-n bleu gleu levenshtein
	latency meteor perplexity perplexity-score cost is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call guardrails
	finish-reason similar similar:cosine similar:dot similar:euclidean classifier moderation llm-rubric g-eval answer-relevance context-faithfulness context-recall context-relevance
	conversation-relevance factuality model-graded-factuality model-graded-closedqa pi select-best max-score human grade fn eval file word-count
	tool-call-f1 skill-used trace-error-spans trace-span-count trace-span-duration search-rubric`)

// table reads CSV: a column a variable, and __expected, __expected1, … for assertions.
func (f *foo) table(path string) error {
	table, err := readTable(path)
	if err != nil {
		return err
	}
	for _, row := range table.rows {
		t := fooTest{Vars: map[string]any{}, Metadata: map[string]any{}}
		for i, cell := range row.cells[:min(len(row.cells), len(table.header))] {
			column := strings.TrimSpace(table.header[i])
			switch tag, isTag := strings.CutPrefix(column, "__metadata:"); {
			case strings.TrimSpace(cell) == "":
			case strings.HasPrefix(column, "__expected"):
				t.Assert = append(t.Assert, expected(strings.TrimSpace(cell)))
			case isTag && strings.HasSuffix(tag, "[]"):
				t.Metadata[strings.TrimSuffix(tag, "[]")] = fooList(cell)
			case isTag:
				t.Metadata[tag] = cell
			case strings.HasPrefix(column, "__"):
			default:
				t.Vars[column] = cell
			}
		}
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// fooList divides a cell by commas; one behind a backslash belongs to its value.
func fooList(cell string) (values []any) {
	const kept = "\x00"
	for part := range strings.SplitSeq(strings.ReplaceAll(cell, `\,`, kept), ",") {
		values = append(values, strings.ReplaceAll(part, kept, ","))
	}
	return values
}

// expected reads an assertion in a cell; what has no type must be equal. A type without a colon counts when it is no
// word that an answer could be.
func expected(cell string) fooAssert {
	m := fooExpected.FindStringSubmatch(cell)
	if m == nil || !slices.Contains(fooTypes, m[2]) || m[3] == "" && !strings.Contains(m[2], "-") {
		return fooAssert{Type: "equals", Value: cell}
	}
	return fooAssert{Type: m[1] + m[2], Value: m[4]}
}
