package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// scratch is a folder for the files of one run, which are gone when it ends.
type scratch struct {
	dir  string
	lock *os.File // held by the run; nil where leftovers are not looked for
	next atomic.Int64
}

// openScratch makes a folder in parent, or with an empty parent where the system keeps temporary files, and removes
// what killed runs have left in parent.
func openScratch(parent string) (*scratch, error) {
	if parent == "" {
		dir, err := os.MkdirTemp("", "grounded-ingest-")
		return &scratch{dir: dir}, err
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	// One run at a time looks for leftovers, or begins.
	turn, err := os.OpenFile(filepath.Join(parent, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	if err := lockFile(turn); err != nil {
		return nil, err
	}
	if err := removeLeftovers(parent); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "run-")
	if err != nil {
		return nil, err
	}
	held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = lockFile(held)
	}
	if err != nil {
		return nil, err
	}
	return &scratch{dir: dir, lock: held}, nil
}

// removeLeftovers removes the folders that no run holds.
func removeLeftovers(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, "run-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			continue // gone meanwhile, or another user's
		}
		free := tryLockFile(held)
		if free {
			err = os.RemoveAll(dir)
		}
		held.Close()
		if err != nil {
			return fmt.Errorf("remove what a run has left: %w", err)
		}
	}
	return nil
}

// document names a folder, which is not there yet, for the files of one document.
func (s *scratch) document() string {
	return filepath.Join(s.dir, strconv.FormatInt(s.next.Add(1), 10))
}

// close removes the folder with all that is in it.
func (s *scratch) close() error {
	err := os.RemoveAll(s.dir)
	if s.lock != nil {
		s.lock.Close()
	}
	return err
}
