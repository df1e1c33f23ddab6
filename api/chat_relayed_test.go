package api

import (
	"testing"

	"grounded/model"
	"grounded/telemetry"
)

func TestEventsAreLookedAtWhateverTheirSpaces(t *testing.T) {
	observer, err := telemetry.New(t.Context(), telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		event  string
		finish bool
		begun  bool
		tokens int // 0 when none are told
	}{
		{event: `{"choices":[{"delta":{"role":"assistant","content":""}}],"usage":null}`},
		{event: `{"choices": [{"delta": {"role": "assistant", "content": ""}}], "usage": null}`},
		{event: `{"choices": [{"delta": {"role": "assistant", "content": null}}]}`},
		{event: `{"choices":[{"delta":{"content":"Every"}}]}`, begun: true},
		{event: `{"choices": [{"delta": {"content": "Every"}}]}`, begun: true},
		{event: `{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, begun: true},
		{event: `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}`, tokens: 9},
		{event: `{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}`, tokens: 9},
		{event: `{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}`},
		{event: `{"choices":[{"delta":{},"finish_reason":"length"}]}`, finish: true},
		{event: `{"choices":7,"usage":"much"}`},
	} {
		var seen relayedAnswer
		_, seen.call = observer.StartChat(t.Context(), model.Card{ID: "m"}, model.Request{})
		seen.event([]byte(test.event), test.finish)
		tokens := 0
		if n := seen.response.PromptTokens; n != nil {
			tokens = *n
		}
		if seen.begun != test.begun || tokens != test.tokens || (seen.response.FinishReason == "length") != test.finish {
			t.Errorf("%s: got %+v", test.event, seen)
		}
	}
}
