package config

import (
	"strings"
	"testing"
)

func TestValuesAreSetAndAllElseStays(t *testing.T) {
	values := []Value{{"retrieve", "mode", "dense"}, {"retrieve", "dense_weight", .35}, {"ingest", "chunk_tokens", 300}}
	for _, text := range []string{
		"", "data: x\n", "data: x", "retrieve:\n  top_k: 7 # enough\n", "retrieve: {mode: lexical, top_k: 7}\n",
		"# ours\ndata: ${HOME}\n\nretrieve:\n  # how\n  mode: hybrid\n  dense_weight: 0.7\ningest:\n  workers: 2\nmodels:\n  chat: \"m\"\n", Example,
	} {
		made, err := Set(text, values)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		c, err := Parse([]byte(made), func(string) (string, bool) { return "h", true })
		before, wrong := Parse([]byte(text), func(string) (string, bool) { return "h", true })
		if err != nil || wrong != nil {
			t.Errorf("%q: %v, %v", made, err, wrong)
			continue
		}
		before.Retrieve.Mode, before.Retrieve.DenseWeight, before.Ingest.ChunkTokens = "dense", .35, 300
		if c.Retrieve != before.Retrieve || c.Data != before.Data || c.Ingest.Workers != before.Ingest.Workers || c.Ingest.ChunkTokens != 300 || c.Models != before.Models {
			t.Errorf("%q became %q", text, made)
		}
		for _, comment := range []string{"# ours", "# how", "# enough"} {
			if strings.Contains(text, comment) && !strings.Contains(made, comment) {
				t.Errorf("%q lost %q: %q", text, comment, made)
			}
		}
	}
	if _, err := Set("retrieve: [", values); err == nil {
		t.Error("what is no YAML is changed")
	}
}
