package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"testing"

	"github.com/tiktoken-go/tokenizer"

	"grounded/wire"
)

func TestModelsAreListedWithAndWithoutDocumentsAndFoundByEscapedNames(t *testing.T) {
	c := open(t, nil)
	var list struct{ Data []modelEntry }
	c.send("GET", "/v1/models", "reader", "").want(t, http.StatusOK).into(t, &list)
	found := map[string]bool{}
	for _, m := range list.Data {
		found[m.ID] = true
	}
	for id, want := range map[string]bool{"parrot": true, "parrot+rag": true, "words": true, "words+rag": false, "org/m:8b@x+rag": true, "gpt-4o": false} {
		if found[id] != want {
			t.Errorf("%s is listed: %t", id, found[id])
		}
	}
	for path, id := range map[string]string{"parrot+rag": "parrot+rag", "org%2Fm:8b@x": "org/m:8b@x", "org/m:8b@x+rag": "org/m:8b@x+rag", "org%2Fm%3A8b%40x%2Brag": "org/m:8b@x+rag"} {
		var m modelEntry
		c.send("GET", "/v1/models/"+path, "reader", "").want(t, http.StatusOK).into(t, &m)
		if m.ID != id {
			t.Errorf("%s gave %q, want %q", path, m.ID, id)
		}
	}
	c.send("GET", "/v1/models/unheard", "reader", "").want(t, http.StatusNotFound)
}

func TestEmbeddingsComeInTheFormThatWasAskedFor(t *testing.T) {
	c := open(t, nil)
	want := vectorOfWords("days of leave")
	codec, err := tokenizer.Get(tokenizer.Cl100kBase)
	if err != nil {
		t.Fatal(err)
	}
	ids, _, err := codec.Encode("days of leave")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, body string }{
		{"numbers when nothing is said", `{"model":"words","input":"days of leave"}`},
		{"numbers", `{"model":"words","input":["days of leave"],"encoding_format":"float"}`},
		{"base64", `{"model":"words","input":["days of leave"],"encoding_format":"base64"}`},
		{"tokens", `{"model":"words","input":[` + string(tokens) + `],"encoding_format":"float"}`},
		{"tokens of one text", `{"model":"words","input":` + string(tokens) + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var list struct {
				Data []struct{ Embedding json.RawMessage }
			}
			c.send("POST", "/v1/embeddings", "reader", test.body).want(t, http.StatusOK).into(t, &list)
			var got []float32
			if test.name == "base64" {
				var text string
				if err := json.Unmarshal(list.Data[0].Embedding, &text); err != nil {
					t.Fatal(err)
				}
				raw, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; i < len(raw); i += 4 {
					got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
				}
			} else if err := json.Unmarshal(list.Data[0].Embedding, &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("got %d numbers, want %d", len(got), len(want))
			}
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-5 {
					t.Fatalf("number %d is %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
	for _, bad := range []string{`{"model":"words","input":[]}`, `{"model":"words","input":[" "]}`, `{"model":"words","input":[[99999999]]}`, `{"model":"words","input":"x","dimensions":3}`, `{"model":"words","input":"x","encoding_format":"hex"}`} {
		c.send("POST", "/v1/embeddings", "reader", bad).want(t, http.StatusBadRequest)
	}
	c.send("POST", "/v1/embeddings", "reader", `{"model":"parrot","input":"x"}`).want(t, http.StatusNotFound)
}

func TestTheCatalogIsFiltered(t *testing.T) {
	c := open(t, nil)
	for query, want := range map[string][]string{
		"license=apache&kind=open&task=chat&name=smollm": {"smollm2"},
		"name=SMOLLM": {"smollm2"}, "name=org/": {"org/m:8b@x"}, "name=parrot&license=MIT": nil,
	} {
		var list wire.Page[struct{ ID string }]
		c.send("GET", "/api/models?"+query, "reader", "").want(t, http.StatusOK).into(t, &list)
		var got []string
		for _, card := range list.Data {
			got = append(got, card.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gives %q, want %q", query, got, want)
		}
	}
}
