package finetune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"grounded/corpus"
	"grounded/model"
)

// Record is what is kept here of a job, to know later what its model was made of.
type Record struct {
	Job         string `json:"job"`
	Base        string `json:"base"`    // id in the catalog
	Dataset     string `json:"dataset"` // name of the training set's folder
	DatasetHash string `json:"dataset_hash"`
	Registered  string `json:"registered"` // id of the finished model in the catalog; empty until then
}

// Keep writes a record into a folder.
func Keep(folder string, r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "keep record of job %s: %w", r.Job, err)
	}
	path := recordFile(folder, r.Job)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return corpus.Errorf(corpus.ErrFull, "keep record of job %s: %w", r.Job, err)
	}
	return os.Rename(path+".new", path)
}

// Recorded reads the record of a job; false if there is none.
func Recorded(folder, job string) (r Record, found bool, err error) {
	text, err := os.ReadFile(recordFile(folder, job))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, false, corpus.Errorf(corpus.ErrCorrupt, "read record of job %s: %w", job, err)
	}
	return r, true, nil
}

// recordFile names a job's file. An id is the provider's: no part of it leaves the folder.
func recordFile(folder, job string) string {
	return filepath.Join(folder, strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, job)+".json")
}

// Card is the catalog entry of the model that a finished job made. A job without a model is corpus.ErrInvalid.
func Card(base model.Card, r Record, job model.TuningJob, checkpoints []model.Checkpoint) (model.Card, error) {
	if job.Status != model.TuningSucceeded || job.FineTunedModel == nil || *job.FineTunedModel == "" {
		return model.Card{}, corpus.Errorf(corpus.ErrInvalid, "job %s has made no model", job.ID)
	}
	l := job.Lineage(checkpoints)
	l.Dataset, l.DatasetHash = r.Dataset, r.DatasetHash
	if r.Dataset == "" {
		l.Dataset = fmt.Sprintf("file %s of the provider", job.TrainingFile)
	}
	return model.Tuned(base, *job.FineTunedModel, l), nil
}
