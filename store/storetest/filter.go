package storetest

import (
	"fmt"
	"slices"

	"grounded/corpus"
	"grounded/store"
)

var filterTests = map[string]func(*fixture){
	"each operator selects inside search":                     operators,
	"matches deep in the ranking fill the list":               deepMatches,
	"a filter follows a change of metadata":                   filterFollows,
	"filter and access both hold":                             filterAndAccess,
	"a filter that nothing meets finds nothing, in all modes": noMatch,
}

func operators(f *fixture) {
	f.create("a")
	for i, m := range []map[string]any{
		{"department": "HR", "year": 2022, "tags": []any{"policy", "travel"}, "valid": "2024-05-01", "draft": true},
		{"department": "IT", "year": 2023.5, "tags": []any{"policy"}, "valid": "2025-01-01", "draft": false},
		{"department": "人事", "year": 2024, "nested": map[string]any{"owner": "ann"}},
		nil,
	} {
		c := document("a", fmt.Sprintf("%d.md", i), "common text")
		c.doc.Metadata = m
		c.doc.MediaType = []string{"text/markdown", "application/pdf"}[i%2]
		c.doc.Language = []string{"en", "zh"}[i/2]
		f.put(c)
	}
	f.put(from("other", document("a", "4.md", "common text")))
	for _, c := range []struct {
		key, op string
		values  []any
		want    []int
	}{
		{"department", corpus.OpEqual, []any{"HR"}, []int{0}},
		{"department", corpus.OpEqual, []any{"HR", "人事"}, []int{0, 2}},
		{"department", corpus.OpEqual, []any{"hr"}, nil},
		{"department", corpus.OpNotEqual, []any{"HR", "IT"}, []int{2, 3, 4}},
		{"tags", corpus.OpEqual, []any{"policy"}, []int{0, 1}},
		{"tags", corpus.OpEqual, []any{"travel", "x"}, []int{0}},
		{"tags", corpus.OpNotEqual, []any{"travel"}, []int{1, 2, 3, 4}},
		{"year", corpus.OpEqual, []any{2022.0}, []int{0}},
		{"year", corpus.OpEqual, []any{"2022"}, []int{0}},
		{"year", corpus.OpGreater, []any{2023.5}, []int{2}},
		{"year", corpus.OpGreaterEqual, []any{2023.5}, []int{1, 2}},
		{"year", corpus.OpLess, []any{"2023.5"}, []int{0}},
		{"year", corpus.OpLessEqual, []any{2023.5}, []int{0, 1}},
		{"valid", corpus.OpGreaterEqual, []any{"2024-12-31"}, []int{1}},
		{"draft", corpus.OpEqual, []any{true}, []int{0}},
		{"draft", corpus.OpEqual, []any{"false"}, []int{1}},
		{"draft", corpus.OpExists, []any{true}, []int{0, 1}},
		{"draft", corpus.OpExists, []any{false}, []int{2, 3, 4}},
		{"nested.owner", corpus.OpEqual, []any{"ann"}, []int{2}},
		{"nested.none", corpus.OpExists, []any{true}, nil},
		{"document", corpus.OpEqual, []any{"3.md"}, []int{3}},
		{"source", corpus.OpEqual, []any{"other"}, []int{4}},
		{"title", corpus.OpEqual, []any{"Title of 1.md"}, []int{1}},
		{"media_type", corpus.OpEqual, []any{"application/pdf"}, []int{1, 3}},
		{"language", corpus.OpNotEqual, []any{"en"}, []int{2, 3}},
	} {
		filter := corpus.Filter{{Key: c.key, Op: c.op, Values: c.values}}
		for mode, q := range map[string]store.Query{
			"dense": {Vector: vectorOf("q")}, "lexical": {Terms: termsOf("common")}, "hybrid": {Vector: vectorOf("q"), Terms: termsOf("common")},
		} {
			q.Scope, q.Filter = scope("a"), filter
			var got []int
			for _, h := range f.find(q) {
				got = append(got, int(h.Path[0]-'0'))
			}
			slices.Sort(got)
			f.same(fmt.Sprintf("%s search with %+v", mode, filter), got, c.want)
		}
	}
	both := corpus.Filter{{Key: "tags", Op: corpus.OpEqual, Values: []any{"policy"}}, {Key: "year", Op: corpus.OpGreater, Values: []any{2022.0}}}
	hits := f.find(store.Query{Scope: scope("a"), Terms: termsOf("common"), Filter: both})
	if len(hits) != 1 || hits[0].Path != "1.md" {
		f.Errorf("two conditions find %d chunks", len(hits))
	}
}

func deepMatches(f *fixture) {
	f.create("a")
	for i := range 400 {
		c := document("a", fmt.Sprintf("near%d.md", i), "travel travel travel")
		f.put(c)
	}
	for i := range 10 {
		c := document("a", fmt.Sprintf("far%d.md", i), fmt.Sprint("travel among many other words number ", i))
		c.doc.Metadata = map[string]any{"department": "HR"}
		f.put(c)
	}
	filter := corpus.Filter{{Key: "department", Op: corpus.OpEqual, Values: []any{"HR"}}}
	for mode, q := range map[string]store.Query{
		"dense": {Vector: vectorOf("travel travel travel")}, "lexical": {Terms: termsOf("travel")},
		"hybrid": {Vector: vectorOf("travel travel travel"), Terms: termsOf("travel")},
	} {
		q.Scope, q.Filter, q.Limit, q.Candidates = scope("a"), filter, 10, 10
		if hits := f.find(q); len(hits) != 10 {
			f.Errorf("%s: found %d of 10", mode, len(hits))
		}
	}
}

func filterFollows(f *fixture) {
	f.create("a")
	c := document("a", "x.md", "text")
	q := store.Query{Scope: scope("a"), Vector: vectorOf("text"), Filter: corpus.Filter{{Key: "state", Op: corpus.OpEqual, Values: []any{"valid"}}}}
	for _, state := range []string{"draft", "valid", "withdrawn"} {
		c.doc.Metadata = map[string]any{"state": state}
		f.put(c)
		if hits := f.find(q); (len(hits) == 1) != (state == "valid") {
			f.Errorf("state %s: found %d", state, len(hits))
		}
	}
}

func filterAndAccess(f *fixture) {
	f.create("a")
	for i, g := range []string{"hr", "it"} {
		for _, state := range []string{"valid", "draft"} {
			c := document("a", fmt.Sprintf("%d%s.md", i, state), "text")
			c.doc.Groups, c.doc.Metadata = []string{g}, map[string]any{"state": state}
			f.put(c)
		}
	}
	q := store.Query{
		Scope: corpus.Scope{Collection: "a", Access: groups("it")}, Terms: termsOf("text"),
		Filter: corpus.Filter{{Key: "state", Op: corpus.OpEqual, Values: []any{"valid"}}},
	}
	hits := f.find(q)
	if len(hits) != 1 || hits[0].Path != "1valid.md" {
		f.Errorf("found %d chunks, want that of 1valid.md", len(hits))
	}
}

func noMatch(f *fixture) {
	f.create("a")
	f.put(library("a", 10)...)
	filter := corpus.Filter{{Key: "department", Op: corpus.OpExists, Values: []any{true}}}
	for mode, q := range map[string]store.Query{
		"dense": {Vector: vectorOf("q")}, "lexical": {Terms: termsOf("travel")}, "hybrid": {Vector: vectorOf("q"), Terms: termsOf("travel")},
	} {
		q.Scope, q.Filter = scope("a"), filter
		if hits := f.find(q); len(hits) != 0 {
			f.Errorf("%s: found %q", mode, texts(hits))
		}
	}
}
