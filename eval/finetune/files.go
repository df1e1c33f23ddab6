package finetune

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/model"
)

// Files of a folder that holds a training set.
const (
	TrainFile      = "train.jsonl"
	ValidationFile = "validation.jsonl"
	HoldoutFile    = "holdout.jsonl" // all questions of validation's part, to evaluate with: nothing of them was trained on
	manifestFile   = "manifest.json"
)

// Limits of a provider's fine-tuning.
const (
	leastExamples = 10        // OpenAI's guide to fine-tuning
	fewExamples   = 50        // from which it sees improvements
	mostBytes     = 512 << 20 // of an uploaded file, by OpenAI's reference of files
	// usualEpochs is what an estimate counts with where none are said; the provider chooses.
	usualEpochs = 3
)

// Manifest tells what a training set was made of, and what training on it may take.
type Manifest struct {
	Base        string    `json:"base"` // model to be tuned
	Arm         string    `json:"arm"`
	Dataset     string    `json:"dataset"` // name of the file of questions
	DatasetHash string    `json:"dataset_hash"`
	Split       string    `json:"split"` // document or page
	Train       int       `json:"train_examples"`
	Validation  int       `json:"validation_examples"`
	LeftOut     []LeftOut `json:"left_out"`
	// Hashes are the SHA-256 of the files' bytes, in hex, by name.
	Hashes map[string]string `json:"hashes"`
	// Tokens of the training file, once through, and of all epochs that an estimate counts with.
	TrainTokens int `json:"train_tokens"`
	Epochs      int `json:"epochs"`
	// CostUSD of training, estimated; nil when the price is not known.
	CostUSD  *float64 `json:"cost_usd"`
	Problems []string `json:"problems"` // why the provider would refuse it
	Warnings []string `json:"warnings"`
}

// Describe checks a training set against the provider's limits and estimates what training takes. Zero epochs stand for
// three.
func Describe(base model.Card, train, validation []Example, left []LeftOut, epochs int) Manifest {
	if epochs <= 0 {
		epochs = usualEpochs
	}
	m := Manifest{
		Base: base.ID, Train: len(train), Validation: len(validation), LeftOut: append([]LeftOut{}, left...), Epochs: epochs,
		Hashes: map[string]string{}, Problems: []string{}, Warnings: []string{},
	}
	for _, e := range train {
		m.TrainTokens += e.tokens
	}
	if p := base.Price.Training; p != nil {
		cost := float64(m.TrainTokens*epochs) / 1e6 * *p
		m.CostUSD = &cost
	}
	switch n := len(train); {
	case n < leastExamples:
		m.Problems = append(m.Problems, fmt.Sprintf("There are %d examples to train on, and %d are needed.", n, leastExamples))
	case n < fewExamples:
		m.Warnings = append(m.Warnings, fmt.Sprintf("There are only %d examples to train on; improvements are seen from about %d.", n, fewExamples))
	}
	if len(validation) == 0 {
		m.Warnings = append(m.Warnings, "Without validation nobody sees when training goes too far.")
	}
	for _, e := range slices.Concat(train, validation) {
		if base.Context > 0 && e.tokens > base.Context {
			m.Problems = append(m.Problems, fmt.Sprintf("The example of %s has %d tokens, more than the %d that the model takes.", e.id, e.tokens, base.Context))
		}
	}
	return m
}

// Write makes the folder of a training set, which must not be there yet. Held are the questions that validation's examples
// were made of, or could not be: a model that is evaluated on those alone whose evidence was found would look better than
// it is. The manifest is completed with the hashes, and with a problem when a file is too large.
func Write(folder string, m Manifest, train, validation []Example, held []dataset.Question) (Manifest, error) {
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return m, corpus.Errorf(corpus.ErrInvalid, "write training set: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); errors.Is(err, fs.ErrExist) {
		return m, corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%s is there already", folder), "remove it, or name another folder with --out")
	} else if err != nil {
		return m, corpus.Errorf(corpus.ErrInvalid, "write training set: %w", err)
	}
	files := map[string][]byte{}
	for name, examples := range map[string][]Example{TrainFile: train, ValidationFile: validation} {
		if len(examples) == 0 {
			continue
		}
		text, err := lines(examples)
		if err != nil {
			return m, err
		}
		files[name] = text
	}
	held = slices.DeleteFunc(slices.Clone(held), func(q dataset.Question) bool { return q.Draft })
	if len(held) > 0 {
		var b bytes.Buffer
		if err := dataset.Write(&b, held); err != nil {
			return m, fmt.Errorf("write training set: %w", err)
		}
		files[HoldoutFile] = b.Bytes()
	}
	for name, text := range files {
		sum := sha256.Sum256(text)
		m.Hashes[name] = hex.EncodeToString(sum[:])
		if len(text) > mostBytes {
			m.Problems = append(m.Problems, fmt.Sprintf("%s has %d MB, more than %d.", name, len(text)>>20, mostBytes>>20))
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return m, corpus.Errorf(corpus.ErrFull, "write training set: %w", err)
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("write training set: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, manifestFile), append(text, '\n'), 0o600); err != nil {
		return m, corpus.Errorf(corpus.ErrFull, "write training set: %w", err)
	}
	return m, nil
}

func lines(examples []Example) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, e := range examples {
		if err := encoder.Encode(e); err != nil {
			return nil, fmt.Errorf("write training set: %w", err)
		}
	}
	return b.Bytes(), nil
}

// Set is a training set that was read again.
type Set struct {
	Manifest   Manifest
	Train      []byte
	Validation []byte // nil for none
}

// Read reads a folder that Write made. Files that were changed since, a problem of the manifest, or a folder that is
// none are corpus.ErrInvalid.
func Read(folder string) (Set, error) {
	var s Set
	text, err := os.ReadFile(filepath.Join(folder, manifestFile))
	if err != nil {
		return s, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read training set: %w", err), "name a folder that grounded finetune dataset made")
	}
	if err := json.Unmarshal(text, &s.Manifest); err != nil {
		return s, corpus.Errorf(corpus.ErrInvalid, "read training set: %w", err)
	}
	for name, into := range map[string]*[]byte{TrainFile: &s.Train, ValidationFile: &s.Validation} {
		hash, there := s.Manifest.Hashes[name]
		if !there {
			continue
		}
		if *into, err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return s, corpus.Errorf(corpus.ErrInvalid, "read training set: %w", err)
		}
		if sum := sha256.Sum256(*into); hex.EncodeToString(sum[:]) != hash {
			return s, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s was changed since it was made", filepath.Join(folder, name)), "make the training set again, or the model's lineage would be wrong")
		}
	}
	if len(s.Manifest.Problems) > 0 {
		return s, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the provider would refuse %s: %s", folder, s.Manifest.Problems[0]), "make the training set of more or shorter questions")
	}
	return s, nil
}
