package model

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// able is an endpoint that does all that it is asked, or, unable, answers everything with a word.
func able(unable bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Stream   bool
			Tools    []any
			Format   any `json:"response_format"`
			Messages json.RawMessage
		}
		if strings.HasSuffix(r.URL.Path, "/embeddings") {
			if unable {
				reply(404, `{"error":{"message":"there is no such model"}}`)(w, r)
				return
			}
			vectorsOf(8)(w, r)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			reply(400, `{}`)(w, r)
			return
		}
		switch {
		case q.Stream && unable:
			stream(false, chunk("one two"), `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "data: [DONE]")(w, r)
		case q.Stream:
			stream(false, chunk("one"), chunk(" two"), `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "data: [DONE]")(w, r)
		case !unable && q.Tools != nil:
			reply(200, `{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"get_weather","arguments":"{\"city\":\"Lisbon\"}"}}]},"finish_reason":"tool_calls"}]}`)(w, r)
		case !unable && q.Format != nil:
			reply(200, `{"choices":[{"message":{"content":"{\"capital\":\"Paris\"}"},"finish_reason":"stop"}]}`)(w, r)
		case !unable && strings.Contains(string(q.Messages), "data:image/png;base64,"):
			reply(200, `{"choices":[{"message":{"content":"Red."},"finish_reason":"stop"}]}`)(w, r)
		default:
			reply(200, `{"choices":[{"message":{"content":"Paris"},"finish_reason":"stop"}]}`)(w, r)
		}
	}
}

func TestAProbeTellsEachResultAndWaitsForNoneTooLong(t *testing.T) {
	answers := able(false)
	s := serve(t, answers, hang, answers) // the second call is for streaming
	card := Card{ID: "m", Provider: "openai", BaseURL: s.URL, Tasks: []Task{TaskChat}, MaxOutput: 100}
	var told []Probed
	list, err := probe(t.Context(), card, quick(), 500*time.Millisecond, func(p Probed) { told = append(told, p) })
	if err != nil || len(list) != 6 || !slices.Equal(told, list) {
		t.Fatalf("told of %+v, found %+v, %v", told, list, err)
	}
	if p := list[1]; p.Outcome != ProbeFailed || p.Reason != "no answer in 0.5 s" || list[2].Outcome != ProbeWorks {
		t.Errorf("one that hangs is %+v, the next %+v", p, list[2])
	}

	ctx, cancel := context.WithCancel(t.Context())
	list, err = Probe(ctx, card, quick(), func(p Probed) {
		if p.Feature == "streaming" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(list) != 2 || !strings.Contains(list[1].Reason, "tokens are not counted") {
		t.Errorf("after an interrupt there is %+v, %v", list, err)
	}
}

func TestAServerThatCountsFewerTokensThanNoneHasNotCounted(t *testing.T) {
	for _, usage := range []string{`{"prompt_tokens":-1,"completion_tokens":5}`, `{"prompt_tokens":5,"completion_tokens":-1}`} {
		s := serve(t, reply(200, `{"choices":[{"message":{"content":"Paris"},"finish_reason":"stop"}],"usage":`+usage+`}`))
		chat, err := NewChat(t.Context(), Card{ID: "m", Provider: "openai", BaseURL: s.URL, Tasks: []Task{TaskChat}, MaxOutput: 100}, quick())
		if err != nil {
			t.Fatal(err)
		}
		response, err := chat.Complete(t.Context(), Request{Messages: user("Which?")}, nil)
		if err != nil || response.PromptTokens != nil || response.CompletionTokens != nil {
			t.Errorf("%s: %v and %v, %v", usage, response.PromptTokens, response.CompletionTokens, err)
		}
	}
	minus := -3
	if n := (&embeddingReply{PromptEvalCount: &minus}).tokens(); n != nil {
		t.Errorf("%d tokens were embedded", *n)
	}
}

func TestAProbeTellsWhatAnEndpointReallyDoes(t *testing.T) {
	outcomes := func(list []Probed) string {
		var words []string
		for _, p := range list {
			if p.Reason == "" {
				t.Errorf("%s has no reason", p.Feature)
			}
			words = append(words, p.Feature+" "+p.Outcome)
		}
		return strings.Join(words, ", ")
	}
	for name, c := range map[string]struct {
		handler  http.HandlerFunc
		provider string
		want     string
	}{
		"all":       {able(false), "openai", "chat works, streaming works, embedding works, tools works, json works, vision works"},
		"words":     {able(true), "openai", "chat works, streaming ignored, embedding refused, tools ignored, json ignored, vision ignored"},
		"wrong key": {reply(401, `{"error":{"message":"no such key"}}`), "openai", "chat failed, streaming failed, embedding failed, tools failed, json failed, vision failed"},
		"says so":   {reply(500, `{"error":{"message":"image input is not supported"}}`), "openai", "chat refused, streaming refused, embedding refused, tools refused, json refused, vision refused"},
		"no OpenAI": {reply(200, `{"content":[{"type":"text","text":"Paris"}],"stop_reason":"end_turn"}`), "anthropic", "embedding refused, tools refused, json refused"},
	} {
		s := serve(t, c.handler)
		list, err := Probe(t.Context(), Card{ID: "m", Provider: c.provider, BaseURL: s.URL, Tasks: []Task{TaskChat}, MaxOutput: 100}, quick(), func(Probed) {})
		if err != nil {
			t.Fatal(err)
		}
		got := outcomes(list)
		if name == "no OpenAI" {
			got = outcomes(list[2:5])
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s\n%+v", name, got, c.want, list)
		}
		if name == "wrong key" && s.count() != 6 {
			t.Errorf("%d calls, want one a feature", s.count())
		}
	}
}
