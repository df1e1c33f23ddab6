package corpus_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
)

func TestAFilterIsWrittenAsItIsRead(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                  `{}`,
		`{"department":"HR"}`: `{"department":{"eq":["HR"]}}`,
		`{"tags":["a",1,true],"year":{"gte":2024,"lt":2026},"owner":{"exists":false},"title":{"ne":"x"}}`: `{"owner":{"exists":false},"tags":{"eq":["a",1,true]},"title":{"ne":["x"]},"year":{"gte":2024,"lt":2026}}`,
	} {
		var f, again corpus.Filter
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(f)
		if err != nil || string(written) != want {
			t.Errorf("%s is written as %s, %v; want %s", text, written, err, want)
		}
		if err := json.Unmarshal(written, &again); err != nil || !cmp.Equal(f, again) {
			t.Errorf("%s is read as %v, %v", written, again, err)
		}
	}
	twice := corpus.Filter{{Key: "tag", Op: corpus.OpEqual, Values: []any{"a"}}, {Key: "tag", Op: corpus.OpEqual, Values: []any{"b"}}}
	if text, err := json.Marshal(twice); !errors.Is(err, corpus.ErrUnsupported) {
		t.Errorf("two conditions of a kind became %s, %v", text, err)
	}
}
