package model

import "strings"

// thinking leaves out what a model thinks aloud before it answers: where its text begins with <think>, all up to </think>.
// Servers that know such models send it in a field of its own; others leave it in the text.
type thinking struct {
	held string // that may be the beginning of a tag
	now  int
}

// States of thinking.
const (
	undecided = iota // nothing but white space, or a part of <think>, was written
	inside
	behind // the white space after the thoughts is left out too
	answering
)

const (
	thoughtsBegin = "<think>"
	thoughtsEnd   = "</think>"
)

// write takes the next piece of the text and returns what of it, and of what was held back, is the answer's.
func (t *thinking) write(piece string) string {
	if t.now == answering {
		return piece
	}
	t.held += piece
	if t.now == undecided {
		text := strings.TrimLeft(t.held, " \t\r\n")
		switch {
		case strings.HasPrefix(text, thoughtsBegin):
			t.now, t.held = inside, text[len(thoughtsBegin):]
		case strings.HasPrefix(thoughtsBegin, text):
			return ""
		default:
			return t.rest()
		}
	}
	if t.now == inside {
		_, after, ended := strings.Cut(t.held, thoughtsEnd)
		if !ended {
			t.held = t.held[max(0, len(t.held)-len(thoughtsEnd)+1):]
			return ""
		}
		t.now, t.held = behind, after
	}
	if t.held = strings.TrimLeft(t.held, " \t\r\n"); t.held == "" {
		return ""
	}
	return t.rest()
}

// rest ends what is held back, at the end of the text. Thoughts that have no end are no answer.
func (t *thinking) rest() string {
	held := t.held
	if t.now == inside {
		held = ""
	}
	t.now, t.held = answering, ""
	return held
}

// withoutThoughts is a whole text without them.
func withoutThoughts(text string) string {
	var t thinking
	return t.write(text) + t.rest()
}
