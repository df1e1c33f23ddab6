package dataset_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/eval/dataset"
)

// TestFormatsAreImportedAsTheirToolsWriteThemToday has what RAGAS 0.4 saves, Azure's samples and promptfoo's
// documentation have, and data sets exported from Hugging Face.
func TestFormatsAreImportedAsTheirToolsWriteThemToday(t *testing.T) {
	folder := write(t, map[string]string{
		"multimodal.jsonl": "{\"question\": \"Which?\",\n \"truth\": \"Gold [Report 2023.pdf#page=6][Report 2023.pdf#page=6(figure6_1.png)].\"\n}\n\n{\n \"question\": \"When?\",\n\"truth\" :\"In 2020. [Report 2023.pdf#page=5(figure5_1.png)]\"}\n",
		"hf.jsonl": `{"id": "5a", "title": "T", "context": "Founded in 1987.", "question": "When?", "answers": {"text": ["1987", "in 1987"], "answer_start": [11, 8]}}` + "\n" +
			`{"id": "5b", "title": "T", "context": "Founded in 1987.", "question": "By whom?", "answers": {"text": [], "answer_start": []}}`,
		"hf.json":   `[{"id": "DEV_0", "context": "公司在里斯本。", "question": "在哪里？", "answers": {"text": ["里斯本"], "answer_start": [3]}}]`,
		"ragas.csv": "\ufeffuser_input;reference_contexts;reference;persona_name;synthesizer_name\r\nWho?;\"['x\\n, y']\";Ann;Clerk;single_hop\r\n;;;;\r\n",
		"foo/promptfooconfig.yaml": `
defaultTest: file://default.yaml
tests:
  - file://cases
  - path: file://more.csv
  - path: file://deep/*.jsonl
`,
		"foo/default.yaml":     "assert: [{type: factuality, value: '{{reference}}'}]\n",
		"foo/cases/a.yaml":     "- vars: {question: A?, reference: a}\n  metadata: {tags: [x, y]}\n",
		"foo/cases/notes.md":   "no tests\n",
		"foo/more.csv":         "\ufeffquestion;reference;__expected1;__expected2;__metadata:tags[]\r\nB?;b;is-json;similar(0.8): bee;x,global\\,warming\r\nC?;c;not-is-refusal;not-contains: d;\r\n",
		"foo/deep/lines.jsonl": `{"vars": {"question": "D?", "reference": "d"}}`,
	})
	for _, c := range []struct {
		format, file string
		want         []dataset.Question
	}{
		{"azure", "multimodal.jsonl", []dataset.Question{
			{ID: "q001", Question: "Which?", Answers: []string{"Gold."}, Evidence: []dataset.Evidence{{Document: "Report 2023.pdf", Page: 6}}, Answerable: true},
			{ID: "q002", Question: "When?", Answers: []string{"In 2020."}, Evidence: []dataset.Evidence{{Document: "Report 2023.pdf", Page: 5}}, Answerable: true},
		}},
		{"squad", "hf.jsonl", []dataset.Question{
			{ID: "5a", Question: "When?", Answers: []string{"1987", "in 1987"}, Evidence: []dataset.Evidence{{Document: "00001.txt", Page: 1, Quote: "Founded in 1987."}}, Answerable: true},
			{ID: "5b", Question: "By whom?"},
		}},
		{"squad", "hf.json", []dataset.Question{
			{ID: "DEV_0", Question: "在哪里？", Answers: []string{"里斯本"}, Evidence: []dataset.Evidence{{Document: "00001.txt", Page: 1, Quote: "公司在里斯本。"}}, Answerable: true},
		}},
		{"ragas", "ragas.csv", []dataset.Question{{ID: "q001", Question: "Who?", Answers: []string{"Ann"}, Answerable: true, Tags: []string{"single_hop"}}}},
		{"promptfoo", "foo/promptfooconfig.yaml", []dataset.Question{
			{ID: "q001", Question: "A?", Answers: []string{"a"}, Answerable: true, Tags: []string{"tags=x", "tags=y"}},
			{ID: "q002", Question: "B?", Answers: []string{"b", "bee"}, Answerable: true, Tags: []string{"tags=x", "tags=global,warming"}},
			{ID: "q003", Question: "C?", Answers: []string{"c"}, Answerable: true},
			{ID: "q004", Question: "D?", Answers: []string{"d"}, Answerable: true},
		}},
	} {
		made, err := dataset.Import(c.format, filepath.Join(folder, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if diff := cmp.Diff(c.want, made.Questions); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.file, diff)
		}
		if c.file == "hf.jsonl" && len(made.Documents) != 1 {
			t.Errorf("%s: two questions on one context make %d documents", c.file, len(made.Documents))
		}
	}
}

func TestAnImportSaysWhatToDoAboutAFileOfAnotherForm(t *testing.T) {
	folder := write(t, map[string]string{
		"ours.jsonl":         `{"id": "q", "question": "Q?", "answers": ["x"]}`,
		"truth.jsonl":        "{\"question\": \"Q?\",\n\"truth\": \"x\"}\n{\"question\": \"R?\", \"truth\": 3}\n",
		"plain.jsonl":        `{"query": "Q?", "response": "x"}`,
		"beir/corpus.jsonl":  `{"_id": "d", "text": "One."}`,
		"beir/queries.jsonl": `{"_id": "q", "text": "What?"}`,
		"beir/qrels/dev.tsv": "q\td\t1\n",
		"book.yaml":          "tests: file://t.xlsx\n",
		"t.xlsx":             "PK",
		"generated.yaml":     "tests:\n- path: file://make.py:tests\n",
		"make.py":            "",
		"default.yaml":       "defaultTest: file://none.yaml\ntests: [{vars: {question: Q?}}]\n",
		"other.json":         `{"questions": []}`,
		"ragas.json":         `{"samples": []}`,
	})
	for _, c := range [][3]string{
		{"azure", "truth.jsonl", "line 3: truth is a number; it must be a string"},
		{"azure", "plain.jsonl", "there is no question"}, {"azure", "ours.jsonl", "no question has a truth"},
		{"squad", "other.json", "it was read as squad; the formats are azure, beir"},
		{"beir", "beir", "qrels/dev.tsv"},
		{"promptfoo", "book.yaml", "save it as CSV"},
		{"promptfoo", "generated.yaml", "is a program"},
		{"promptfoo", "default.yaml", "none.yaml"},
		{"squad", "other.json", "there are no questions"},
		{"squad", "beir", "is a folder"}, {"azure", "beir", "is a folder"}, {"ragas", "beir", "is a folder"}, {"promptfoo", "beir", "is a folder"},
		{"cranfield", "other.json", "cran.all.1400"},
	} {
		_, err := dataset.Import(c[0], filepath.Join(folder, c[1]))
		text := ""
		if err != nil {
			text = err.Error() + "\n" + corpus.HintOf(err)
		}
		if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(text, c[2]) {
			t.Errorf("%s %s: error is %s, want one with %q", c[0], c[1], text, c[2])
		}
	}
}
