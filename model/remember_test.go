package model

import "testing"

func TestTheSameQueryIsEmbeddedOnce(t *testing.T) {
	s := serve(t, vectorsOf(3))
	e, err := RememberQueries(newEmbedder(t, embedCard(s.URL), quick()), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind     Kind
		texts    []string
		requests int // after it, in all
	}{
		{Query, []string{"a"}, 1}, {Query, []string{"a"}, 1}, {Query, []string{"b"}, 2}, {Query, []string{"a"}, 2},
		{Query, []string{"c"}, 3}, {Query, []string{"a"}, 3}, {Query, []string{"b"}, 4}, // the last two are kept
		{Passage, []string{"b"}, 5}, {Passage, []string{"b"}, 6}, {Query, []string{"b", "c"}, 7}, {Query, []string{"b", "c"}, 8},
	} {
		before := s.count()
		made, err := e.Embed(t.Context(), c.kind, c.texts)
		if err != nil || len(made.Vectors) != len(c.texts) || s.count() != c.requests {
			t.Fatalf("%s %.10q: %d vectors, %v, %d requests, want %d", c.kind, c.texts, len(made.Vectors), err, s.count(), c.requests)
		}
		if known := s.count() == before; made.Tokens == nil || (*made.Tokens == 0) != known {
			t.Errorf("%s %.10q: tokens %v", c.kind, c.texts, made.Tokens)
		}
	}
}
