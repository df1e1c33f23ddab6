package model

import (
	"strings"
	"testing"
)

func TestThoughtsAreNoAnswer(t *testing.T) {
	for text, want := range map[string]string{
		"<think>\nIs it 27? Yes.\n</think>\n\n27 days.": "27 days.",
		"\n <think></think>27":                          "27",
		"<think>a</think> b <think>c</think>":           "b <think>c</think>",
		"<think>cut off":                                "",
		"<think>a</thin":                                "",
		"<thin":                                         "<thin",
		"<thinking> is a tag":                           "<thinking> is a tag",
		"  27 days, <think> aside":                      "  27 days, <think> aside",
		"":                                              "",
		"<":                                             "<",
		" \n":                                           " \n",
		"<think>好的，<b>二十七</b></think>\n\n每年 27 天。":        "每年 27 天。",
		"<think>a < b </ think> </think></think> the end": "</think> the end",
	} {
		if got := withoutThoughts(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
		for size := 1; size <= len(text); size++ {
			var streamed strings.Builder
			var thought thinking
			for at := 0; at < len(text); at += size {
				streamed.WriteString(thought.write(text[at:min(at+size, len(text))]))
			}
			streamed.WriteString(thought.rest())
			if got := streamed.String(); got != want {
				t.Errorf("%q in pieces of %d is %q, want %q", text, size, got, want)
			}
		}
	}
}

func TestAStreamLeavesThoughtsOut(t *testing.T) {
	lines := []string{chunk("<thi"), "", chunk("nk>27?</think>\n"), "", chunk("27 days"), "", chunk(" <"), "", `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, "", "data: [DONE]", ""}
	c := newChat(t, chatCard("openai", serve(t, stream(false, lines...)).URL), quick())
	streamed := ""
	r, err := c.Complete(t.Context(), Request{Messages: []Message{{Role: "user", Content: "How many?"}}}, func(d Delta) error {
		streamed += d.Text
		return nil
	})
	if err != nil || r.Text != "27 days <" || streamed != r.Text {
		t.Errorf("%q, streamed %q, %v", r.Text, streamed, err)
	}
}
