package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"grounded/corpus"
	"grounded/model"
)

// Cache is a folder of chat models' answers, by the content of the whole request. It may be used by any number of
// processes; the empty one keeps nothing.
type Cache string

// cached is what a file of the cache holds.
type cached struct {
	Model    string         `json:"model"`
	Request  model.Request  `json:"request"`
	Response model.Response `json:"response"`
}

// file is where the answer of a model to a request is.
func (c Cache) file(card model.Card, q model.Request) (string, error) {
	text, err := json.Marshal([]any{card.ID, card.Provider, card.BaseURL, card.Model, card.APIVersion, card.NoSampling, card.Command, card.Env, q})
	if err != nil {
		return "", corpus.Errorf(corpus.ErrInvalid, "look up request: %w", err)
	}
	sum := sha256.Sum256(text)
	name := hex.EncodeToString(sum[:])
	return filepath.Join(string(c), name[:2], name[2:]+".json"), nil
}

// get returns the answer to a request if it is there. A file that can't be read as one counts as none.
func (c Cache) get(card model.Card, q model.Request) (r model.Response, found bool, err error) {
	if c == "" {
		return r, false, nil
	}
	path, err := c.file(card, q)
	if err != nil {
		return r, false, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "read cache: %w", err), "mend the folder, or go without it: --no-cache")
	}
	var entry cached
	if json.Unmarshal(text, &entry) != nil || entry.Model != card.ID {
		return r, false, nil
	}
	return entry.Response, true, nil
}

// put keeps an answer.
func (c Cache) put(card model.Card, q model.Request, r model.Response) error {
	if c == "" {
		return nil
	}
	path, err := c.file(card, q)
	if err != nil {
		return err
	}
	text, err := json.Marshal(cached{card.ID, q, r})
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write cache: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return corpus.Errorf(corpus.ErrFull, "write cache: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return corpus.Errorf(corpus.ErrFull, "write cache: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(corpus.Errorf(corpus.ErrFull, "write cache: %w", err), os.Remove(f.Name()))
	}
	return nil
}
