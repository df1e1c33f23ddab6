// Package dataset holds the questions of an evaluation with what is right about them: accepted answers, and the
// documents, pages and quotes that answer. In goes JSONL, a question a line, or one of several public formats; out
// come questions that have been checked.
package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"grounded/model"
)

// Evidence is a place that answers the question.
type Evidence struct {
	Document string `json:"document"`        // path in its source, or its base name where that is unique
	Page     int    `json:"page,omitempty"`  // from 1; 0 is not known
	Quote    string `json:"quote,omitempty"` // words of the page; empty is not known
	// Grade is how relevant it is, the gain of nDCG; 0 stands for 1.
	Grade float64 `json:"grade,omitempty"`
}

// Gain is the grade, 1 when there is none.
func (e Evidence) Gain() float64 {
	if e.Grade == 0 {
		return 1
	}
	return e.Grade
}

// Question is one line of a dataset.
type Question struct {
	ID         string          `json:"id"`
	Question   string          `json:"question"`
	Answers    []string        `json:"answers"`    // any of them is right
	Evidence   []Evidence      `json:"evidence"`   // all that is known
	Answerable bool            `json:"answerable"` // by the documents; true when the line does not say
	Tags       []string        `json:"tags"`
	History    []model.Message `json:"history"` // turns before the question, oldest first
	// Draft: a model wrote it, and nobody has said yet that it is right.
	Draft bool `json:"draft,omitempty"`
}

// Hash is a short hash of questions, in their order, with everything about them.
func Hash(questions []Question) string {
	sum := sha256.New()
	for _, q := range questions {
		line, _ := json.Marshal(q) // strings and numbers only: it can't fail
		sum.Write(append(line, '\n'))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Drafts counts the questions that nobody has reviewed.
func Drafts(questions []Question) (n int) {
	for _, q := range questions {
		if q.Draft {
			n++
		}
	}
	return n
}

// otherTag is the tag of questions that WithUnanswerable adds.
const otherTag = "other documents"

// WithUnanswerable adds questions about other documents as ones that these can't answer: without answers and evidence, with
// "other/" before their ids and a tag of their own. What is asked here as well, in the same words, is not added.
func WithUnanswerable(questions, others []Question) []Question {
	all, asked, ids := slices.Clone(questions), map[string]bool{}, map[string]bool{}
	words := func(q Question) string { return strings.ToLower(strings.Join(strings.Fields(q.Question), " ")) }
	for _, q := range questions {
		asked[words(q)], ids[q.ID] = true, true
	}
	for _, q := range others {
		if asked[words(q)] {
			continue
		}
		id := "other/" + q.ID
		for ids[id] {
			id = "other/" + id
		}
		ids[id] = true
		all = append(all, Question{ID: id, Question: q.Question, Answers: []string{}, Evidence: []Evidence{}, Tags: []string{otherTag}, History: q.History})
	}
	return all
}

// problem is what is wrong about a question by itself, or "".
func (q Question) problem() string {
	switch {
	case q.ID == "":
		return "there is no id"
	case strings.TrimSpace(q.Question) == "":
		return "there is no question"
	case !q.Answerable && len(q.Answers) > 0:
		return "it has answers and is said not to be answerable; leave its answers empty"
	case slices.ContainsFunc(q.Answers, func(a string) bool { return strings.TrimSpace(a) == "" }):
		return "an answer is empty"
	}
	for _, e := range q.Evidence {
		switch {
		case strings.TrimSpace(e.Document) == "":
			return "evidence names no document"
		case e.Page < 0:
			return "evidence has a page below 1"
		case e.Grade < 0:
			return "evidence has a grade below 0"
		}
	}
	for _, m := range q.History {
		if m.Role != "user" && m.Role != "assistant" {
			return "a turn of the history is neither the user's nor the assistant's"
		}
	}
	return ""
}

// Sample returns n of the questions, the same ones each time, in their order; all of them when n is 0 or there are no
// more. They are spread over the dataset, whose neighbours are often about the same document.
func Sample(questions []Question, n int) []Question {
	if n <= 0 || n >= len(questions) {
		return questions
	}
	order := make([]int, len(questions))
	rank := make([]string, len(questions))
	for i, q := range questions {
		sum := sha256.Sum256([]byte(q.ID))
		order[i], rank[i] = i, string(sum[:])
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(rank[a], rank[b]) })
	order = order[:n]
	slices.Sort(order)
	sample := make([]Question, n)
	for i, at := range order {
		sample[i] = questions[at]
	}
	return sample
}
