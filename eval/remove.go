package eval

import (
	"errors"
	"io/fs"
	"os"

	"grounded/corpus"
)

// Remove deletes a run. One that another process writes to stays, with ErrBusy; one that is not there is no error.
func Remove(path string) (err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := LockRun(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := os.RemoveAll(path); err != nil {
		return corpus.Errorf(corpus.ErrUnavailable, "remove run: %w", err)
	}
	return nil
}
