package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"grounded/corpus"
)

// Stored is a run as it is stored.
type Stored struct {
	Name   string // base name of its folder, or what it is called in a report
	Header Header
	Items  []Item

	Judgements []Judgement // of LoadStored
}

// LoadAll reads the runs of folders, each a run's own or one with runs in it, newest first, without what judges said. A
// folder that is not there has none. Runs that can't be read are named by the problems.
func LoadAll(folders ...string) (runs []Stored, problems []error, err error) {
	var paths []string
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, headerFile)); err == nil {
			paths = append(paths, folder)
			continue
		}
		entries, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, corpus.Errorf(corpus.ErrInvalid, "read runs: %w", err)
		}
		for _, e := range entries {
			path := filepath.Join(folder, e.Name())
			if _, err := os.Stat(filepath.Join(path, headerFile)); err == nil {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		header, items, err := Load(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("the run is passed over: %w", err))
			continue
		}
		runs = append(runs, Stored{Name: filepath.Base(path), Header: header, Items: items})
	}
	slices.SortStableFunc(runs, func(a, b Stored) int { return b.Header.Created.Compare(a.Header.Created) })
	return runs, problems, nil
}

// of is the part of a run that one model answered.
func (s Stored) of(id string) Stored {
	part := s
	part.Header.Models, part.Items = nil, nil
	for _, card := range s.Header.Models {
		if card.ID == id {
			part.Header.Models = append(part.Header.Models, card)
		}
	}
	for _, i := range s.Items {
		if i.Model == id {
			part.Items = append(part.Items, i)
		}
	}
	return part
}
