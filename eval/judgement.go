package eval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"grounded/corpus"
)

// judgementsFile of a run has a call of a judge a line.
const judgementsFile = "judgements.jsonl"

// Kinds of judgement.
const (
	JudgedPairs   = "pair"    // which of two answers is better
	JudgedSupport = "support" // which sentences of an answer its passages support
)

// Verdicts on a pair of answers, in the order that they were shown in.
const (
	FirstIsBetter  = "first"
	SecondIsBetter = "second"
	NeitherBetter  = "tie"
)

// Judgement is one call to a judge and what it said.
type Judgement struct {
	Kind     string `json:"kind"`
	Judge    string `json:"judge"`  // a chat model
	Prompt   string `json:"prompt"` // its version
	Question string `json:"id"`
	Model    string `json:"model"` // of the answer; of a pair, of the one shown first
	Arm      string `json:"arm"`
	Than     string `json:"than_model,omitempty"` // of the one shown second
	Beside   string `json:"than_arm,omitempty"`
	Of       string `json:"of"` // hash of the texts that were judged

	Verdict   string           `json:"verdict,omitempty"` // on a pair; empty when it could not be read
	Sentences []JudgedSentence `json:"sentences,omitempty"`
	Call      Call             `json:"call"`
	CostUSD   *float64         `json:"cost_usd"`
	Error     string           `json:"error,omitempty"`

	run string // where it is one of several beside each other
}

// JudgedSentence is a sentence of an answer; Supported is nil when the judge did not say.
type JudgedSentence struct {
	Sentence  string `json:"sentence"`
	Supported *bool  `json:"supported"`
}

// subject is what a judgement is about.
type subject struct{ kind, question, model, arm, than, beside, of string }

func (j Judgement) subject() subject {
	return subject{j.Kind, j.Question, j.Model, j.Arm, j.Than, j.Beside, j.Of}
}

// LoadJudgements reads what judges said of a run; none if there were no judges.
func LoadJudgements(path string) (list []Judgement, err error) {
	name := filepath.Join(path, judgementsFile)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrUnavailable, "read judgements: %w", err)
	}
	defer f.Close()
	_, err = eachRecord(f, name, func(j Judgement) error {
		list = append(list, j)
		return nil
	})
	return list, err
}

// hashOf is short, and different for different texts.
func hashOf(texts ...any) string {
	line, _ := json.Marshal(texts) // strings and lists of them: it can't fail
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:6])
}

// sentencesOf lists the sentences of an answer that were checked, and whether a passage supports each.
func sentencesOf(a corpus.Answer) (sentences []string, supported map[string]bool) {
	supported = map[string]bool{}
	for _, c := range a.Citations {
		supported[c.Sentence] = supported[c.Sentence] || c.Verified
	}
	for _, s := range a.Unsupported {
		supported[s] = false
	}
	for s := range supported {
		sentences = append(sentences, s)
	}
	slices.SortFunc(sentences, func(a, b string) int { return cmp.Compare(a, b) })
	return sentences, supported
}
