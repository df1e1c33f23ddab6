package dataset_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
)

func TestEachFaultOfADatasetIsNamedWithItsLine(t *testing.T) {
	good := `{"id": "a", "question": "Q?"}`
	for _, c := range []struct{ name, text, want string }{
		{"not JSON", good + "\nnonsense", "line 2: invalid character"},
		{"unknown key", `{"id": "a", "question": "Q?", "answer": "x"}`, `line 1: unknown field "answer"`},
		{"two objects", good + " " + good, "line 1: there is something behind"},
		{"no id", `{"question": "Q?"}`, "line 1: there is no id"},
		{"odd id", `{"id": ["a"], "question": "Q?"}`, "line 1: the id is neither a string nor a number"},
		{"no question", "\n" + `{"id": "a", "question": " "}`, "line 2: there is no question"},
		{"double id", good + "\n" + good, `line 2: the id "a" is also that of line 1`},
		{"empty answer", `{"id": "a", "question": "Q?", "answers": [""]}`, "line 1: an answer is empty"},
		{"answers of the unanswerable", `{"id": "a", "question": "Q?", "answers": ["x"], "answerable": false}`, "is said not to be answerable"},
		{"page 0", `{"id": "a", "question": "Q?", "evidence": [{"document": "d", "page": 0}]}`, "pages count from 1"},
		{"grade 0", `{"id": "a", "question": "Q?", "evidence": [{"document": "d", "grade": 0}]}`, "a grade is above 0"},
		{"no document", `{"id": "a", "question": "Q?", "evidence": [{"page": 2}]}`, "names no document"},
		{"odd role", `{"id": "a", "question": "Q?", "history": [{"role": "system", "content": "x"}]}`, "neither the user's nor the assistant's"},
		{"nothing", "\n\n", "there are no questions"},
	} {
		_, err := dataset.Read(strings.NewReader(c.text), "f.jsonl")
		if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.jsonl") {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
	_, err := dataset.Read(strings.NewReader("{\n"+strings.Repeat("x\n", 29)), "f.jsonl")
	if err == nil || !strings.Contains(err.Error(), "line 20:") || strings.Contains(err.Error(), "line 21:") || !strings.Contains(err.Error(), "and 10 more") {
		t.Errorf("of 30 faults the error tells %v", err)
	}
}

func TestADatasetIsWrittenAsItIsRead(t *testing.T) {
	text := "\ufeff" + `{"id": 7, "question": "Wie <viel>?", "answers": ["5 €"], "evidence": [{"document": "a.pdf", "page": 3, "quote": "5 €"}, {"document": "b", "grade": 2.5}]}

{"id": "x", "question": "Q?", "answerable": false, "tags": ["t"], "history": [{"role": "user", "content": "h"}]}`
	first, err := dataset.Read(strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	if first[0].ID != "7" || !first[0].Answerable || first[1].Answerable || first[0].Evidence[0].Gain() != 1 || first[0].Evidence[1].Gain() != 2.5 {
		t.Errorf("read %+v", first)
	}
	var b strings.Builder
	if err := dataset.Write(&b, first); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "<viel>") || strings.Contains(b.String(), "null") {
		t.Errorf("written is %s", b.String())
	}
	again, err := dataset.Read(strings.NewReader(b.String()), "f")
	if err != nil {
		t.Fatal(err)
	}
	if dataset.Hash(first) == dataset.Hash(again[:1]) {
		t.Error("other questions have the same hash")
	}
	for i := range again {
		if again[i].Question != first[i].Question || !cmp.Equal(again[i].Answers, first[i].Answers, emptyIsNil) || !cmp.Equal(again[i].Evidence, first[i].Evidence, emptyIsNil) {
			t.Errorf("(-first +again):\n%s", cmp.Diff(first[i], again[i]))
		}
	}
}

var emptyIsNil = cmp.Transformer("length", func(list []string) int { return len(list) })

func TestTheQuestionsOfTheProjectAreRead(t *testing.T) {
	questions, err := dataset.Load("../../testdata/questions.jsonl")
	if err != nil || len(questions) != 46 {
		t.Errorf("%d questions, %v", len(questions), err)
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestExpectedTextsOfPromptfooMayHaveColons(t *testing.T) {
	folder := write(t, map[string]string{
		"promptfooconfig.yaml": "tests: file://t.csv\n",
		"t.csv":                "question,__expected\nWhere?,https://intra/x\nWhat?,answer: 42\nWho?,icontains: Ann\n",
		"bad.yaml":             "tests: [{vars: {question: [One?, {a: b}]}, assert: [{type: equals, value: x}]}]\n",
	})
	made, err := dataset.Import("promptfoo", filepath.Join(folder, "promptfooconfig.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range made.Questions {
		got = append(got, q.Answers...)
	}
	if want := []string{"https://intra/x", "answer: 42", "Ann"}; !slices.Equal(got, want) {
		t.Errorf("accepted are %q, want %q", got, want)
	}
	if _, err := dataset.Import("promptfoo", filepath.Join(folder, "bad.yaml")); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "no text") {
		t.Errorf("a question that is no text: %v", err)
	}
}

func TestFormatsAreImported(t *testing.T) {
	folder := write(t, map[string]string{
		"squad.json": `{"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "Été 1987 was hot. Dunlin was founded in 1987 in Lisbon. It sells tea.", "qas": [
			{"id": "1", "question": " When? ", "answers": [{"text": "1987", "answer_start": 40}, {"text": "in 1987", "answer_start": 37}, {"text": "1987", "answer_start": 40}], "is_impossible": false},
			{"id": "2", "question": "By whom?", "answers": [], "plausible_answers": [{"text": "Dunlin"}], "is_impossible": true}]}]}]}`,
		"cmrc.json":           `[{"context_id": "TRAIN_1", "context_text": "公司在里斯本。公司卖茶。", "title": "公司", "qas": [{"query_id": "TRAIN_1_Q", "query_text": "公司在哪里？", "answers": ["里斯本"]}, {"query_id": "TRAIN_2_Q", "query_text": "谁卖茶？", "answers": ["公司"]}]}]`,
		"q.csv":               "\ufeffQuestion,Ground Truth,document,page,answerable,tags,note\n\"How many, then?\",30|thirty,leave.md,2,yes,hr|en,x\nWho?,,,,no,,\n",
		"ids.csv":             "id,question,answer,document\na,Q?,x,d1\na,Q?,y,d2\n",
		"beir/corpus.jsonl":   `{"_id": "d/1", "title": "T", "text": "One."}` + "\n" + `{"_id": "d:1", "text": "Two."}` + "\n" + `{"_id": "d3", "title": "", "text": ""}`,
		"beir/queries.jsonl":  `{"_id": "q1", "text": "What?"}` + "\n" + `{"_id": "q2", "text": "Where?"}`,
		"beir/qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td/1\t2\nq1\td:1\t1\nq2\td3\t0\nq9\td3\t1\n",
		"beir/qrels/trec.txt": "q2 0 d:1 1\n",
		"cran/cran.all.1400":  ".I 1\n.T\none\n.A\nann\n.W\nfirst text\n.I 2\n.T\n.W\n",
		"cran/cran.qry":       ".I 001\n.W\nwhat is\nfirst .\n.I 004\n.W\nwhat else\n",
		"cran/cranqrel":       "1 1 2 \n1 2 1\n2 1 -1\n2 1  5\n",
		"testset.jsonl": `{"user_input": "How many days?", "reference_contexts": ["<1-hop>\n\nLeave is 30 days."], "reference": "30 days", "synthesizer_name": "single_hop"}` + "\n" +
			`{"user_input": [{"content": "How many?", "type": "human"}, {"content": "30.", "type": "ai"}, {"content": "And for managers?", "type": "human"}, {"content": "35.", "type": "ai"}], "reference": "35"}`,
		"old.json": `[{"question": "Who?", "contexts": ["Ann wrote it."], "ground_truth": "Ann", "evolution_type": "simple", "metadata": [{"source": "/data/a.pdf", "page": 0}]},
			{"question": "Where?", "contexts": ["Found."], "ground_truth": ["Here", "There"], "answer": "Everywhere"}]`,
		"testset.csv": "user_input,reference_contexts,reference\nWho?,['x'],Ann\n",
		"foo/promptfooconfig.yaml": `
prompts: ['{{question}}']
tests:
  - vars: {question: Capital of France?, place: Paris}
    assert: [{type: contains, value: '{{ place }}'}, {type: similar, value: 'the capital, {{place}}'}, {type: llm-rubric, value: is polite}]
    metadata: {category: places}
  - vars: {question: [One?, Two?]}
    assert: [{type: assert-set, assert: [{type: icontains-any, value: [1, one]}]}]
  - vars: {question: How do I break in?}
    assert: [{type: is-refusal}]
  - file://more*.csv
  - file://lines.jsonl
`,
		"foo/more.csv":    "question,__expected,__description\n\"How long, then?\",contains: 30 days,d\n",
		"foo/lines.jsonl": `{"vars": {"q": "Open?"}, "assert": [{"type": "equals", "value": "yes"}]}`,
		"azure.jsonl":     `{"question": "How?", "truth": "So. [a b.pdf#page=7] [c.md] And so [a b.pdf#page=7]"}`,
	})
	for _, c := range []struct {
		format, file string
		want         []dataset.Question
		documents    map[string]string
		warnings     int
	}{
		{"squad", "squad.json", []dataset.Question{
			{ID: "1", Question: "When?", Answers: []string{"1987", "in 1987"}, Evidence: []dataset.Evidence{{Document: "00001.txt", Page: 1, Quote: "Dunlin was founded in 1987 in Lisbon."}}, Answerable: true},
			{ID: "2", Question: "By whom?"},
		}, map[string]string{"00001.txt": "Été 1987 was hot. Dunlin was founded in 1987 in Lisbon. It sells tea."}, 0},
		{"squad", "cmrc.json", []dataset.Question{
			{ID: "TRAIN_1_Q", Question: "公司在哪里？", Answers: []string{"里斯本"}, Evidence: []dataset.Evidence{{Document: "TRAIN_1.txt", Page: 1, Quote: "公司在里斯本。"}}, Answerable: true},
			{ID: "TRAIN_2_Q", Question: "谁卖茶？", Answers: []string{"公司"}, Evidence: []dataset.Evidence{{Document: "TRAIN_1.txt", Page: 1, Quote: "公司"}}, Answerable: true}, // in both sentences
		}, map[string]string{"TRAIN_1.txt": "公司在里斯本。公司卖茶。"}, 0},
		{"csv", "q.csv", []dataset.Question{
			{ID: "2", Question: "How many, then?", Answers: []string{"30", "thirty"}, Evidence: []dataset.Evidence{{Document: "leave.md", Page: 2}}, Answerable: true, Tags: []string{"hr", "en"}},
			{ID: "3", Question: "Who?"},
		}, nil, 1},
		{"csv", "ids.csv", []dataset.Question{
			{ID: "a", Question: "Q?", Answers: []string{"x", "y"}, Evidence: []dataset.Evidence{{Document: "d1"}, {Document: "d2"}}, Answerable: true},
		}, nil, 0},
		{"beir", "beir", []dataset.Question{
			{ID: "q1", Question: "What?", Evidence: []dataset.Evidence{{Document: "d_1.txt", Grade: 2}, {Document: "_d_1.txt"}}, Answerable: true},
		}, map[string]string{"d_1.txt": "T\n\nOne.", "_d_1.txt": "Two."}, 3},
		{"beir", "beir/qrels/trec.txt", []dataset.Question{
			{ID: "q2", Question: "Where?", Evidence: []dataset.Evidence{{Document: "_d_1.txt"}}, Answerable: true},
		}, map[string]string{"d_1.txt": "T\n\nOne.", "_d_1.txt": "Two."}, 2},
		{"cranfield", "cran", []dataset.Question{
			{ID: "1", Question: "what is first .", Evidence: []dataset.Evidence{{Document: "1.txt", Grade: 3}}, Answerable: true},
			{ID: "2", Question: "what else", Answerable: true},
		}, map[string]string{"1.txt": "one\n\nfirst text"}, 1},
		{"azure", "azure.jsonl", []dataset.Question{
			{ID: "q001", Question: "How?", Answers: []string{"So. And so"}, Evidence: []dataset.Evidence{{Document: "a b.pdf", Page: 7}, {Document: "c.md"}}, Answerable: true},
		}, nil, 0},
		{"ragas", "testset.jsonl", []dataset.Question{
			{ID: "q001", Question: "How many days?", Answers: []string{"30 days"}, Evidence: []dataset.Evidence{{Document: "context-4b8641ed0be3.txt"}}, Answerable: true, Tags: []string{"single_hop"}},
			{ID: "q002", Question: "And for managers?", Answers: []string{"35"}, Answerable: true,
				History: []model.Message{{Role: "user", Content: "How many?"}, {Role: "assistant", Content: "30."}}},
		}, map[string]string{"context-4b8641ed0be3.txt": "Leave is 30 days."}, 0},
		{"ragas", "old.json", []dataset.Question{
			{ID: "q001", Question: "Who?", Answers: []string{"Ann"}, Evidence: []dataset.Evidence{{Document: "a.pdf"}}, Answerable: true, Tags: []string{"simple"}},
			{ID: "q002", Question: "Where?", Answers: []string{"Here", "There"}, Answerable: true},
		}, nil, 1},
		{"ragas", "testset.csv", []dataset.Question{{ID: "q001", Question: "Who?", Answers: []string{"Ann"}, Answerable: true}}, nil, 1},
		{"promptfoo", "foo/promptfooconfig.yaml", []dataset.Question{
			{ID: "q001", Question: "Capital of France?", Answers: []string{"Paris", "the capital, Paris"}, Answerable: true, Tags: []string{"category=places"}},
			{ID: "q002", Question: "One?", Answers: []string{"1", "one"}, Answerable: true},
			{ID: "q003", Question: "Two?", Answers: []string{"1", "one"}, Answerable: true},
			{ID: "q004", Question: "How do I break in?"},
			{ID: "q005", Question: "How long, then?", Answers: []string{"30 days"}, Answerable: true},
			{ID: "q006", Question: "Open?", Answers: []string{"yes"}, Answerable: true},
		}, nil, 2},
	} {
		made, err := dataset.Import(c.format, filepath.Join(folder, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if diff := cmp.Diff(c.want, made.Questions); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.file, diff)
		}
		if diff := cmp.Diff(c.documents, made.Documents, cmp.Transformer("nil", func(m map[string]string) string {
			return strings.Join(pairs(m), "\n")
		})); diff != "" {
			t.Errorf("%s documents (-want +got):\n%s", c.file, diff)
		}
		if len(made.Warnings) != c.warnings {
			t.Errorf("%s: warnings are %q, want %d", c.file, made.Warnings, c.warnings)
		}
	}
}

func pairs(m map[string]string) (list []string) {
	for _, name := range []string{"context-4b8641ed0be3.txt", "00001.txt", "TRAIN_1.txt", "1.txt", "d_1.txt", "_d_1.txt"} {
		if text, ok := m[name]; ok {
			list = append(list, name+"="+text)
		}
	}
	return list
}

func TestWhatCanNotBeImportedIsNamed(t *testing.T) {
	folder := write(t, map[string]string{
		"empty.json":          `{"data": []}`,
		"broken.json":         `{"data": [`,
		"noquestion.csv":      "id,answer\n1,x\n",
		"page.csv":            "question,document,page\nQ?,d,three\n",
		"double.csv":          "question,query\na,b\n",
		"differ.csv":          "id,question\na,Q?\na,R?\n",
		"program.yaml":        "tests: file://tests.py\n",
		"tests.py":            "",
		"noquestion.yaml":     "tests:\n- vars: {a: x, b: y}\n",
		"notests.yaml":        "prompts: [x]\n",
		"truth.jsonl":         `{"question": "Q?", "ground_truth": 3}`,
		"beir/corpus.jsonl":   `{"_id": "d", "text": "One."}`,
		"beir/queries.jsonl":  `{"_id": "q", "text": "What?"}` + "\n" + `{"_id": "q", "text": "What?"}`,
		"beir/qrels/test.tsv": "q\td\t1\n",
	})
	for _, c := range [][3]string{
		{"squad", "empty.json", "there are no questions"}, {"squad", "broken.json", "broken.json"}, {"squad", "none.json", "no such file"},
		{"csv", "noquestion.csv", "no column is the question"}, {"csv", "page.csv", `line 2: page "three"`},
		{"csv", "double.csv", "two columns are the question"}, {"csv", "differ.csv", "line 3: another question"},
		{"beir", "beir", "queries.jsonl, line 2"}, {"parquet", "x", "no format"},
		{"promptfoo", "program.yaml", "tests.py can't be read"}, {"promptfoo", "noquestion.yaml", "none of its variables"},
		{"promptfoo", "notests.yaml", "there are no tests"}, {"ragas", "truth.jsonl", "neither a text nor a list"},
	} {
		if _, err := dataset.Import(c[0], filepath.Join(folder, c[1])); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: error is %v, want one with %q", c[1], err, c[2])
		}
	}
	outside := dataset.Imported{Documents: map[string]string{"../x": "y"}}
	if err := outside.WriteDocuments(folder); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("a document outside of the folder: %v", err)
	}
}

func TestQuestionsAboutOtherDocumentsCantBeAnswered(t *testing.T) {
	own := []dataset.Question{{ID: "a", Question: "Who pays?", Answers: []string{"HR"}, Answerable: true}, {ID: "other/b", Question: "When?", Answerable: true}}
	others := []dataset.Question{
		{ID: "a", Question: "who  pays?", Answers: []string{"Accounts"}, Answerable: true}, // asked here too
		{ID: "b", Question: "Where?", Answers: []string{"Oslo"}, Evidence: []dataset.Evidence{{Document: "x.md"}}, Answerable: true, Tags: []string{"t"}},
	}
	got := dataset.WithUnanswerable(own, others)
	want := append(slices.Clone(own), dataset.Question{ID: "other/other/b", Question: "Where?", Answers: []string{}, Evidence: []dataset.Evidence{}, Tags: []string{"other documents"}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFaultOfADatasetIsToldInTheWordsOfItsFormat(t *testing.T) {
	first := `{"id": "a", "question": "Q?"}` + "\n"
	for _, c := range [][2]string{
		{first + `{"id": "b", "question": ["Q?"]}`, "line 2: question is a list; it must be a string"},
		{first + `{"id": "b", "question": "Q?", "answers": "x"}`, "line 2: answers is a string; it must be a list"},
		{first + `{"id": "b", "question": "Q?", "answerable": "no"}`, "answerable is a string; it must be true or false"},
		{first + `{"id": "b", "question": "Q?", "evidence": [{"document": "d", "page": "3"}]}`, "evidence.page is a string; it must be a whole number"},
		{first + `12`, "line 2: it is a number and no object"},
		{"Id;Question\r\n1;Q?\r\n", `it is not JSON Lines: line 1 begins with "Id;Question"`},
		{`[{"id": "a"}]`, "it is not JSON Lines"},
	} {
		_, err := dataset.Read(strings.NewReader(c[0]), "f")
		if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("error is %v, want one with %q", err, c[1])
		}
	}
	if _, err := dataset.Load(t.TempDir()); !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}
