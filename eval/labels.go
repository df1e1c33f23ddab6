package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"

	"grounded/corpus"
	"grounded/eval/stat"
)

// Label is what a person says of an answer of a run: of a sentence, whether its passages support it; of two answers,
// which is better.
type Label struct {
	ID    string `json:"id"` // of the question
	Model string `json:"model"`
	Arm   string `json:"arm"`

	Sentence  string `json:"sentence"`
	Supported *bool  `json:"supported"`

	Than    string `json:"than_model"` // the same model if empty
	Beside  string `json:"than_arm"`
	Verdict string `json:"verdict"` // better, worse or tie
}

// Verdicts of people, and of a judge in both orders.
const (
	labelBetter = "better"
	labelWorse  = "worse"
	labelTie    = "tie"
)

// Agreement is how far labels agree with what judges.
type Agreement struct {
	By     string   `json:"by"` // a judge, or "words and embeddings"
	Of     string   `json:"of"` // "pairs" or "sentences"
	Labels int      `json:"labels"`
	Same   int      `json:"same"`
	Kappa  *float64 `json:"kappa"` // Cohen's; nil where it is not defined
}

// byOverlap is the check that needs no judge.
const byOverlap = "words and embeddings"

// LoadLabels reads a file as ReadLabels does.
func LoadLabels(path string) (labels []Label, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read labels: %w", err)
	}
	defer f.Close()
	return ReadLabels(f, path)
}

// ReadLabels reads JSONL, a label a line. An unknown key, or a label of nothing, fails with corpus.ErrInvalid, the name and
// the line.
func ReadLabels(r io.Reader, name string) (labels []Label, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var l Label
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&l)
		if problem := l.problem(); err == nil && problem != "" {
			err = corpus.Errorf(corpus.ErrInvalid, "%s", problem)
		}
		if err != nil {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read labels %s, line %d: %w", name, n, err),
				`a line is {"id": "q1", "model": "m", "arm": "grounded", "sentence": "…", "supported": true}`+
					` or {"id": "q1", "model": "m", "arm": "grounded", "than_arm": "plain", "verdict": "better"}`)
		}
		labels = append(labels, l)
	}
	if err := lines.Err(); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read labels %s: %w", name, err)
	}
	return labels, nil
}

func (l Label) problem() string {
	switch {
	case l.ID == "" || l.Model == "" || l.Arm == "":
		return "id, model and arm are needed"
	case l.Sentence != "" && (l.Supported == nil || l.Verdict != "" || l.Beside != ""):
		return "a sentence is supported or not, and is compared with nothing"
	case l.Sentence == "" && l.Beside == "":
		return "it is neither of a sentence nor of two answers"
	case l.Sentence == "" && l.Verdict != labelBetter && l.Verdict != labelWorse && l.Verdict != labelTie:
		return "the verdict is better, worse or tie"
	}
	return ""
}

// agreements compares labels with the check by overlap and with each judge. Labels that are of nothing that was judged
// are counted.
func (r *Report) agreements(labels []Label) (list []Agreement, ofNothing int) {
	overlap := func(l Label) (string, bool) {
		c := r.find(l.Model, l.Arm)
		if c == nil || c.items[l.ID].Answer == nil {
			return "", false
		}
		_, supported := sentencesOf(*c.items[l.ID].Answer)
		yes, ok := supported[l.Sentence]
		return yesNo(yes), ok
	}
	list = appendAgreement(list, byOverlap, "sentences", labels, Label.ofSentence, overlap)
	for _, g := range r.Judging {
		list = appendAgreement(list, g.Judge, "sentences", labels, Label.ofSentence, g.onSentence)
		list = appendAgreement(list, g.Judge, "pairs", labels, Label.ofPair, g.onPair)
	}
	for _, l := range labels {
		_, judged := overlap(l)
		for _, g := range r.Judging {
			_, sentence := g.onSentence(l)
			_, pair := g.onPair(l)
			judged = judged || sentence || pair
		}
		if !judged {
			ofNothing++
		}
	}
	return list, ofNothing
}

func appendAgreement(list []Agreement, by, of string, labels []Label, wanted func(Label) (string, bool), judge func(Label) (string, bool)) []Agreement {
	a := Agreement{By: by, Of: of}
	var people, judged []string
	for _, l := range labels {
		label, ours := wanted(l)
		if !ours {
			continue
		}
		if verdict, ok := judge(l); ok {
			people, judged = append(people, label), append(judged, verdict)
			if label == verdict {
				a.Same++
			}
		}
	}
	if a.Labels = len(people); a.Labels == 0 {
		return list
	}
	if kappa, ok := stat.Kappa(people, judged); ok {
		a.Kappa = &kappa
	}
	return append(list, a)
}

func (l Label) ofSentence() (string, bool) {
	return yesNo(l.Supported != nil && *l.Supported), l.Sentence != ""
}

func (l Label) ofPair() (string, bool) { return l.Verdict, l.Sentence == "" }

func (g Judging) onSentence(l Label) (string, bool) {
	for _, f := range g.Faithful {
		if f.Model == l.Model && f.Arm == l.Arm {
			yes, ok := f.supported[l.ID][l.Sentence]
			return yesNo(yes), ok
		}
	}
	return "", false
}

func (g Judging) onPair(l Label) (string, bool) {
	than := l.Than
	if than == "" {
		than = l.Model
	}
	for _, p := range g.Pairs {
		verdict, ok := p.verdicts[l.ID]
		switch {
		case !ok:
		case p.Model == l.Model && p.Arm == l.Arm && p.Than == than && p.Beside == l.Beside:
			return verdictName(verdict), true
		case p.Model == than && p.Arm == l.Beside && p.Than == l.Model && p.Beside == l.Arm:
			return verdictName(-verdict), true
		}
	}
	return "", false
}

func verdictName(sign int) string {
	switch {
	case sign > 0:
		return labelBetter
	case sign < 0:
		return labelWorse
	}
	return labelTie
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
