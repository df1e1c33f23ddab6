package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"grounded/corpus"
)

// ownHead begins the file of models that were made here.
const ownHead = `# Models that grounded registered: fine-tuned ones, and those of grounded models add. It is written anew each time; what
# you want to change of an entry, write into your own catalog (models.catalog), which goes before it.
`

// Register writes a card into the file of models that were made here, in the place of one with the same id. The file is
// whole at any time, and loses none when several processes register at once.
func Register(path string, card Card) (err error) {
	if err := card.check(); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "register: %w", err)
	}
	lock, err := lockOwn(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	var file struct {
		Models []Card `yaml:"models"`
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return corpus.Errorf(corpus.ErrUnavailable, "register: %w", err)
	default:
		if err := decodeStrict(text, &file); err != nil {
			return fmt.Errorf("register: read %s: %w", path, err)
		}
	}
	at := slices.IndexFunc(file.Models, func(o Card) bool { return o.ID == card.ID })
	if at < 0 {
		file.Models = append(file.Models, card)
	} else {
		file.Models[at] = card
	}
	entries := make([]yaml.MapSlice, len(file.Models))
	for i, c := range file.Models {
		entries[i] = filled(c)
	}
	text, err = yaml.Marshal(map[string]any{"models": entries})
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return writeOwn(path, append([]byte(ownHead), text...))
}

// lockOwn keeps others from registering until the file that it returns is closed. It makes the folder. The lock is on a
// file of its own, since that of the models is replaced.
func lockOwn(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "register: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "register: %w", err)
	}
	if err := lockFile(lock); err != nil {
		return nil, errors.Join(corpus.Errorf(corpus.ErrUnavailable, "register: lock %s: %w", lock.Name(), err), lock.Close())
	}
	return lock, nil
}

// filled are the fields of a card that are not zero, in their order.
func filled(c Card) (fields yaml.MapSlice) {
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			continue
		}
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		fields = append(fields, yaml.MapItem{Key: name, Value: v.Field(i).Interface()})
	}
	return fields
}

func writeOwn(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".models-*")
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "register: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return corpus.Errorf(corpus.ErrFull, "register: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return corpus.Errorf(corpus.ErrUnavailable, "register: %w", err)
	}
	return nil
}

// Tuned is the card of a model that was fine-tuned from a base. Its price is not the base's, so it is not known.
func Tuned(base Card, id string, l Lineage) Card {
	c := base
	c.ID, c.Model, c.Lineage = id, id, &l
	l.Base = base.ID
	c.Name = "A fine-tuned " + orID(base)
	c.Card = "Fine-tuned from " + orID(base) + ". Compare it with its base on questions that it was not trained on: grounded eval run --models."
	c.Price, c.Facts, c.Link, c.Retires, c.Fallback = Price{}, Facts{}, "", "", nil
	return c
}

func orID(c Card) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}
