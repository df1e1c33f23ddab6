package dataset_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"grounded/corpus"
	"grounded/eval/dataset"
)

// FuzzRead holds that what is read can be written and read again as the same, and that all else is called invalid.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id": 1e3, "question": "Q?", "answers": ["x"], "evidence": [{"document": "d", "page": 3, "quote": "q", "grade": 0.5}]}`))
	f.Add([]byte("\ufeff{\"id\": \"\\ud800\", \"question\": \"\xff\"}\n{\"ID\": null}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		questions, err := dataset.Read(bytes.NewReader(text), "f")
		if err != nil {
			if !errors.Is(err, corpus.ErrInvalid) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		var b bytes.Buffer
		if err := dataset.Write(&b, questions); err != nil {
			t.Fatal(err)
		}
		again, err := dataset.Read(&b, "again")
		if err != nil || len(again) != len(questions) {
			t.Fatalf("read again: %d of %d, %v", len(again), len(questions), err)
		}
		for i := range again {
			if again[i].ID != questions[i].ID || again[i].Question != questions[i].Question || len(again[i].Evidence) != len(questions[i].Evidence) {
				t.Fatalf("read again: %+v, not %+v", again[i], questions[i])
			}
		}
	})
}

// FuzzImport holds that no file of any format does more than fail as invalid, and that no document leaves its folder.
func FuzzImport(f *testing.F) {
	f.Add("squad", []byte(`{"data": [{"paragraphs": [{"id": "..", "context": "c", "qas": [{"id": "1", "question": "q", "answers": [{"text": "c"}]}]}]}]}`))
	f.Add("squad", []byte(`[{"context_id": "/etc/x", "context_text": "c", "qas": [{"query_id": "1", "query_text": "q", "answers": [""]}]}]`))
	f.Add("csv", []byte("question,page\n\"a\nb\",3\n"))
	f.Add("azure", []byte(`{"question": "q", "truth": "t [a.pdf#page=99999999999999999999]"}`))
	f.Add("ragas", []byte(`{"user_input": [{"content": "q", "type": "human"}], "reference": "r", "reference_contexts": ["<1-hop>\n\n../x"]}`))
	f.Add("ragas", []byte(`[{"question": "q", "contexts": ["c"], "ground_truth": ["t"], "metadata": [{"source": "/etc/x"}]}]`))
	f.Add("promptfoo", []byte("tests:\n- vars: {question: [a, b]}\n  assert: [{type: contains-any, value: [x, 3]}]\n- file://*.csv\n"))
	f.Add("beir", []byte("q1\td1\t1\n"))
	f.Fuzz(func(t *testing.T, format string, text []byte) {
		folder := t.TempDir()
		path := filepath.Join(folder, "input")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		made, err := dataset.Import(format, path)
		if err != nil {
			if !errors.Is(err, corpus.ErrInvalid) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		for name := range made.Documents {
			if !filepath.IsLocal(name) {
				t.Fatalf("document %q leads out of its folder", name)
			}
		}
	})
}
